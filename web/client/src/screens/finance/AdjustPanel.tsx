// Owns what finance may do beside a refund: waive a bill nobody could take, and correct the books with a further entry.
import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get, post, query } from '../../api/client'
import type { Adjustable, Adjustment, AdjustmentIn, AdjustmentPlan, ChargeDetail, Facts } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { parseAmount } from '../../rules/money'
import { Table } from './parts'
import { useAct } from './queries'
import { useAccountName } from './wording'

const SHORTEST_NOTE = 3

type Wanted = Pick<AdjustmentIn, 'kind'> & Partial<Pick<AdjustmentIn, 'source' | 'destination' | 'amount_minor'>>

/** What it would book, why it is wanted, and the button; the same click again, after a lost answer, is the same. */
function Decide({ chargeId, wanted, testId }: { chargeId: string; wanted: Wanted; testId: string }) {
  const { t, money } = useWords()
  const account = useAccountName()
  const [note, setNote] = useState('')
  const [key, setKey] = useState(() => crypto.randomUUID())
  const path = `/api/finance/charges/${chargeId}`
  const plan = useQuery({
    queryKey: ['finance', 'adjustment', chargeId, wanted],
    queryFn: () => get<AdjustmentPlan>(`${path}/adjustment${query(Object.fromEntries(Object.entries(wanted).map(([name, given]) => [name, String(given)])))}`),
  })
  const act = useAct(
    (body: AdjustmentIn) => post<Adjustment>(`${path}/adjustments`, body),
    ({ state }) => {
      setNote('')
      setKey(crypto.randomUUID())
      say(t(state === 'awaiting' ? 'finance.adjust.asked' : 'finance.adjust.booked'))
    },
  )
  const columns = [{ name: t('finance.source') }, { name: t('finance.destination') }, { name: t('receipt.amount'), figure: true }]
  const shown = plan.data
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate({ ...wanted, note: note.trim(), idempotency_key: key } as AdjustmentIn)
      }}
    >
      <Problem error={plan.error} />
      {shown && (
        <>
          <Table label={t('finance.adjust.postings')} columns={columns}>
            {shown.postings.map((each) => (
              <tr key={`${each.source}${each.destination}`} data-testid="planned-posting">
                <td>{account(each.source)}</td>
                <td>{account(each.destination)}</td>
                <td className="right">{money(each.amount_minor, shown.currency)}</td>
              </tr>
            ))}
          </Table>
          <p className={shown.four_eyes ? 'note warn' : 'note'}>{t(shown.four_eyes ? 'finance.refund.four_eyes' : 'finance.refund.alone')}</p>
        </>
      )}
      <Textarea label={t('finance.adjust.note')} description={t('finance.adjust.note_hint')} autosize minRows={2} maxLength={1_000} value={note} onChange={(event) => setNote(event.currentTarget.value)} data-testid={`${testId}-note`} />
      <Problem error={act.error} />
      <div>
        <Button type="submit" loading={act.isPending} disabled={!shown || note.trim().length < SHORTEST_NOTE} data-testid={testId}>
          {shown ? t(`finance.adjust.${wanted.kind}`, { amount: money(shown.amount_minor, shown.currency) }) : t('finance.adjust.title')}
        </Button>
      </div>
    </form>
  )
}

function Correction({ chargeId, currency }: { chargeId: string; currency: string }) {
  const { t } = useWords()
  const account = useAccountName()
  const [source, setSource] = useState<string | null>(null)
  const [destination, setDestination] = useState<string | null>(null)
  const [amount, setAmount] = useState('')
  const known = useQuery({ queryKey: ['finance', 'accounts', chargeId], queryFn: () => get<Adjustable>(`/api/finance/charges/${chargeId}/accounts`) })
  const minor = amount.trim() ? parseAmount(amount, currency) : null
  const choices = (known.data?.accounts ?? []).map((value) => ({ value, label: account(value) }))
  return (
    <details data-testid="correct">
      <summary>{t('finance.adjust.correct')}</summary>
      <div className="stack tight">
        <p className="soft">{t('finance.adjust.correct_lead')}</p>
        <Problem error={known.error} />
        <Select label={t('finance.source')} data={choices} value={source} onChange={setSource} data-testid="correction-source" />
        <Select label={t('finance.destination')} data={choices} value={destination} onChange={setDestination} data-testid="correction-destination" />
        <TextInput
          inputMode="decimal"
          label={t('finance.refund.amount', { currency: currency.toUpperCase() })}
          value={amount}
          error={amount.trim() && minor === null ? t('finance.refund.not_an_amount') : undefined}
          onChange={(event) => setAmount(event.currentTarget.value)}
          data-testid="correction-amount"
        />
        {source && destination && minor ? <Decide chargeId={chargeId} wanted={{ kind: 'correction', source, destination, amount_minor: minor }} testId="correction-confirm" /> : null}
      </div>
    </details>
  )
}

function Done({ adjustments, currency }: { adjustments: Facts[]; currency: string }) {
  const { t, money, date, coded } = useWords()
  const columns = [{ name: t('finance.refund.requested') }, { name: t('finance.kind') }, { name: t('receipt.amount'), figure: true }, { name: t('finance.state') }, { name: t('finance.note') }]
  return (
    <Table label={t('finance.adjust.title')} columns={columns}>
      {adjustments.map((each) => (
        <tr key={String(each.requested_at)} data-testid="adjustment-row">
          <td>{date(String(each.requested_at))}</td>
          <td>{coded('finance.adjust.kind', String(each.kind))}</td>
          <td className="right">{money(Number(each.amount_minor), currency)}</td>
          <td>{coded('finance.adjust.state', String(each.state))}</td>
          <td>{String(each.note)}</td>
        </tr>
      ))}
    </Table>
  )
}

export function AdjustPanel({ detail, mayAct }: { detail: ChargeDetail; mayAct: boolean }) {
  const { t } = useWords()
  const { row, adjustments, collection } = detail
  return (
    <section className="panel" aria-label={t('finance.adjust.title')}>
      <h2>{t('finance.adjust.title')}</h2>
      {adjustments.length ? <Done adjustments={adjustments} currency={row.currency} /> : <p className="soft">{t('finance.adjust.none')}</p>}
      {mayAct && collection?.state === 'trying' && (
        <details data-testid="waive">
          <summary>{t('finance.adjust.waive_bill')}</summary>
          <Decide chargeId={row.charge_id} wanted={{ kind: 'waive' }} testId="waive-confirm" />
        </details>
      )}
      {mayAct && <Correction chargeId={row.charge_id} currency={row.currency} />}
    </section>
  )
}
