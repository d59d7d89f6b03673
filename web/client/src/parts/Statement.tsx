// Owns what was paid or earned in a period: the period, totals, a year of drawn months, the calls, and the CSV.
import { Button, Select, TextInput } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import { download, get, query } from '../api/client'
import type { Bill, Month, Side, Statement } from '../api/types'
import { Loading, Problem } from './Problem'
import { useWords } from './words'

const periods = ['month', 'last_month', 'year', 'all', 'custom'] as const

function PeriodChoice() {
  const { t } = useWords()
  const [address, setAddress] = useSearchParams()
  const custom = address.has('from') || address.has('to')
  const today = new Date().toISOString().slice(0, 10)
  const day = (name: string) => ({
    type: 'date',
    min: '2000-01-01',
    max: '2200-01-01',
    value: address.get(name) ?? '',
    onChange: (event: { currentTarget: HTMLInputElement }) => {
      const { value } = event.currentTarget
      if (value) setAddress({ ...Object.fromEntries(address), [name]: value }, { replace: true })
    },
  })
  return (
    <>
      <Select
        label={t('statement.period')}
        allowDeselect={false}
        value={custom ? 'custom' : (address.get('period') ?? 'month')}
        data={periods.map((value) => ({ value, label: t(`statement.period.${value}`) }))}
        onChange={(value) => setAddress(value === 'custom' ? { from: `${today.slice(0, 8)}01`, to: today } : { period: value ?? 'month' }, { replace: true })}
        data-testid="period"
      />
      {custom && (
        <>
          <TextInput label={t('finance.from')} {...day('from')} />
          <TextInput label={t('finance.to')} {...day('to')} />
        </>
      )}
    </>
  )
}

const [WIDTH, HEIGHT, FOOT] = [640, 190, 34]

