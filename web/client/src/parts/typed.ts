// Owns fields whose text is a part of the address: written there once nobody types any more, and read when it changes there.
import { useEffect, useState } from 'react'

const SETTLED_MS = 400

/** The text of such a field and how to type into it; `current` is what the address says, `write` puts a text there. */
export function useTyped(current: string, write: (text: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(current)
  const [written, setWritten] = useState(current)
  if (current !== written) {
    // A link, a kept view or the back button, not what was typed here.
    setWritten(current)
    setTyped(current)
  }
  useEffect(() => {
    if (typed === current) return
    const timer = setTimeout(() => {
      setWritten(typed)
      write(typed)
    }, SETTLED_MS)
    return () => clearTimeout(timer)
  }, [typed, current, write])
  return [typed, setTyped]
}
