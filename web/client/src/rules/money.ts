// Owns how amounts, rates and spans of time are written for people. PURE.

const digitsOf = new Map<string, number>()

export function minorDigits(currency: string): number {
  let digits = digitsOf.get(currency)
  if (digits === undefined) {
    digits = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    digitsOf.set(currency, digits)
  }
  return digits
}

/** Whole minor units become the decimal text Intl formats exactly; no arithmetic on fractions. */
export function decimalText(minor: number, digits: number): string {
  const sign = minor < 0 ? '-' : ''
  const text = String(Math.abs(minor)).padStart(digits + 1, '0')
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

export function formatMoney(minor: number, currency: string, locale: string): string {
  const text = decimalText(minor, minorDigits(currency)) as unknown as number // Intl takes decimal text exactly
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(text)
}

/** A rate per hour shown per minute: at least the usual digits, up to four where a minute is not a whole minor unit. */
export function formatPerMinute(minorPerHour: number, currency: string, locale: string): string {
  const digits = minorDigits(currency)
  const tenThousandths = Math.round((minorPerHour * 100) / 60)
  const text = decimalText(tenThousandths, digits + 2) as unknown as number
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits + 2,
  }).format(text)
}

/** An amount as it stands in a field: with the decimal sign of the language, without sign of a currency or thousands. */
export function typedAmount(minor: number, currency: string, locale: string): string {
  const digits = minorDigits(currency)
  const text = decimalText(minor, digits) as unknown as number
  return new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false }).format(text)
}

/** 9:59, or 1:02:03 from an hour on; the part of a second that has begun does not count. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  const tail = String(s).padStart(2, '0')
  return h ? `${h}:${String(m).padStart(2, '0')}:${tail}` : `${m}:${tail}`
}

/** A time left: the second that has begun does count, so 0:00 means over. */
export const formatLeft = (ms: number) => formatClock(Math.ceil(Math.max(0, ms) / 1000) * 1000)

/** "90" or "1.50" as typed by a person, into whole minor units; null when it is not an amount. */
export function parseAmount(text: string, currency: string): number | null {
  const digits = minorDigits(currency)
  const match = /^\s*(\d{1,7})(?:[.,](\d+))?\s*$/.exec(text)
  if (!match || (match[2]?.length ?? 0) > digits) return null
  return Number((match[1] ?? '0') + (match[2] ?? '').padEnd(digits, '0'))
}
