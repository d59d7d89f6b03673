import { expect, test } from 'vitest'
import { nextPayday } from './payday'

const day = (text: string) => Date.parse(`${text}T10:30:00Z`)
const iso = (ms: number | null) => ms && new Date(ms).toISOString().slice(0, 10)
const weekly = (anchor: string) => ({ interval: 'weekly', weekly_anchor: anchor, monthly_anchor: null })
const monthly = (anchor: number) => ({ interval: 'monthly', weekly_anchor: null, monthly_anchor: anchor })

test('a weekly schedule pays on the next such day, a week later on the day itself', () => {
  expect(iso(nextPayday(weekly('monday'), day('2026-11-21')))).toBe('2026-11-23')
  expect(iso(nextPayday(weekly('monday'), day('2026-11-22')))).toBe('2026-11-23')
  expect(iso(nextPayday(weekly('monday'), day('2026-11-23')))).toBe('2026-11-30')
  expect(iso(nextPayday(weekly('friday'), day('2026-12-31')))).toBe('2027-01-01')
})

test('a monthly schedule pays this month or the next, over the turn of the year too', () => {
  expect(iso(nextPayday(monthly(28), day('2026-02-27')))).toBe('2026-02-28')
  expect(iso(nextPayday(monthly(28), day('2026-02-28')))).toBe('2026-03-28')
  expect(iso(nextPayday(monthly(1), day('2026-12-02')))).toBe('2027-01-01')
})

test('nothing leaves by itself on request, nor by a schedule that is not whole', () => {
  expect(nextPayday({ interval: 'manual', weekly_anchor: null, monthly_anchor: null }, day('2026-11-21'))).toBeNull()
  expect(nextPayday(weekly('sunday'), day('2026-11-21'))).toBeNull()
})
