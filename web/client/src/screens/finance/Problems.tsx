// Owns problems that wait for a decision: what each side said, what the evidence says, and the words both will read.
import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { post } from '../../api/client'
import type { CallProblem, RefundIn } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { parseAmount } from '../../rules/money'
import { ConsolePage } from './Console'
import { FactPairs, Found } from './parts'
import { useAct, useCharge, useMayAct, useProblems } from './queries'
import { reasons } from './RefundPanel'

function Decision({ problem, currency }: { problem: CallProblem; currency: string }) {
  const { t, money } = useWords()
  const [words, setWords] = useState('')
  const [amount, setAmount] = useState('')
  const [reason, setReason] = useState<RefundIn['reason'] | null>(null)
  const refund = amount.trim() ? parseAmount(amount, currency) : 0
  const decide = useAct(
    () => post<CallProblem>(`/api/finance/problems/${problem.id}`, { decision: words.trim(), refund_minor: refund ?? 0, ...(refund && { reason }) }),
    (answer) => say(t(answer.state === 'awaiting' ? 'finance.problem.asked' : 'finance.problem.done')),
  )
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault()
        decide.mutate(undefined)
      }}
    >
      <Textarea label={t('finance.problem.decision')} description={t('finance.problem.decision_hint')} autosize minRows={2} maxLength={2_000} value={words} onChange={(event) => setWords(event.currentTarget.value)} data-testid="decision" />
      <TextInput
        inputMode="decimal"
        label={t('finance.problem.refund', { currency: currency.toUpperCase() })}
        description={t('finance.problem.refund_hint')}
        value={amount}
        error={refund === null ? t('finance.refund.not_an_amount') : undefined}
        onChange={(event) => setAmount(event.currentTarget.value)}
        data-testid="decision-refund"
      />
      {Boolean(refund) && (
        <Select
          label={t('finance.refund.reason')}
          placeholder={t('finance.refund.choose')}
          value={reason}
          data={reasons.map((value) => ({ value, label: t(`finance.reason.${value}`) }))}
          onChange={setReason}
          data-testid="decision-reason"
        />
      )}
      <Problem error={decide.error} />
      <div>
        <Button type="submit" loading={decide.isPending} disabled={refund === null || (refund > 0 && !reason) || words.trim().length < 3} data-testid="decide">
          {refund ? t('finance.problem.decide_refund', { amount: money(refund, currency) }) : t('finance.problem.decide')}
        </Button>
      </div>
    </form>
  )
}

function One({ problem }: { problem: CallProblem }) {
  const { t, money, clock, date, coded } = useWords()
  const mayAct = useMayAct()
  const charge = useCharge(problem.charge_id)
  const fact = (name: string) => Number(problem.facts[name] ?? 0)
  return (
    <li className="panel stack tight" data-testid="problem-card">
      <h2>{coded('finance.category', problem.category) ?? problem.category}</h2>
      <p className="soft small">{t('finance.problem.reported', { at: date(problem.opened_at) })}</p>
      <div className="side-by-side">
        <section>
          <h3>{t('finance.problem.said')}</h3>
          <blockquote>{problem.words}</blockquote>
        </section>
        <section>
          <h3>{t('finance.problem.other')}</h3>
          {problem.reply ? <blockquote>{problem.reply}</blockquote> : <p className="soft">{t('finance.problem.silent')}</p>}
        </section>
      </div>
      <section>
        <h3>{t('finance.problem.evidence')}</h3>
        <p>{coded('finance.finding', problem.finding) ?? problem.finding}</p>
        <Found query={charge}>
          {({ row }) => (
            <>
              <FactPairs
                pairs={[
                  [t('finance.connected'), clock(fact('connected_ms'))],
                  [t('finance.gross'), money(fact('gross_minor'), row.currency)],
                  [t('finance.detail.captured_minor'), money(fact('captured_minor'), row.currency)],
                  [t('finance.refunded'), money(fact('refunded_minor'), row.currency)],
                ]}
              />
              <Link className="row-link" to={`/finance/charges/${row.charge_id}`}>
                {t('finance.problem.open_charge', { reference: row.reference, customer: row.customer_name, consultant: row.consultant_name })}
              </Link>
              {problem.state === 'awaiting' && (
                <div className="note" role="status" data-testid="problem-awaiting">
                  <p>{t('finance.problem.awaiting')}</p>
                  <blockquote>{problem.decision}</blockquote>
                  <Link className="row-link" to="/finance/approvals">
                    {t('finance.tab.approvals')}
                  </Link>
                </div>
              )}
              {mayAct && problem.state === 'open' && <Decision problem={problem} currency={row.currency} />}
            </>
          )}
        </Found>
      </section>
    </li>
  )
}

export function Problems() {
  const { t } = useWords()
  const found = useProblems()
  return (
    <ConsolePage title={t('finance.tab.problems')} lead={t('finance.problem.lead')}>
      <Found query={found}>
        {({ items }) =>
          items.length ? (
            <ul className="plain stack">
              {items.map((each) => (
                <One key={each.id} problem={each} />
              ))}
            </ul>
          ) : (
            <p className="panel">{t('finance.problem.none')}</p>
          )
        }
      </Found>
    </ConsolePage>
  )
}
