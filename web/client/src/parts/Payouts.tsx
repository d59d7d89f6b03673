// Owns how a consultant is paid: what lies at Stripe, when it comes, what stands in its way, and every payout by line.
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { download, get, query } from '../api/client'
import type { OwnPayoutsOut, PayoutDetailOut, PayoutOut } from '../api/schema'
import { comparisonOf } from '../rules/hold'
import { nextPayday } from '../rules/payday'
import { topicsOf } from '../rules/requirements'
import { useCountryName } from './countries'
import { isAsked, PayOutNow } from './PayOutNow'
import { OpenAccount } from './OpenAccount'
import { Loading, Problem } from './Problem'
import { ScheduleForm } from './ScheduleForm'
import { useWords } from './words'

const statuses = ['pending', 'in_transit', 'paid', 'canceled', 'failed'] as const
const kinds = ['payment', 'payment_refund', 'transfer', 'refund'] as const

function Balances({ payouts }: { payouts: OwnPayoutsOut }) {
  const { t, money } = useWords()
  if (!payouts.balances.length) return <p style={{ margin: 0 }}>{t('payouts.nothing')}</p>
  return (
    <ul className="plain row" style={{ gap: '1.5rem' }}>
      {payouts.balances.map((each) => (
        <li key={each.currency}>
          <div className="count" data-testid={`balance-${each.currency}`}>
            {money(each.amount_minor, each.currency)}
          </div>
          <span className="soft small">{t(each.amount_minor < 0 ? 'payouts.carried' : 'payouts.lies')}</span>
        </li>
      ))}
    </ul>
  )
}

function Next({ payouts }: { payouts: OwnPayoutsOut }) {
  const { t, locale } = useWords()
  const { schedule } = payouts
  const at = nextPayday(schedule, Date.now())
  const days = schedule.delay_days ?? 14
  if (payouts.held_reason) {
    return (
      <p className="note warn" style={{ margin: 0 }} data-testid="payouts-held">
        {comparisonOf(payouts.held_reason) ? t('payouts.held_by_comparison') : t('payouts.held', { reason: payouts.held_reason })}
      </p>
    )
  }
  if (!payouts.payouts_enabled) return null
  const day = at === null ? '' : new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' }).format(at)
  return (
    <p style={{ margin: 0 }} data-testid="payouts-next">
      {at === null ? t('payouts.next_none') : t('payouts.next', { day, days })}
    </p>
  )
}

/** What Stripe still wants to know, or what is missing altogether. */
function Missing({ payouts }: { payouts: OwnPayoutsOut }) {
  const { t } = useWords()
  const topics = topicsOf(payouts.requirements_due)
  if (payouts.payouts_enabled && !topics.length) return null
  return (
    <div className="note warn stack tight" data-testid="payouts-missing">
      <p>{t(topics.length ? 'payouts.wants' : 'payouts.not_enabled')}</p>
      {topics.length > 0 && (
        <ul>
          {topics.map((topic) => (
            <li key={topic}>{t(`payouts.topic.${topic}`)}</li>
          ))}
        </ul>
      )}
      <OpenAccount label={t('payouts.onboard')} testId="payouts-onboard" />
    </div>
  )
}

/** Where the account is, which stays so. */
function Country({ code }: { code: string }) {
  const { t } = useWords()
  const name = useCountryName()
  return (
    <p className="soft small" style={{ margin: 0 }} data-testid="payout-country">
      {t('payouts.country_is', { country: name(code) })}
    </p>
  )
}

