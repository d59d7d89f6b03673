import { expect, test } from 'vitest'
import type { MeterView } from '../api/types'
import { commissionMinor, grossMinor, meterAt, priceMinor, warningAt } from './meter'

const terms = { rate_minor_per_hour: 9000, policy: 'whole_call' as const, threshold_ms: 600_000, cap_minor: 4500 }
const meter: MeterView = {
  ...terms,
  call_id: 'c',
  charge_state: 'held',
  currency: 'eur',
  commission_bps: 1500,
  held_minor: 4500,
  connected_ms: 540_000,
  as_of: '2026-01-01T10:00:00.000Z',
  running: true,
  unbilled_cause: null,
  unbilled_since: null,
  gross_minor: 0,
  net_minor: 0,
  cap_ms: 1_800_000,
  extend_minor: 1500,
  authenticate: null,
  late_hold: null,
  final: false,
  returns_until: null,
}
const start = Date.parse(meter.as_of)

test('a millisecond decides at ten minutes', () => {
  expect(grossMinor(terms, 599_999)).toBe(0)
  expect(grossMinor(terms, 600_000)).toBe(1500)
  expect(grossMinor({ ...terms, policy: 'after_threshold' }, 600_000)).toBe(0)
  expect(grossMinor({ ...terms, policy: 'after_threshold' }, 660_000)).toBe(150)
})

test('amounts round half up and stop at the cap', () => {
  expect(priceMinor(3_600, 500)).toBe(1)
  expect(priceMinor(3_600, 499)).toBe(0)
  expect(grossMinor(terms, 9_999_999)).toBe(4500)
  expect(commissionMinor(1510, 1500)).toBe(227)
})

test('the meter runs on between snapshots and stands while paused', () => {
  expect(meterAt(meter, start + 60_000).grossMinor).toBe(1500)
  expect(meterAt(meter, start + 59_999).free).toBe(true)
  expect(meterAt({ ...meter, running: false }, start + 60_000).connectedMs).toBe(540_000)
  expect(meterAt(meter, start - 5_000).connectedMs).toBe(540_000)
  expect(meterAt(meter, start + 9_999_999).connectedMs).toBe(1_800_000)
})

test('warnings come before the threshold and before the cap', () => {
  expect(warningAt(meterAt({ ...meter, connected_ms: 400_000 }, start))).toBe(null)
  expect(warningAt(meterAt(meter, start))).toBe('threshold_2m')
  expect(warningAt(meterAt(meter, start + 30_000))).toBe('threshold_30s')
  expect(warningAt(meterAt({ ...meter, connected_ms: 1_620_000 }, start))).toBe('cap_3m')
  expect(warningAt(meterAt({ ...meter, connected_ms: 1_770_000 }, start))).toBe('cap_30s')
})

test('without its reserve a call of a known customer costs nothing, however long it lasts', () => {
  const late = (state: 'later' | 'asked' | 'stands' | 'missed') => ({ ...meter, late_hold: { due_ms: 480_000, state } })
  expect(meterAt(late('asked'), start + 61_000).grossMinor).toBe(0)
  expect(meterAt(late('missed'), start + 61_000).netMinor).toBe(0)
  expect(meterAt(late('stands'), start + 61_000).grossMinor).toBe(meterAt(meter, start + 61_000).grossMinor)
})
