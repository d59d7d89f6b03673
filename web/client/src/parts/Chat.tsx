// Owns the chat of a call: text only, in the server's order, each message once.
import { Button, TextInput } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { get } from '../api/client'
import type { ChatMessage, Side } from '../api/types'
import { live, useLive } from '../socket/live'
import { Problem } from './Problem'
import { useWords } from './words'

export function Chat({ callId, role, other }: { callId: string; role: Side; other: string }) {
  const { t, time } = useWords()
  const { connected } = useLive()
  const [arrived, setArrived] = useState<ChatMessage[]>([])
  const [text, setText] = useState('')
  const list = useRef<HTMLOListElement>(null)
  const clientId = useRef(crypto.randomUUID())
  const kept = useQuery({ queryKey: ['chat', callId], queryFn: () => get<{ items: ChatMessage[] }>(`/api/calls/${callId}/chat`) })
  const add = (message: ChatMessage) => setArrived((old) => [...old, message])
  useEffect(
    () => live.on<ChatMessage>('chat.message', (message) => message.call_id === callId && add(message)),
    [callId],
  )
  const { refetch } = kept
  // What was said while the socket was away comes from the server's record.
  useEffect(() => {
    if (connected) void refetch()
  }, [connected, refetch])
  const messages = [...new Map([...(kept.data?.items ?? []), ...arrived].map((each) => [each.seq, each])).values()].toSorted(
    (a, b) => a.seq - b.seq,
  )
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [messages.length])
  const send = useMutation({
    mutationFn: (words: string) => live.send<{ message: ChatMessage }>('chat.send', { call_id: callId, client_id: clientId.current, text: words }),
    onSuccess: ({ message }) => {
      clientId.current = crypto.randomUUID()
      setText('')
      if (message) add(message)
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    if (text.trim()) send.mutate(text.trim())
  }
  return (
    <section className="panel chat" aria-label={t('chat.title')} data-testid="chat">
      <h2 style={{ margin: 0 }}>{t('chat.title')}</h2>
      <div role="log" aria-label={t('chat.messages')}>
      <ol ref={list} tabIndex={0} aria-label={t('chat.messages')}>
        {messages.map((each) => (
          <li key={each.seq} className={each.author_role === role ? 'mine' : undefined}>
            <span className="soft small">
              {each.author_role === role ? t('chat.you') : other}, {time(each.sent_at)}
            </span>
            <br />
            {each.text}
          </li>
        ))}
      </ol>
      </div>
      <form onSubmit={submit} className="row" style={{ flexWrap: 'nowrap', alignItems: 'flex-end' }}>
        <TextInput style={{ flex: 1 }} label={t('chat.field')} value={text} maxLength={2000} onChange={(e) => setText(e.currentTarget.value)} data-testid="chat-text" />
        <Button type="submit" loading={send.isPending} data-testid="chat-send">
          {t('chat.send')}
        </Button>
      </form>
      <Problem error={send.error} />
    </section>
  )
}
