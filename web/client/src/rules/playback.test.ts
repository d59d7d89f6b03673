import { describe, expect, it } from 'vitest'
import type { RecordingFileOut } from '../api/schema'
import { arrange, partAt } from './playback'

const file = (id: string, side: 'customer' | 'consultant', started_at: string, duration_ms: number): RecordingFileOut => ({
  id,
  side,
  started_at,
  duration_ms,
  bytes: 1,
  finished: true,
  expires_at: started_at,
  url: `/${id}`,
})

describe('the one clock of a recorded call', () => {
  const playback = arrange([
    file('b', 'consultant', '2026-01-01T10:00:00Z', 4_000),
    file('a', 'customer', '2026-01-01T10:00:00Z', 5_000),
    file('c', 'customer', '2026-01-01T10:00:20Z', 3_000),
  ])
  it('lays every file where it belongs', () => {
    expect(playback.customer.map((part) => [part.id, part.startMs, part.endMs])).toEqual([
      ['a', 0, 5_000],
      ['c', 20_000, 23_000],
    ])
    expect(playback.consultant.map((part) => part.startMs)).toEqual([0])
    expect(playback.lengthMs).toBe(23_000)
  })
  it('finds the file of a moment, or none', () => {
    expect(partAt(playback.customer, 4_999)?.id).toBe('a')
    expect(partAt(playback.customer, 5_000)).toBeNull()
    expect(partAt(playback.customer, 20_000)?.id).toBe('c')
    expect(partAt(playback.consultant, 20_000)).toBeNull()
  })
  it('goes on in the second file of one stretch', () => {
    const two = arrange([file('a', 'customer', '2026-01-01T10:00:00Z', 5_000), file('b', 'customer', '2026-01-01T10:00:00Z', 9_000)])
    expect(partAt(two.customer, 4_000)?.id).toBe('a')
    expect(partAt(two.customer, 6_000)?.id).toBe('b')
  })
})
