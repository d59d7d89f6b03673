// Owns fields whose text is a part of the address: written there once nobody types any more, and read when it changes there.
import { useEffect, useState } from 'react'

const SETTLED_MS = 400

/** The text of such a field and how to type into it; `current` is what the address says, `write` puts a text there. */
export function useTyped(current: string, write: (text: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(current)
  const [seen, setSeen] = useState(current)
  const [written, setWritten] = useState(current)
  if (current !== seen) {
    setSeen(current)
    setWritten(current)
    // A link, a kept view or the back button. What was written here only arrives, and more may have been typed since.
    if (current !== written) setTyped(current)
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