function Bars({ year, months, currency, value }: { year: string[]; months: Month[]; currency: string; value: (month: Month) => number }) {
  const { t, money, locale } = useWords()
  const of = new Map(months.filter((each) => each.currency === currency).map((each) => [each.month, value(each)]))
  const most = Math.max(1, ...of.values())
  const step = WIDTH / year.length
  const named = (month: string, style: 'narrow' | 'long') => new Intl.DateTimeFormat(locale, { month: style, year: style === 'long' ? 'numeric' : undefined, timeZone: 'UTC' }).format(new Date(`${month}-01T00:00:00Z`))
  return (
    <figure style={{ margin: 0 }}>
      <figcaption className="soft small">{t('statement.months', { currency: currency.toUpperCase() })}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" style={{ width: '100%', height: 'auto', maxWidth: WIDTH }} data-testid={`bars-${currency}`}>
        {year.map((month, n) => {
          const height = ((HEIGHT - FOOT - 8) * (of.get(month) ?? 0)) / most
          return (
            <g key={month}>
              <rect x={n * step + 7} y={HEIGHT - FOOT - height} width={step - 14} height={height} rx="4" fill="var(--accent)" />
              <text x={(n + 0.5) * step} y={HEIGHT - 8} textAnchor="middle" fontSize="22" fill="var(--soft)">
                {named(month, 'narrow')}
              </text>
            </g>
          )
        })}
        <line x1="0" x2={WIDTH} y1={HEIGHT - FOOT} y2={HEIGHT - FOOT} stroke="var(--line)" strokeWidth="2" />
      </svg>
      <details>
        <summary className="row-link">{t('statement.as_table')}</summary>
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">{t('statement.month')}</th>
              <th scope="col" className="right">{t('statement.amount')}</th>
            </tr>
          </thead>
          <tbody>
            {year.map((month) => (
              <tr key={month}>
                <th scope="row">{named(month, 'long')}</th>
                <td className="right">{money(of.get(month) ?? 0, currency)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

function Calls({ items, side, title }: { items: Bill[]; side: Side; title: string }) {
  const { t, money, clock, date, coded } = useWords()
  const amounts: [string, (bill: Bill) => number][] =
    side === 'customer'
      ? [[t('statement.price'), (bill) => bill.gross_minor], [t('statement.paid'), (bill) => bill.paid_minor], [t('statement.refunded'), (bill) => bill.refunded_minor], [t('statement.credited'), (bill) => bill.credited_minor]]
      : [[t('finance.gross'), (bill) => bill.gross_minor], [t('finance.commission'), (bill) => bill.commission_minor], [t('finance.net'), (bill) => bill.net_minor], [t('statement.refunded'), (bill) => bill.refunded_minor]]
  return (
    <div className="panel scroller" tabIndex={0} role="region" aria-label={title}>
      <table className="plain keep">
        <thead>
          <tr>
            <th scope="col">{t('history.receipt')}</th>
            <th scope="col">{t('finance.at')}</th>
            <th scope="col">{t(side === 'customer' ? 'finance.consultant' : 'finance.customer')}</th>
            <th scope="col" className="right">{t('finance.connected')}</th>
            {amounts.map(([name]) => (
              <th scope="col" className="right" key={name}>{name}</th>
            ))}
            <th scope="col">{t('finance.state')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((each) => (
            <tr key={each.call_id}>
              <td>
                <Link className="row-link" to={`/call/${each.call_id}/done`}>{each.reference}</Link>
              </td>
              <td>{date(each.billed_at)}</td>
              <td>{each.other_name}</td>
              <td className="right">{clock(each.connected_ms)}</td>
              {amounts.map(([name, amount]) => (
                <td className="right" key={name}>{money(amount(each), each.currency)}</td>
              ))}
              <td>{coded('charge', each.state) ?? each.state}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function StatementPart({ side, path, title, empty }: { side: Side; path: string; title: string; empty: string }) {
  const { t, money } = useWords()
  const address = useSearchParams()[0]
  const wanted = { period: address.get('period'), from: address.get('from'), to: address.get('to') }
  const found = useInfiniteQuery({
    queryKey: ['statement', side, wanted],
    queryFn: ({ pageParam }) => get<Statement>(`${path}${query({ ...wanted, cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })
  const csv = useMutation({ mutationFn: () => download(`${path}.csv${query(wanted)}`, `${path.split('/').at(-1)}.csv`) })
  const head = found.data?.pages[0]
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  const value = (each: { net_minor: number; paid_minor: number; refunded_minor: number; credited_minor: number }) => (side === 'customer' ? each.paid_minor - each.refunded_minor - each.credited_minor : each.net_minor)
  return (
    <div className="stack">
      <div className="panel row" style={{ alignItems: 'flex-end' }} role="search" aria-label={t('statement.period')}>
        <PeriodChoice />
        <Button variant="default" loading={csv.isPending} onClick={() => csv.mutate()} data-testid="csv">
          {t('finance.csv')}
        </Button>
      </div>
      {found.isPending && <Loading />}
      <Problem error={found.error ?? csv.error} retry={found.error ? () => void found.refetch() : undefined} />
      {head?.open_credits.map((each) => (
        <p className="note" key={each.currency} data-testid={`open-credit-${each.currency}`}>
          {t('spending.credit', { amount: money(each.amount_minor, each.currency) })}
        </p>
      ))}
      {head?.totals.map((each) => {
        const figures = { gross: money(each.gross_minor, each.currency), commission: money(each.commission_minor, each.currency), refunded: money(each.refunded_minor + each.credited_minor, each.currency), count: each.count }
        return (
          <div className="panel" key={each.currency}>
            <div className="amount" data-testid={`total-${each.currency}`}>{money(value(each), each.currency)}</div>
            <p className="soft" style={{ margin: 0 }}>{side === 'customer' ? t('spending.total', figures) : t('earnings.total', figures)}</p>
          </div>
        )
      })}
      {head && [...new Set(head.months.map((each) => each.currency))].map((currency) => (
        <div className="panel" key={currency}>
          <Bars year={head.year} months={head.months} currency={currency} value={value} />
        </div>
      ))}
      {head && !items.length && <p className="panel">{head.months.length ? t('statement.none') : empty}</p>}
      {items.length > 0 && <Calls items={items} side={side} title={title} />}
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('common.more')}
        </Button>
      )}
    </div>
  )
}
