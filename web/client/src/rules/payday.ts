// Owns when a payout schedule pays next. PURE: days are calendar days in UTC, as Stripe counts them.

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'] as const
export type Weekday = (typeof weekdays)[number]
const DAY_MS = 86_400_000

export interface Schedule {
  interval: string
  weekly_anchor: string | null
  monthly_anchor: number | null
}

/** The midnight that begins the next day of payment after the day of `now`; null when nothing leaves by itself. */
export function nextPayday({ interval, weekly_anchor, monthly_anchor }: Schedule, now: number): number | null {
  const today = Math.floor(now / DAY_MS) * DAY_MS
  const tomorrow = today + DAY_MS
  if (interval === 'daily') return tomorrow
  if (interval === 'weekly') {
    const wanted = weekdays.findIndex((each) => each === weekly_anchor) + 1
    if (!wanted) return null
    const days = (wanted - new Date(tomorrow).getUTCDay() + 7) % 7
    return tomorrow + days * DAY_MS
  }
  if (interval === 'monthly' && monthly_anchor) {
    const day = new Date(today)
    const ahead = day.getUTCDate() >= monthly_anchor ? 1 : 0
    return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + ahead, monthly_anchor)
  }
  return null
}
