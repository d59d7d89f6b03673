import { describe, expect, it } from 'vitest'
import { everyDay, roundAbove, runs } from './chart'

describe('the arithmetic of a drawing', () => {
  it.each([
    [0, 1],
    [1, 1],
    [1.01, 2],
    [3, 5],
    [21, 25],
    [0.31, 0.5],
    [0.1, 0.1],
    [99, 100],
  ])('the axis above %d ends at %d', (most, expected) => expect(roundAbove(most)).toBeCloseTo(expected))

  it('breaks a line where nothing is known', () => {
    expect(runs([null, 1, 2, null, null, 3])).toEqual([[[1, 1], [2, 2]], [[5, 3]]])
    expect(runs([null])).toEqual([])
  })

  it('counts days over the end of a month', () => {
    expect(everyDay('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
  })
})
