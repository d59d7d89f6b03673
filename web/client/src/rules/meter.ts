// Owns what the meter shows between two snapshots: the same sums as the server's, on whole numbers. PURE.
import type { MeterView, Policy } from '../api/types'

/** rate × time ÷ one hour, half up; every operand is far inside the exact whole numbers. */
export function priceMinor(rateMinorPerHour: number, ms: number): number {
  return Math.floor((rateMinorPerHour * ms * 2 + 3_600_000) / 7_200_000)
}

export function grossMinor(
  terms: { rate_minor_per_hour: number; policy: Policy; threshold_ms: number; cap_minor: number },
  connectedMs: number,
): number {
  if (connectedMs < terms.threshold_ms) return 0
  const billed = terms.policy === 'whole_call' ? connectedMs : connectedMs - terms.threshold_ms
  return Math.min(terms.cap_minor, priceMinor(terms.rate_minor_per_hour, billed))
}

export function commissionMinor(gross: number, bps: number): number {
  return Math.floor((gross * bps + 5_000) / 10_000)
}

export interface MeterNow {
  connectedMs: number
  grossMinor: number
  netMinor: number
  toThresholdMs: number
  toCapMs: number
  free: boolean
}

/** Whether the reserve stands: until a known customer's does, nothing is due, however long they talk. */
export function secured(meter: MeterView): boolean {
  return meter.late_hold === null || meter.late_hold.state === 'stands'
}

/** The figures at `serverNowMs`; a paused or final meter stands where the server left it. */
export function meterAt(meter: MeterView, serverNowMs: number): MeterNow {
  const passed = meter.running && !meter.final ? Math.max(0, serverNowMs - Date.parse(meter.as_of)) : 0
  const connectedMs = Math.min(meter.connected_ms + passed, Math.max(meter.connected_ms, meter.cap_ms))
  const gross = passed > 0 && secured(meter) ? grossMinor(meter, connectedMs) : meter.gross_minor
  return {
    connectedMs,
    grossMinor: gross,
    netMinor: passed > 0 ? gross - commissionMinor(gross, meter.commission_bps) : meter.net_minor,
    toThresholdMs: Math.max(0, meter.threshold_ms - connectedMs),
    toCapMs: Math.max(0, meter.cap_ms - connectedMs),
    free: connectedMs < meter.threshold_ms,
  }
}

export type Warning = 'threshold_2m' | 'threshold_30s' | 'cap_3m' | 'cap_30s' | null

/** Which warning is due: before the threshold at 2:00 and 0:30, before the cap at 3:00 and 0:30. */
export function warningAt(now: MeterNow): Warning {
  if (now.toCapMs <= 30_000) return 'cap_30s'
  if (now.free && now.toThresholdMs <= 30_000) return 'threshold_30s'
  if (now.toCapMs <= 180_000 && !now.free) return 'cap_3m'
  if (now.free && now.toThresholdMs <= 120_000) return 'threshold_2m'
  return null
}
