// Owns the short news at the foot of the page, read out politely, gone after a while.
import { useEffect, useSyncExternalStore } from 'react'
import { useWords } from './words'

let text = ''
const listeners = new Set<() => void>()

export function say(next: string) {
  text = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function Toast() {
  const { t } = useWords()
  const shown = useSyncExternalStore(subscribe, () => text)
  useEffect(() => {
    if (!shown) return
    const timer = setTimeout(() => say(''), 8_000)
    return () => clearTimeout(timer)
  }, [shown])
  return (
    <div role="status" aria-live="polite">
      {shown && (
        <div className="toast">
          <span>{shown}</span>
          <button type="button" onClick={() => say('')}>
            {t('common.close')}
          </button>
        </div>
      )}
    </div>
  )
}
