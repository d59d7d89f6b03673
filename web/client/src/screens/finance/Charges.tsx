// Owns the charges by filters that live in the address: totals of the filter and of what is ticked, CSV and PDF, saved views.
import { Button } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { useCallback, useState } from 'react'
import { useSearchParams } from 'react-router'
import { download, get, query } from '../../api/client'
import type { ChargePage, Totals } from '../../api/types'
import { Loading, Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { totalsOf } from '../../rules/selection'
import { ChargeFilters, filterNames } from './ChargeFilters'
import { ChargeTable } from './ChargeTable'
import { ConsolePage } from './Console'
import { SavedViews } from './SavedViews'

export function ChargesPart() {
  const { t, money } = useWords()
  const [address, setAddress] = useSearchParams()
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set())
  const filters = Object.fromEntries(filterNames.map((name) => [name, address.get(name) ?? '']).filter(([, value]) => value)) as Record<string, string>
  const change = useCallback(
    (part: Record<string, string>) =>
      setAddress(
        (old) => {
          const next = new URLSearchParams(old)
          for (const [name, value] of Object.entries(part)) {
            if (value) next.set(name, value)
            else next.delete(name)
          }
          return next
        },
        { replace: true },
      ),
    [setAddress],
  )
  function tick(ids: string[], on: boolean) {
    const next = new Set(ticked)
    for (const id of ids) {
      if (on) next.add(id)
      else next.delete(id)
    }
    setTicked(next)
  }
  const charges = useInfiniteQuery({
    queryKey: ['finance', 'charges', filters],
    queryFn: ({ pageParam }) => get<ChargePage>(`/api/finance/charges${query({ ...filters, cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  })
  const file = useMutation({ mutationFn: (kind: 'csv' | 'pdf') => download(`/api/finance/charges.${kind}${query(filters)}`, `charges.${kind}`) })
  const items = charges.data?.pages.flatMap((page) => page.items) ?? []
  const totals = charges.data?.pages[0]?.totals ?? []
  const chosen = totalsOf(items, ticked)
  const sentence = (sums: Totals[]) =>
    sums
      .map((each) =>
        t('finance.totals', {
          count: each.count ?? items.length,
          gross: money(each.gross_minor, each.currency),
          commission: money(each.commission_minor, each.currency),
          net: money(each.net_minor, each.currency),
        }),
      )
      .join(' · ')
  const search = new URLSearchParams(filters).toString()
  return (
    <>
      <ChargeFilters key={address.get('view') ?? ''} filters={filters} change={change} />
      <SavedViews search={search} />
      <Problem error={charges.error ?? file.error} retry={() => void charges.refetch()} />
      {charges.isPending && <Loading />}
      {charges.data && (
        <>
          <div className="row spread">
            <p role="status" style={{ margin: 0 }} data-testid="finance-totals">
              {totals.length ? sentence(totals) : t('finance.none')}
            </p>
            <div className="row">
              {(['csv', 'pdf'] as const).map((kind) => (
                <Button key={kind} variant="default" loading={file.isPending && file.variables === kind} onClick={() => file.mutate(kind)} data-testid={kind}>
                  {t(`finance.${kind}`)}
                </Button>
              ))}
            </div>
          </div>
          {items.length > 0 && <ChargeTable items={items} ticked={ticked} tick={tick} />}
          <div role="status">
            {chosen.length > 0 && (
              <div className="note row spread">
                <span data-testid="ticked-totals">{t('finance.ticked', { totals: sentence(chosen) })}</span>
                <Button variant="default" onClick={() => setTicked(new Set())}>
                  {t('finance.untick')}
                </Button>
              </div>
            )}
          </div>
          {charges.hasNextPage && (
            <Button variant="default" loading={charges.isFetchingNextPage} onClick={() => void charges.fetchNextPage()}>
              {t('common.more')}
            </Button>
          )}
        </>
      )}
    </>
  )
}

export function Charges() {
  const { t } = useWords()
  return (
    <ConsolePage title={t('finance.title')}>
      <ChargesPart />
    </ConsolePage>
  )
}