function PayoutLines({ payout }: { payout: PayoutOut }) {
  const { t, money, date } = useWords()
  const found = useQuery({ queryKey: ['payout', payout.id], queryFn: () => get<PayoutDetailOut>(`/api/consultant/payouts/${payout.id}`) })
  const lines = found.data?.lines ?? []
  const sum = lines.reduce((total, line) => total + line.net_minor, 0)
  const kind = (code: string) => t(`payouts.line.${kinds.find((each) => each === code) ?? 'other'}`)
  return (
    <>
      {found.isPending && <Loading />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data && !lines.length && <p>{t('payouts.no_lines')}</p>}
      {lines.length > 0 && (
        <table className="plain" data-testid="payout-lines">
          <caption className="hidden">{t('payouts.lines')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('payouts.line')}</th>
              <th scope="col">{t('payouts.at')}</th>
              <th scope="col" className="right">
                {t('payouts.amount')}
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.id}>
                <td>
                  {kind(line.kind)}
                  {line.call_id && (
                    <>
                      {' '}
                      <Link className="row-link" to={`/call/${line.call_id}/done`}>
                        {line.reference}
                      </Link>
                    </>
                  )}
                </td>
                <td>{date(line.created_at)}</td>
                <td className="right">{money(line.net_minor, payout.currency)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td colSpan={2}>{t(sum === payout.amount_minor ? 'payouts.sum' : 'payouts.sum_differs')}</td>
              <td className="right" data-testid="payout-sum">
                {money(sum, payout.currency)}
              </td>
            </tr>
          </tfoot>
        </table>
      )}
    </>
  )
}

function PayoutRow({ payout }: { payout: PayoutOut }) {
  const { t, money, date, day } = useWords()
  const [open, setOpen] = useState(false)
  const status = statuses.find((each) => each === payout.status)
  const amount = money(payout.amount_minor, payout.currency)
  const failed = payout.status === 'failed'
  return (
    <li className="payout" data-testid="payout" data-status={payout.status}>
      <div className="row spread">
        <span>
          <strong className="numbers">{amount}</strong> · {status ? t(`payouts.status.${status}`) : payout.status}
          <br />
          <span className="soft small">
            {date(payout.created_at)}
            {payout.arrives_at && (status === 'pending' || status === 'in_transit') && ` · ${t('payouts.arrives', { at: day(payout.arrives_at) })}`}
          </span>
        </span>
        <Button variant="default" aria-expanded={open} onClick={() => setOpen(!open)} aria-label={t(open ? 'payouts.hide_of' : 'payouts.show_of', { amount })} data-testid="payout-open">
          {t(open ? 'payouts.hide' : 'payouts.show')}
        </Button>
      </div>
      {failed && (
        <p className="note bad" style={{ margin: '0.5rem 0' }}>
          {t('payouts.failed', { message: payout.failure_message ?? payout.failure_code ?? '' })}
        </p>
      )}
      {open && <PayoutLines payout={payout} />}
    </li>
  )
}

export function PayoutsPart() {
  const { t } = useWords()
  const found = useInfiniteQuery({
    queryKey: ['payouts'],
    queryFn: ({ pageParam }) => get<OwnPayoutsOut>(`/api/consultant/payouts${query({ cursor: pageParam })}`),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: ({ state }) => (isAsked(state.data?.pages[0]) ? 1_500 : false),
  })
  const file = useMutation({ mutationFn: () => download('/api/consultant/payouts.csv', 'payouts.csv') })
  const payouts = found.data?.pages[0]
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section className="panel stack" aria-labelledby="payouts-title" data-testid="payouts">
      <h2 id="payouts-title" style={{ margin: 0 }}>
        {t('payouts.title')}
      </h2>
      {found.isPending && <Loading />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {payouts && (
        <>
          <Balances payouts={payouts} />
          <Next payouts={payouts} />
          <PayOutNow payouts={payouts} />
          <Missing payouts={payouts} />
          {payouts.country && <Country code={payouts.country} />}
          <ScheduleForm schedule={payouts.schedule} />
          {items.length > 0 && (
            <>
              <h3 style={{ margin: 0 }}>{t('payouts.list')}</h3>
              <ul className="plain stack">
                {items.map((payout) => (
                  <PayoutRow key={payout.id} payout={payout} />
                ))}
              </ul>
              <Problem error={file.error} />
              <div className="row">
                {found.hasNextPage && (
                  <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()} data-testid="payouts-more">
                    {t('common.more')}
                  </Button>
                )}
                <Button variant="default" loading={file.isPending} onClick={() => file.mutate()} data-testid="payouts-csv">
                  {t('payouts.csv')}
                </Button>
              </div>
            </>
          )}
        </>
      )}
    </section>
  )
}
