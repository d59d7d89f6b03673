// Owns a page of the payment provider inside ours: only messages from that page's own origin, and window, are believed.
import { useEffect, useRef } from 'react'

interface Props {
  url: string
  title: string
  height: number
  testId: string
  onMessage: (message: { type: string } & Record<string, unknown>) => void
}

export function ProviderFrame({ url, title, height, testId, onMessage }: Props) {
  const frame = useRef<HTMLIFrameElement>(null)
  const handler = useRef(onMessage)
  handler.current = onMessage
  useEffect(() => {
    const { origin } = new URL(url, location.href)
    function receive(event: MessageEvent<unknown>) {
      if (event.origin !== origin || event.source !== frame.current?.contentWindow) return
      const data = event.data
      if (typeof data === 'object' && data !== null && 'type' in data && typeof data.type === 'string') {
        handler.current(data as { type: string })
      }
    }
    window.addEventListener('message', receive)
    return () => window.removeEventListener('message', receive)
  }, [url])
  return <iframe ref={frame} className="frame" src={url} title={title} height={height} data-testid={testId} />
}
