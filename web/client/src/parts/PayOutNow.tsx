// Owns the asking for a payout by a consultant whose account nothing leaves by itself, and what became of the asking.
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { post } from '../api/client'
import type { OwnPayoutsOut } from '../api/schema'
import { Problem } from './Problem'
import { useWords } from './words'

/** Whether something asked for has not reached Stripe yet, so that it is worth asking again soon. */
export const isAsked = (payouts: OwnPayoutsOut | undefined) => payouts?.asked.some((each) => !each.refused) ?? false

export function PayOutNow({ payouts }: { payouts: OwnPayoutsOut }) {
  const { t, money, coded } = useWords()
  const queries = useQueryClient()
  const ask = useMutation({
    mutationFn: () => post('/api/consultant/payouts'),
    onSettled: () => queries.invalidateQueries({ queryKey: ['payouts'] }),
  })
  if (payouts.schedule.interval !== 'manual' || payouts.held_reason || !payouts.payouts_enabled) return null
  const under = isAsked(payouts)
  const there = payouts.balances.some((each) => each.amount_minor > 0)
  return (
    <div className="stack tight" data-testid="payout-now">
      <div role="status" className="stack tight">
        {payouts.asked.map((each) => (
          <p key={each.currency} className={each.refused ? 'note warn' : 'note'}>
            {each.refused
              ? `${t('payouts.asked_refused', { amount: money(each.amount_minor, each.currency) })} ${coded('payouts.refusal', each.code ?? '') ?? t('payouts.refusal.other')}`
              : t('payouts.asked', { amount: money(each.amount_minor, each.currency) })}
          </p>
        ))}
      </div>
      <Problem error={ask.error} />
      {there && !under && (
        <div>
          <Button loading={ask.isPending} onClick={() => ask.mutate()} data-testid="payout-now-ask">
            {t('payouts.now')}
          </Button>
          <p className="soft small">{t('payouts.now_hint')}</p>
        </div>
      )}
    </div>
  )
}
