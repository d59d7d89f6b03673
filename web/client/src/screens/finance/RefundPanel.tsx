// Owns giving money back: amount, reason and note, the preview, and a button that names the amount.
import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get, post } from '../../api/client'
import { ApiError } from '../../api/session'
import type { ChargeRow, Refund, RefundIn, RefundPreview as Preview } from '../../api/types'
import { Loading, Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { parseAmount, typedAmount } from '../../rules/money'
import { useAct } from './queries'
import { RefundPreview } from './RefundPreview'

export const reasons: RefundIn['reason'][] = ['customer_request', 'quality', 'technical', 'consultant_absent', 'duplicate', 'goodwill', 'other']
const TYPING_MS = 300
const settled = new Set(['captured', 'released', 'uncollectable'])

function usePreview(chargeId: string, minor: number | null) {
  return useQuery({
    queryKey: ['finance', 'refund-preview', chargeId, minor],
    queryFn: () => get<Preview>(`/api/finance/charges/${chargeId}/refund?amount_minor=${minor}`),
    enabled: minor !== null && minor > 0,
    placeholderData: keepPreviousData,
  })
}

function Form({ row, most }: { row: ChargeRow; most: number }) {
  const { t, locale, money } = useWords()
  const [amount, setAmount] = useState('')
  const [reason, setReason] = useState<RefundIn['reason'] | null>(null)
  const [note, setNote] = useState('')
  const [key, setKey] = useState(() => crypto.randomUUID())
  const minor = amount.trim() ? parseAmount(amount, row.currency) : null
  const [looked] = useDebouncedValue(minor, TYPING_MS)
  const preview = usePreview(row.charge_id, looked)
  const shown = preview.data?.amount_minor === minor ? preview.data : undefined
  const refund = useAct(
    (body: RefundIn) => post<Refund>(`/api/finance/charges/${row.charge_id}/refunds`, body),
    (answer) => {
      change('')
      say(t(answer.state === 'awaiting' ? 'finance.refund.asked' : 'finance.refund.sent', { amount: money(answer.amount_minor, answer.currency) }))
    },
  )
  /** Another amount is another refund; the same one, sent again after a lost answer, is the same. */
  function change(text: string) {
    setAmount(text)
    setKey(crypto.randomUUID())
  }
  const wrong = amount.trim() && minor === null ? t('finance.refund.not_an_amount') : minor === 0 ? t('finance.refund.nothing') : undefined
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault()
        if (minor && reason) refund.mutate({ amount_minor: minor, reason, note: note.trim(), idempotency_key: key })
      }}
    >
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <TextInput inputMode="decimal" label={t('finance.refund.amount', { currency: row.currency.toUpperCase() })} value={amount} error={wrong} onChange={(event) => change(event.currentTarget.value)} data-testid="refund-amount" />
        <Button variant="default" onClick={() => change(typedAmount(most, row.currency, locale))} data-testid="refund-everything">
          {t('finance.refund.everything', { amount: money(most, row.currency) })}
        </Button>
      </div>
      <Select
        label={t('finance.refund.reason')}
        placeholder={t('finance.refund.choose')}
        value={reason}
        data={reasons.map((value) => ({ value, label: t(`finance.reason.${value}`) }))}
        onChange={setReason}
        data-testid="refund-reason"
      />
      <Textarea label={t('finance.refund.note')} description={t('finance.refund.note_hint')} autosize minRows={2} maxLength={1_000} value={note} onChange={(event) => setNote(event.currentTarget.value)} data-testid="refund-note" />
      <Problem error={minor ? preview.error : null} />
      {shown && <RefundPreview preview={shown} />}
      <Problem error={refund.error} />
      <div>
        <Button type="submit" loading={refund.isPending} disabled={!shown || !reason} data-testid="refund-confirm">
          {minor ? t(shown?.four_eyes ? 'finance.refund.ask' : 'finance.refund.confirm', { amount: money(minor, row.currency) }) : t('finance.refund.title')}
        </Button>
        {shown && !reason && <p className="small soft">{t('finance.refund.needs_reason')}</p>}
      </div>
    </form>
  )
}

/** What can be given back is asked with the smallest amount: the answer names the most, or what stands in the way. */
export function RefundPanel({ row }: { row: ChargeRow }) {
  const { t, problem } = useWords()
  const smallest = usePreview(row.charge_id, settled.has(row.state) ? 1 : null)
  const code = smallest.error instanceof ApiError ? smallest.error.code : null
  const refused = code !== null && ['disputed', 'refund_pending', 'not_settled', 'refund_too_large'].includes(code)
  return (
    <section className="panel" aria-label={t('finance.refund.title')}>
      <h2>{t('finance.refund.title')}</h2>
      {!settled.has(row.state) && <p className="soft">{t('error.not_settled')}</p>}
      {settled.has(row.state) && smallest.isPending && <Loading />}
      {refused && <p className="soft">{code === 'refund_too_large' ? t('finance.refund.none_left') : problem(smallest.error)}</p>}
      {smallest.error && !refused && <Problem error={smallest.error} retry={() => void smallest.refetch()} />}
      {smallest.data && !smallest.error && <Form row={row} most={smallest.data.refundable_minor} />}
    </section>
  )
}
