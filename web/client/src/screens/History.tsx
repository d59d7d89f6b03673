// Owns the list of past calls.
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { get, query } from '../api/client'
import type { Past } from '../api/types'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'

// Nothing more to say: what is billed is paid, or was nothing.
const PAID = new Set(['captured', 'released'])

export function History() {
  const { t, date, coded, money, clock } = useWords()
  const { account } = useSession()
  const calls = useInfiniteQuery({
    queryKey: ['calls'],
    queryFn: ({ pageParam }) => get<Past>(`/api/calls${query({ cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
  })
  const items = calls.data?.pages.flatMap((page) => page.items) ?? []
  const bills = new Map(calls.data?.pages.flatMap((page) => page.bills).map((bill) => [bill.call_id, bill]))
  return (
    <Page title={t('nav.calls')}>
      {account?.roles.includes('customer') && (
        <Link className="row-link" to="/spending" data-testid="to-spending">
          {t('spending.link')}
        </Link>
      )}
      {calls.isPending && <Loading />}
      <Problem error={calls.error} retry={() => void calls.refetch()} />
      {calls.data && !items.length && <p className="panel">{t('history.empty')}</p>}
      <div className="stack">
        {items.map((each) => {
          const { id } = each
          const running = each.state !== 'ended'
          const bill = bills.get(id)
          return (
            <article key={id} className="panel">
              <div className="row spread">
                <div>
                  <h2 style={{ margin: 0 }}>{each.question_title}</h2>
                  <p className="soft" style={{ margin: 0 }}>
                    {each.other.display_name} · {date(each.created_at)}
                    {running && ` · ${coded('call_state', each.state) ?? each.state}`}
                  </p>
                  <p className="soft small" style={{ margin: 0 }}>
                    {each.reference}
                    {each.continues_call_id && ` · ${t('history.continued')}`}
                  </p>
                </div>
                {bill && (
                  <p style={{ margin: '0 0 0 auto', textAlign: 'right' }} data-testid="past-bill">
                    <strong>{money(bill.amount_minor, bill.currency)}</strong>
                    <br />
                    <span className="soft small">
                      {clock(bill.connected_ms)}
                      {!!bill.refunded_minor && ` · ${t('history.given_back', { amount: money(bill.refunded_minor, bill.currency) })}`}
                      {!PAID.has(bill.state) && ` · ${coded('charge', bill.state) ?? bill.state}`}
                    </span>
                  </p>
                )}
                <Link className="row-link" to={running ? `/call/${id}` : `/call/${id}/done`} aria-label={`${running ? t('back.go') : t('history.receipt')}: ${each.question_title}`}>
                  {running ? t('back.go') : t('history.receipt')}
                </Link>
              </div>
            </article>
          )
        })}
        {calls.hasNextPage && (
          <Button variant="default" loading={calls.isFetchingNextPage} onClick={() => void calls.fetchNextPage()}>
            {t('common.more')}
          </Button>
        )}
      </div>
    </Page>
  )
}
