// Owns how long the lines of a receipt are said to be, PURE: what is paid adds up to the second that the total shows.

interface Line {
  kind: string
  duration_ms: number
}

/**
 * The spans to show, in milliseconds: of paid talk each ends where the running total shows it, so that begun seconds of
 * several lines, which no line shows, do not go missing from their sum.
 */
export function shownSpans(lines: readonly Line[]): number[] {
  let paid = 0
  return lines.map(({ kind, duration_ms }) => {
    if (kind !== 'talk') return duration_ms
    const before = Math.floor(paid / 1_000)
    paid += duration_ms
    return (Math.floor(paid / 1_000) - before) * 1_000
  })
}
