// Owns how long there is until a deadline: whole days, and hours within the last one. PURE.

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface Left {
  unit: 'over' | 'hours' | 'days'
  count: number
}

/** Rounded down: nobody is promised time that is not there. */
export function timeLeft(dueMs: number, nowMs: number): Left {
  const left = dueMs - nowMs
  if (left <= 0) return { unit: 'over', count: 0 }
  return left < DAY_MS ? { unit: 'hours', count: Math.floor(left / HOUR_MS) } : { unit: 'days', count: Math.floor(left / DAY_MS) }
}
