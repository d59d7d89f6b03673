// Owns one rule of reading a receipt: in no object may a name stand twice, or two readers could read two receipts.

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],]/g

/** The first name that stands twice in one object of this text, which must be valid JSON; null when none does. */
export function doubled(text: string): string | null {
  // For each open bracket the names of its object so far, or null for a list.
  const open: (Set<string> | null)[] = []
  let awaitsName = false
  for (const [token] of text.matchAll(TOKENS)) {
    const names = open.at(-1) ?? null
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null)
      awaitsName = token === '{'
    } else if (token === '}' || token === ']') {
      open.pop()
      awaitsName = false
    } else if (token === ',') {
      awaitsName = names !== null
    } else if (awaitsName && names !== null) {
      const name = String(JSON.parse(token)) // "a" and "\u0061" are one name
      if (names.has(name)) return name
      names.add(name)
      awaitsName = false
    }
  }
  return null
}
