// Owns what a customer still owes: the banner over every screen, and paying it in the settings.
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { Link, useLocation } from 'react-router'
import { get, post } from '../api/client'
import type { OwedListOut, OwedOut } from '../api/schema'
import { useLive, useSession } from '../socket/live'
import { Bank } from './Bank'
import { Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

/** Nothing says when the next attempt comes while one is being made. */
const underWay = (item: OwedOut) => item.next_at === null

export function useOwed() {
  const { account } = useSession()
  const { snapshot } = useLive()
  const queries = useQueryClient()
  const calm = snapshot && (!snapshot.call || snapshot.call.state === 'ended') ? snapshot.version : null
  useEffect(() => {
    if (calm) void queries.invalidateQueries({ queryKey: ['owed'] }) // the server touches who owes
  }, [queries, calm])
  return useQuery({
    queryKey: ['owed'],
    queryFn: () => get<OwedListOut>('/api/me/owed'),
    enabled: account?.roles.includes('customer') ?? false,
    refetchInterval: ({ state }) => (state.data?.items.some(underWay) ? 2_000 : false),
  })
}

export function OwedBanner() {
  const { t, money } = useWords()
  const { pathname } = useLocation()
  const owed = useOwed()
  const [first, ...more] = owed.data?.items ?? []
  if (pathname === '/settings' || (!first && !owed.data?.limited)) return null
  const text = first ? t(more.length ? 'owed.banner_more' : 'owed.banner', { amount: money(first.amount_minor, first.currency), count: more.length }) : t('owed.with_finance')
  return (
    <div className="banner" role="status" data-testid="owed-banner">
      <div className="top-inner">
        <span>{text}</span>
        {first && (
          <Link className="row-link" to="/settings#payment">
            {t('owed.go')}
          </Link>
        )}
      </div>
    </div>
  )
}

function OwedRow({ item, onAsked }: { item: OwedOut; onAsked: () => void }) {
  const { t, money, date } = useWords()
  const amount = money(item.amount_minor, item.currency)
  const pay = useMutation({
    mutationFn: (key: string) => post(`/api/me/owed/${item.charge_id}/pay`, { idempotency_key: key }),
    onSettled: onAsked,
  })
  const busy = pay.isPending || (underWay(item) && !item.authenticate_url)
  return (
    <li className="stack tight" data-testid="owed">
      <p style={{ margin: 0 }}>
        <strong>{amount}</strong> · {t('owed.for')}{' '}
        <Link className="row-link" to={`/call/${item.call_id}/done`}>
          {item.reference}
        </Link>
      </p>
      {item.last_message && (
        <p style={{ margin: 0 }} data-testid="owed-message">
          {t('owed.message', { message: item.last_message })}
        </p>
      )}
      <p className="soft" style={{ margin: 0 }} role="status">
        {item.authenticate_url ? t('owed.bank_waits') : item.next_at ? t('owed.next', { at: date(item.next_at) }) : t('owed.trying')}
      </p>
      {item.authenticate_url ? (
        <Bank url={item.authenticate_url} callId={item.call_id} text={t('owed.bank', { amount })} onSettled={onAsked} />
      ) : (
        <div>
          <Button loading={busy} onClick={() => pay.mutate(crypto.randomUUID())} data-testid="pay-owed">
            {t('owed.pay', { amount })}
          </Button>
        </div>
      )}
      <Problem error={pay.error} />
    </li>
  )
}

export function OwedPart() {
  const { t } = useWords()
  const owed = useOwed()
  const items = owed.data?.items ?? []
  const before = useRef(0)
  useEffect(() => {
    if (items.length < before.current && !owed.data?.limited) say(t('owed.paid'))
    before.current = items.length
  }, [items.length, owed.data?.limited, t])
  if (!items.length && !owed.data?.limited) return null
  return (
    <section className="panel stack" aria-labelledby="owed-title" data-testid="owed-part">
      <h2 id="owed-title" style={{ margin: 0 }}>
        {t('owed.title')}
      </h2>
      <p style={{ margin: 0 }}>{t(items.length ? 'owed.text' : 'owed.with_finance')}</p>
      <ul className="plain stack">
        {items.map((item) => (
          <OwedRow key={item.charge_id} item={item} onAsked={() => void owed.refetch()} />
        ))}
      </ul>
    </section>
  )
}
