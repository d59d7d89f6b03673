// Owns what the figures of a connection mean: good, fair or poor; and when sound comes before the picture. PURE.

export interface Figures {
  rtt_ms: number | null
  loss_permille: number
  jitter_ms: number
  freezes: number
}
export type Level = 'good' | 'fair' | 'poor'

const POOR = { rtt_ms: 500, loss_permille: 80, jitter_ms: 80, freezes: 1 }
const FAIR = { rtt_ms: 250, loss_permille: 30, jitter_ms: 40, freezes: Infinity }

const reaches = (found: Figures, bound: typeof POOR) =>
  (found.rtt_ms ?? 0) >= bound.rtt_ms || found.loss_permille >= bound.loss_permille || found.jitter_ms >= bound.jitter_ms || found.freezes >= bound.freezes

export function levelOf(found: Figures): Level {
  return reaches(found, POOR) ? 'poor' : reaches(found, FAIR) ? 'fair' : 'good'
}

/** What is shown changes when two samples in a row agree: a single bad moment is no news. */
export function settled(shown: Level, before: Level | null, now: Level): Level {
  return before === now ? now : shown
}

/** What a sender knows of its way out, every two seconds. */
export interface Uplink {
  /** What the browser believes to get through; null while it does not say. */
  kbps: number | null
  /** What the other end of our connection reports as lost. */
  loss_permille: number
}

const BAD = { kbps: 60, loss_permille: 200 }
const FINE = { loss_permille: 50 }
const [HOLD_AFTER, RELEASE_AFTER] = [3, 8]

/**
 * Whether the picture is held back so that the sound comes through: after six bad seconds, until sixteen good ones.
 * While it is held, the bandwidth is not asked: nobody measures what nobody uses.
 */
export function holdsVideo(held: boolean, history: Uplink[]): boolean {
  const bad = (one: Uplink) => (one.kbps !== null && one.kbps < BAD.kbps) || one.loss_permille >= BAD.loss_permille
  if (!held) return history.length >= HOLD_AFTER && history.slice(-HOLD_AFTER).every(bad)
  return !(history.length >= RELEASE_AFTER && history.slice(-RELEASE_AFTER).every((one) => one.loss_permille < FINE.loss_permille))
}
