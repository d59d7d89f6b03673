// Owns what a network test means: whether calls will work here, and by which way. PURE.
import { levelOf } from './level'

/** What one way to the server showed; loss, delay and jitter are there and back. */
export interface Way {
  lossPercent: number
  rttMs: number
  jitterMs: number
}
export interface Tried {
  direct: Way | null
  /** undefined: there is no relay to be tried. */
  relay: Way | null | undefined
}
export interface Verdict {
  word: 'good' | 'weak' | 'blocked'
  by: 'direct' | 'relay' | null
  way: Way | null
}

const isWeak = (way: Way) => levelOf({ rtt_ms: way.rttMs, loss_permille: 10 * way.lossPercent, jitter_ms: way.jitterMs, freezes: 0 }) !== 'good'

/** A call takes the direct way where there is one: its weakness is the call's. */
export function verdict({ direct, relay }: Tried): Verdict {
  const way = direct ?? relay ?? null
  if (!way) return { word: 'blocked', by: null, way }
  return { word: isWeak(way) ? 'weak' : 'good', by: direct ? 'direct' : 'relay', way }
}
