// Owns whether there is a way back into a lost call, or into the one that goes on with it. PURE.
import type { CallView, MeterView } from '../api/types'

export type WayBackIn =
  | { kind: 'lost'; callId: string; untilMs: number; connectedMs: number; free: boolean }
  | { kind: 'returned'; callId: string; name: string }
  | null

/** Lost: either side may come back until then. Returned: the other side did, and waits in the call. */
export function wayBackIn(call: CallView | null | undefined, meter: MeterView | null | undefined, nowMs: number): WayBackIn {
  if (!call) return null
  if (call.state === 'preparing' && call.continues_call_id && !call.participants[call.role].seen) {
    return { kind: 'returned', callId: call.id, name: call.other.display_name }
  }
  const untilMs = call.state === 'ended' && meter?.call_id === call.id && meter.returns_until ? Date.parse(meter.returns_until) : 0
  if (!meter || untilMs <= nowMs) return null
  return { kind: 'lost', callId: call.id, untilMs, connectedMs: meter.connected_ms, free: meter.connected_ms < meter.threshold_ms }
}
