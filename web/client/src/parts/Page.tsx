// Owns the head of a screen: its title, in the tab too, and the focus that moves there when the route changes.
import { type ReactNode, useEffect, useRef } from 'react'
import { useWords } from './words'

let firstScreen = true

export function Page({ title, children, hideTitle = false }: { title: string; children: ReactNode; hideTitle?: boolean }) {
  const { t } = useWords()
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · ${t('brand')}`
  }, [title, t])
  useEffect(() => {
    if (!firstScreen) heading.current?.focus({ preventScroll: true })
    firstScreen = false
    window.scrollTo(0, 0)
  }, [])
  return (
    <div className="page">
      <h1 tabIndex={-1} ref={heading} className={hideTitle ? 'hidden' : undefined}>
        {title}
      </h1>
      {children}
    </div>
  )
}
