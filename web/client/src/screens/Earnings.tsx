// Owns what a consultant earned, call by call: gross, commission, net.
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { get, query } from '../api/client'
import type { Earnings } from '../api/types'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { useWords } from '../parts/words'

export function EarningsScreen() {
  const { t, money, clock, date, coded } = useWords()
  const earnings = useInfiniteQuery({
    queryKey: ['earnings'],
    queryFn: ({ pageParam }) => get<Earnings>(`/api/consultant/earnings${query({ cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
  })
  const items = earnings.data?.pages.flatMap((page) => page.items) ?? []
  const totals = earnings.data?.pages[0]?.totals ?? []
  return (
    <Page title={t('nav.earnings')}>
      {earnings.isPending && <Loading />}
      <Problem error={earnings.error} retry={() => void earnings.refetch()} />
      {earnings.data && (
        <div className="stack">
          {totals.map((each) => (
            <div className="panel" key={each.currency}>
              <div className="amount" data-testid={`earned-${each.currency}`}>
                {money(each.net_minor, each.currency)}
              </div>
              <p className="soft" style={{ margin: 0 }}>
                {t('earnings.total', { gross: money(each.gross_minor, each.currency), commission: money(each.commission_minor, each.currency) })}
              </p>
            </div>
          ))}
          {!items.length && <p className="panel">{t('earnings.empty')}</p>}
          {items.length > 0 && (
            <div className="panel scroller" tabIndex={0} role="region" aria-label={t('nav.earnings')}>
              <table className="plain">
                <thead>
                  <tr>
                    <th scope="col">{t('receipt.reference')}</th>
                    <th scope="col">{t('finance.at')}</th>
                    <th scope="col" className="right">{t('finance.connected')}</th>
                    <th scope="col" className="right">{t('finance.gross')}</th>
                    <th scope="col" className="right">{t('finance.commission')}</th>
                    <th scope="col" className="right">{t('finance.net')}</th>
                    <th scope="col">{t('finance.state')}</th>
                  </tr>
                </thead>
                <tbody>
                  {items.map((each) => (
                    <tr key={each.call_id}>
                      <td>
                        <Link className="row-link" to={`/call/${each.call_id}/done`}>
                          {each.reference}
                        </Link>
                      </td>
                      <td>{each.ended_at && date(each.ended_at)}</td>
                      <td className="right">{clock(each.connected_ms)}</td>
                      <td className="right">{money(each.gross_minor, each.currency)}</td>
                      <td className="right">{money(each.commission_minor, each.currency)}</td>
                      <td className="right">{money(each.net_minor, each.currency)}</td>
                      <td>{coded('charge', each.state) ?? each.state}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
          {earnings.hasNextPage && (
            <Button variant="default" loading={earnings.isFetchingNextPage} onClick={() => void earnings.fetchNextPage()}>
              {t('common.more')}
            </Button>
          )}
        </div>
      )}
    </Page>
  )
}
