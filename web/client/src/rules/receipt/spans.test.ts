import { describe, expect, it } from 'vitest'
import { shownSpans } from './spans'

describe('the spans of a receipt', () => {
  it('add up to what the total shows', () => {
    const lines = [
      { kind: 'talk', duration_ms: 584_700 },
      { kind: 'unbilled', duration_ms: 9_900 },
      { kind: 'talk', duration_ms: 29_500 },
    ]
    expect(shownSpans(lines)).toEqual([584_000, 9_900, 30_000]) // 9:44 + 0:30 = 10:14 = 614.2 s
  })

  it('leave a single line as it is, but for the begun second', () => {
    expect(shownSpans([{ kind: 'talk', duration_ms: 600_999 }])).toEqual([600_000])
    expect(shownSpans([])).toEqual([])
  })
})
