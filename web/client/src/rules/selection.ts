// Owns the totals of the charges that are ticked, one sum per currency: amounts of two currencies are never added. PURE.
import type { ChargeRow, Totals } from '../api/types'

type Row = Pick<ChargeRow, 'charge_id' | 'currency' | 'gross_minor' | 'commission_minor' | 'net_minor'>

export function totalsOf(rows: Row[], ticked: ReadonlySet<string>): Required<Totals>[] {
  const sums = new Map<string, Required<Totals>>()
  for (const row of rows) {
    if (!ticked.has(row.charge_id)) continue
    const sum = sums.get(row.currency) ?? { currency: row.currency, gross_minor: 0, commission_minor: 0, net_minor: 0, count: 0 }
    sums.set(row.currency, {
      ...sum,
      gross_minor: sum.gross_minor + row.gross_minor,
      commission_minor: sum.commission_minor + row.commission_minor,
      net_minor: sum.net_minor + row.net_minor,
      count: sum.count + 1,
    })
  }
  return [...sums.values()]
}
