// Owns the bill once more, from a receipt's price and intervals alone, in whole numbers of any size. PURE.
import type { Interval, Line, Price } from './shape'

const HOUR_MS = 3_600_000n
const BPS = 10_000n
const SKIPPED = 'demo_skip' // the demo's clock was moved: the next interval follows without a gap

/** value / by for what is not negative, to the nearest whole number, halves upwards. */
const halfUp = (value: bigint, by: bigint) => (2n * value + by) / (2n * by)
const least = (...values: bigint[]) => values.reduce((one, other) => (other < one ? other : one))
const most = (...values: bigint[]) => values.reduce((one, other) => (other > one ? other : one))

/** Microseconds since 1970 of a moment as receipts write it; null for any other text. */
export function moment(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{1,6})Z$/.exec(text)
  const seconds = match ? Date.parse(`${match[1]}Z`) : NaN
  if (!match || Number.isNaN(seconds) || !new Date(seconds).toISOString().startsWith(match[1] ?? '-')) return null
  return BigInt(seconds) * 1000n + BigInt((match[2] ?? '').padEnd(6, '0'))
}

export function written(at: bigint): string {
  const micros = ((at % 1_000_000n) + 1_000_000n) % 1_000_000n
  return `${new Date(Number((at - micros) / 1000n)).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}Z`
}

export class Bill {
  readonly connectedMs: number
  readonly dueMinor: number
  readonly billedMs: number
  readonly #price: Price
  readonly #intervals: Interval[]

  /** `held` says whether a hold ever stood: without one nothing is due. */
  constructor(price: Price, intervals: Interval[], held: boolean) {
    this.#price = price
    this.#intervals = intervals.toSorted((one, other) => one.n - other.n)
    this.connectedMs = intervals.reduce((sum, each) => sum + each.duration_ms, 0)
    const full = held && this.connectedMs >= price.threshold_ms ? this.#priceAt(BigInt(this.connectedMs)) : 0n
    this.dueMinor = full >= BigInt(price.minimum_minor) ? Number(full) : 0
    this.billedMs = this.dueMinor ? Number(least(BigInt(this.connectedMs), this.#capMs) - this.#freeMs) : 0
  }

  get #freeMs() {
    return this.#price.policy === 'after_threshold' ? BigInt(this.#price.threshold_ms) : 0n
  }

  /** The last whole millisecond the cap pays for; never before the threshold. */
  get #capMs() {
    const paid = (BigInt(this.#price.cap_minor) * HOUR_MS) / BigInt(this.#price.rate_minor_per_hour)
    return most(BigInt(this.#price.threshold_ms), this.#freeMs + paid)
  }

  /** The price when the clock stands here, of a call that is charged. */
  #priceAt(connected: bigint): bigint {
    const counted = most(0n, least(connected, this.#capMs) - this.#freeMs)
    return least(halfUp(BigInt(this.#price.rate_minor_per_hour) * counted, HOUR_MS), BigInt(this.#price.cap_minor))
  }

  /** Every stretch of the call: what it was, from when to when, and what it costs. */
  lines(): Line[] {
    const found: Line[] = []
    let clock = 0n
    let previous: { ended: bigint; cause: string | null } | null = null
    for (const each of this.#intervals) {
      const start = moment(each.started_at) ?? 0n
      const gap: bigint = previous ? (start - previous.ended) / 1000n : 0n
      if (previous && start > previous.ended && gap > 0n && previous.cause !== SKIPPED) {
        found.push(line('unbilled', previous.ended, start, gap, 0n, previous.cause))
      }
      found.push(...this.#stretches(clock, BigInt(each.duration_ms), start))
      clock += BigInt(each.duration_ms)
      previous = { ended: start + BigInt(each.duration_ms) * 1000n, cause: each.cause }
    }
    return found
  }

  #stretches(clock: bigint, duration: bigint, start: bigint): Line[] {
    const found: Line[] = []
    let at = clock
    while (at < clock + duration) {
      const { kind, until } = this.#kindAt(at, clock + duration)
      const amount = kind === 'talk' ? this.#priceAt(until) - this.#priceAt(at) : 0n
      found.push(line(kind, start + (at - clock) * 1000n, start + (until - clock) * 1000n, until - at, amount))
      at = until
    }
    return found
  }

  /** What the time from here on is, and until when it is that. */
  #kindAt(at: bigint, end: bigint): { kind: string; until: bigint } {
    if (!this.dueMinor) return { kind: 'free', until: this.#capMs <= at ? end : least(end, this.#capMs) }
    if (at < this.#freeMs) return { kind: 'free', until: least(end, this.#freeMs) }
    if (at < this.#capMs) return { kind: 'talk', until: least(end, this.#capMs) }
    return { kind: 'cap', until: end }
  }
}

function line(kind: string, from: bigint, to: bigint, duration: bigint, amount: bigint, cause: string | null = null): Line {
  return { kind, from: written(from), to: written(to), duration_ms: Number(duration), cause, amount_minor: Number(amount) }
}

/** The tax in a price that includes it. */
export function vatIn(grossMinor: number, price: Price): number {
  const rate = price.tax_mode === 'inclusive' ? BigInt(price.tax_rate_bps) : 0n
  return Math.sign(grossMinor) * Number(halfUp(BigInt(Math.abs(grossMinor)) * rate, BPS + rate))
}

export const commissionOf = (grossMinor: number, bps: number) => Math.sign(grossMinor) * Number(halfUp(BigInt(Math.abs(grossMinor)) * BigInt(bps), BPS))
