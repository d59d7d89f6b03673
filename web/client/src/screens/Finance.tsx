// Owns the finance list: charges by filters that live in the address, totals, CSV.
import { Button, Select, TextInput } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect, useState } from 'react'
import { Link, useNavigate, useSearchParams } from 'react-router'
import { download, get, query } from '../api/client'
import { type ChargePage, currencies } from '../api/types'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { decimalText, parseAmount } from '../rules/money'

const filterNames = ['state', 'currency', 'from', 'to', 'q', 'min_minor', 'free'] as const
const states = ['open', 'holding', 'awaiting_customer', 'metering', 'settling', 'captured', 'released', 'uncollectable', 'abandoned']

function Overview() {
  const { t, money } = useWords()
  const overview = useQuery({ queryKey: ['finance-overview'], queryFn: () => get<Record<string, unknown>>('/api/finance/overview'), refetchInterval: 30_000 })
  const data = overview.data
  const rows = data ? ((data.currencies ?? data.items ?? []) as Record<string, number | string>[]) : []
  if (!Array.isArray(rows)) return null
  return (
    <>
      <Problem error={overview.error} retry={() => void overview.refetch()} />
      {rows.map((row) => {
        const currency = String(row.currency)
        const figure = (name: string) => money(Number(row[`${name}_minor`] ?? row[name] ?? 0), currency)
        const difference = Number(row.difference_minor ?? 0)
        return (
          <section className="panel" key={currency} aria-label={t('finance.overview', { currency: currency.toUpperCase() })}>
            {difference !== 0 && (
              <p className="note bad" role="alert">
                {t('finance.difference_bad', { amount: money(difference, currency) })}
              </p>
            )}
            <dl className="row" style={{ margin: 0, gap: '0.5rem 2rem' }}>
              {(['captured', 'held', 'released', 'commission', 'payable', 'difference'] as const).map((name) => (
                <div key={name}>
                  <dt className="soft small">{t(`finance.sum.${name}`)}</dt>
                  <dd className="numbers" style={{ margin: 0, fontWeight: 620 }}>
                    {figure(name)}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        )
      })}
    </>
  )
}

function Filters({ filters, change }: { filters: Record<string, string>; change: (name: string, value: string) => void }) {
  const { t, coded } = useWords()
  const [reference, setReference] = useState(filters.q ?? '')
  const [minimum, setMinimum] = useState(filters.min_minor ? decimalText(Number(filters.min_minor), 2) : '')
  useEffect(() => {
    const timer = setTimeout(() => reference !== (filters.q ?? '') && change('q', reference), 400)
    return () => clearTimeout(timer)
  }, [reference, filters.q, change])
  return (
    <form className="panel row" style={{ alignItems: 'flex-end' }} role="search" aria-label={t('finance.filters')} onSubmit={(e) => e.preventDefault()}>
      <TextInput label={t('receipt.reference')} value={reference} onChange={(e) => setReference(e.currentTarget.value)} data-testid="filter-q" />
      <Select
        clearable
        clearButtonProps={{ 'aria-label': t('finance.clear') }}
        label={t('finance.state')}
        value={filters.state ?? null}
        data={states.map((value) => ({ value, label: coded('charge', value) ?? value }))}
        onChange={(value) => change('state', value ?? '')}
        data-testid="filter-state"
      />
      <Select clearable clearButtonProps={{ 'aria-label': t('finance.clear') }} label={t('profile.currency')} value={filters.currency ?? null} data={currencies.map((value) => ({ value, label: value.toUpperCase() }))} onChange={(value) => change('currency', value ?? '')} />
      <TextInput type="date" label={t('finance.from')} value={(filters.from ?? '').slice(0, 10)} onChange={(e) => change('from', e.currentTarget.value && `${e.currentTarget.value}T00:00:00Z`)} />
      <TextInput type="date" label={t('finance.to')} value={(filters.to ?? '').slice(0, 10)} onChange={(e) => change('to', e.currentTarget.value && `${e.currentTarget.value}T23:59:59Z`)} />
      <TextInput
        inputMode="decimal"
        label={t('finance.min')}
        value={minimum}
        onChange={(e) => {
          setMinimum(e.currentTarget.value)
          const minor = parseAmount(e.currentTarget.value, 'EUR')
          if (minor !== null || !e.currentTarget.value) change('min_minor', minor === null ? '' : String(minor))
        }}
      />
      <Button variant={filters.free === 'true' ? 'filled' : 'default'} aria-pressed={filters.free === 'true'} onClick={() => change('free', filters.free === 'true' ? '' : 'true')}>
        {t('finance.free')}
      </Button>
    </form>
  )
}

export function Finance() {
  const { t, money, clock, date, coded } = useWords()
  const navigate = useNavigate()
  const [address, setAddress] = useSearchParams()
  const filters = Object.fromEntries(filterNames.map((name) => [name, address.get(name) ?? '']).filter(([, value]) => value)) as Record<string, string>
  function change(name: string, value: string) {
    setAddress(
      (old) => {
        const next = new URLSearchParams(old)
        if (value) next.set(name, value)
        else next.delete(name)
        return next
      },
      { replace: true },
    )
  }
  const charges = useInfiniteQuery({
    queryKey: ['charges', filters],
    queryFn: ({ pageParam }) => get<ChargePage>(`/api/finance/charges${query({ ...filters, cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })
  const csv = useMutation({ mutationFn: () => download(`/api/finance/charges.csv${query(filters)}`, 'charges.csv') })
  const items = charges.data?.pages.flatMap((page) => page.items) ?? []
  const totals = charges.data?.pages[0]?.totals ?? []
  function keys(event: KeyboardEvent<HTMLTableSectionElement>) {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (!step) return
    const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a')]
    const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step]
    if (next) {
      event.preventDefault()
      next.focus()
    }
  }
  return (
    <Page title={t('finance.title')}>
      <div className="stack">
        <Overview />
        <Filters filters={filters} change={change} />
        <Problem error={charges.error ?? csv.error} retry={() => void charges.refetch()} />
        {charges.isPending && <Loading />}
        {charges.data && (
          <>
            <div className="row spread">
              <p role="status" style={{ margin: 0 }} data-testid="finance-totals">
                {totals.length
                  ? totals.map((each) => t('finance.totals', { count: each.count ?? items.length, gross: money(each.gross_minor, each.currency), commission: money(each.commission_minor, each.currency), net: money(each.net_minor, each.currency) })).join(' · ')
                  : t('finance.none')}
              </p>
              <Button variant="default" loading={csv.isPending} onClick={() => csv.mutate()} data-testid="csv">
                {t('finance.csv')}
              </Button>
            </div>
            {items.length > 0 && (
              <div className="panel scroller" tabIndex={0} role="region" aria-label={t('finance.title')}>
                <table className="plain">
                  <caption className="hidden">{t('finance.keys')}</caption>
                  <thead>
                    <tr>
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
                        <td>{coded('charge', each.state) ?? each.state}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            {charges.hasNextPage && (
              <Button variant="default" loading={charges.isFetchingNextPage} onClick={() => void charges.fetchNextPage()}>
                {t('common.more')}
              </Button>
            )}
          </>
        )}
      </div>
    </Page>
  )
}
