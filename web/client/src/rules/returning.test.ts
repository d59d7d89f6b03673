import { expect, test } from 'vitest'
import type { CallView, MeterView } from '../api/types'
import { wayBackIn } from './returning'

const unseen = { seen: false, last_seen_at: null, microphone: false, camera: false, screen: false, video_held: false }
const lost = {
  id: 'a',
  state: 'ended',
  role: 'customer',
  other: { user_id: 'c', display_name: 'Anna' },
  participants: { customer: unseen, consultant: unseen },
  continues_call_id: null,
} as unknown as CallView
const meter = { call_id: 'a', connected_ms: 360_000, threshold_ms: 600_000, returns_until: '2026-01-05T10:10:00Z' } as unknown as MeterView
const at = (time: string) => Date.parse(`2026-01-05T${time}Z`)

test('a lost call has a way back until its time is over', () => {
  expect(wayBackIn(lost, meter, at('10:00:19'))).toEqual({ kind: 'lost', callId: 'a', untilMs: at('10:10:00'), connectedMs: 360_000, free: true })
  expect(wayBackIn(lost, { ...meter, connected_ms: 600_000 }, at('10:00:19'))).toMatchObject({ free: false })
  expect(wayBackIn(lost, meter, at('10:10:00'))).toBeNull()
})

test('a call that was left, or of which nothing is known, has none', () => {
  expect(wayBackIn(lost, { ...meter, returns_until: null }, 0)).toBeNull()
  expect(wayBackIn(lost, { ...meter, call_id: 'b' }, 0)).toBeNull()
  expect(wayBackIn(lost, null, 0)).toBeNull()
  expect(wayBackIn(null, meter, 0)).toBeNull()
})

test('who came back waits for the other, until they are in the call themselves', () => {
  const on: CallView = { ...lost, id: 'b', state: 'preparing', continues_call_id: 'a' }
  expect(wayBackIn(on, null, 0)).toEqual({ kind: 'returned', callId: 'b', name: 'Anna' })
  expect(wayBackIn({ ...on, participants: { ...on.participants, customer: { ...unseen, seen: true } } }, null, 0)).toBeNull()
  expect(wayBackIn({ ...on, continues_call_id: null }, null, 0)).toBeNull()
})
