// Owns the table of charges: arrow keys move, Enter opens, Space ticks; what is ticked is summed below.
import { Checkbox } from '@mantine/core'
import type { KeyboardEvent } from 'react'
import { Link, useNavigate } from 'react-router'
import type { ChargeRow } from '../../api/types'
import { useWords } from '../../parts/words'

interface Props {
  items: ChargeRow[]
  ticked: ReadonlySet<string>
  tick: (ids: string[], on: boolean) => void
}

const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 }

export function ChargeTable({ items, ticked, tick }: Props) {
  const { t, money, clock, date, coded } = useWords()
  const navigate = useNavigate()
  function keys(event: KeyboardEvent<HTMLTableSectionElement>) {
    const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a')]
    const here = links.indexOf(document.activeElement as HTMLAnchorElement)
    const row = items[here]
    if (event.key === ' ' && row) {
      event.preventDefault()
      tick([row.charge_id], !ticked.has(row.charge_id))
    }
    const next = links[here + (steps[event.key] ?? 0)]
    if (steps[event.key] && next) {
      event.preventDefault()
      next.focus()
    }
  }
  const all = items.every((each) => ticked.has(each.charge_id))
  return (
    <div className="panel scroller" tabIndex={0} role="region" aria-label={t('finance.title')}>
      <table className="plain keep charges">
        <caption className="hidden">{t('finance.keys')}</caption>
        <thead>
          <tr>
            <th scope="col">
              <Checkbox aria-label={t('finance.tick_all')} checked={all} onChange={() => tick(items.map((each) => each.charge_id), !all)} />
            </th>
            <th scope="col">{t('receipt.reference')}</th>
            <th scope="col">{t('finance.at')}</th>
            <th scope="col">{t('finance.customer')}</th>
            <th scope="col">{t('finance.consultant')}</th>
            <th scope="col" className="right">{t('finance.connected')}</th>
            <th scope="col" className="right">{t('finance.billed')}</th>
            <th scope="col" className="right">{t('finance.gross')}</th>
            <th scope="col" className="right">{t('finance.commission')}</th>
            <th scope="col" className="right">{t('finance.net')}</th>
            <th scope="col">{t('finance.state')}</th>
          </tr>
        </thead>
        <tbody onKeyDown={keys}>
          {items.map((each) => (
            <tr key={each.charge_id} data-testid={`finance-row-${each.reference}`} onDoubleClick={() => void navigate(`/finance/charges/${each.charge_id}`)}>
              <td>
                <Checkbox
                  aria-label={t('finance.tick', { reference: each.reference })}
                  checked={ticked.has(each.charge_id)}
                  onChange={() => tick([each.charge_id], !ticked.has(each.charge_id))}
                />
              </td>
              <td>
                <Link className="row-link" to={`/finance/charges/${each.charge_id}`}>
                  {each.reference}
                </Link>
              </td>
              <td>{date(each.at)}</td>
              <td>{each.customer_name}</td>
              <td>{each.consultant_name}</td>
              <td className="right">{clock(each.connected_ms)}</td>
              <td className="right">{clock(each.billed_ms)}</td>
              <td className="right" data-testid="finance-gross">{money(each.gross_minor, each.currency)}</td>
              <td className="right" data-testid="finance-commission">{money(each.commission_minor, each.currency)}</td>
              <td className="right" data-testid="finance-net">{money(each.net_minor, each.currency)}</td>
              <td>
                {coded('charge', each.state) ?? each.state}
                {each.refunded_minor > 0 && <span className="small soft"> · {t('finance.refunded_of', { amount: money(each.refunded_minor, each.currency) })}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
