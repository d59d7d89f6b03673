import { expect, test } from 'vitest'
import type { Currency } from '../api/schema'
import { totalsOf } from './selection'

const row = (charge_id: string, currency: Currency, gross_minor: number, commission_minor: number) => ({ charge_id, currency, gross_minor, commission_minor, net_minor: gross_minor - commission_minor })
const rows = [row('a', 'eur', 1000, 150), row('b', 'usd', 2000, 300), row('c', 'eur', 50, 8)]

test('currencies are summed apart', () => {
  expect(totalsOf(rows, new Set(['a', 'b', 'c']))).toEqual([
    { currency: 'eur', gross_minor: 1050, commission_minor: 158, net_minor: 892, count: 2 },
    { currency: 'usd', gross_minor: 2000, commission_minor: 300, net_minor: 1700, count: 1 },
  ])
})

test('only what is ticked and still in the list counts', () => {
  expect(totalsOf(rows, new Set(['c', 'gone']))).toEqual([{ currency: 'eur', gross_minor: 50, commission_minor: 8, net_minor: 42, count: 1 }])
  expect(totalsOf(rows, new Set())).toEqual([])
})
