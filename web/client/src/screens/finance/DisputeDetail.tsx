// Owns one dispute: what the bank says, the evidence as it will be handed in, once and for good.
import { Textarea } from '@mantine/core'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { post } from '../../api/client'
import type { Dispute, Evidence } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Confirm, FactPairs, Found } from './parts'
import { useAct, useDispute, useEvidence, useMayAct } from './queries'
import { plainCode } from '../../rules/codes'
import { useTimeLeft } from './wording'

/** As a person reads it; what is not named here comes last. */
const order = ['customer_name', 'customer_email_address', 'service_date', 'product_description', 'refund_policy_disclosure', 'access_activity_log', 'uncategorized_text']
const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)

function Package({ evidence }: { evidence: Evidence }) {
  const { coded } = useWords()
  return (
    <dl className="evidence">
      {Object.entries(evidence.fields).toSorted(([a], [b]) => place(a) - place(b)).map(([name, words]) => (
        <div key={name}>
          <dt>
            {coded('finance.evidence', name) ?? plainCode(name)}
          </dt>
          {/* A long log scrolls by itself, so it must be reachable by keyboard. */}
          <dd tabIndex={0}>{words}</dd>
        </div>
      ))}
    </dl>
  )
}

function HandIn({ dispute }: { dispute: Dispute }) {
  const { t } = useWords()
  const [remark, setRemark] = useState('')
  const handIn = useAct(() => post<Evidence>(`/api/finance/disputes/${dispute.id}/evidence`, { remark: remark.trim() }))
  return (
    <div className="stack tight">
      <Textarea label={t('finance.dispute.remark')} description={t('finance.dispute.remark_hint')} autosize minRows={2} maxLength={5_000} value={remark} onChange={(event) => setRemark(event.currentTarget.value)} data-testid="remark" />
      <Problem error={handIn.error} />
      <div>
        <Confirm label={t('finance.dispute.hand_in')} question={t('finance.dispute.sure')} confirm={t('finance.dispute.confirm')} act={() => handIn.mutate(undefined)} pending={handIn.isPending} testId="hand-in" />
      </div>
    </div>
  )
}

function Detail({ dispute }: { dispute: Dispute }) {
  const { t, money, date, coded } = useWords()
  const left = useTimeLeft()
  const mayAct = useMayAct()
  const evidence = useEvidence(dispute.id)
  const waits = !dispute.handed_in && !dispute.closed_at
  return (
    <>
      {waits && dispute.due_at && <p className="note warn">{t('finance.dispute.waits', { left: left(dispute.due_at), at: date(dispute.due_at) })}</p>}
      <section className="panel">
        <FactPairs
          pairs={[
            [t('finance.charge'), <Link key="charge" to={`/finance/charges/${dispute.charge_id}`}>{dispute.reference}</Link>],
            [t('finance.state'), coded('finance.dispute_status', dispute.status) ?? plainCode(dispute.status)],
            [t('finance.dispute.reason'), coded('finance.dispute_reason', dispute.reason) ?? plainCode(dispute.reason)],
            [t('receipt.amount'), money(dispute.amount_minor, dispute.currency)],
            [t('finance.dispute.share'), money(dispute.share_minor, dispute.currency)],
            [t('finance.dispute.fee'), money(dispute.fee_minor, dispute.currency)],
            [t('finance.customer'), dispute.customer_name],
            [t('finance.consultant'), dispute.consultant_name],
            [t('finance.dispute.opened'), date(dispute.opened_at)],
            [t('finance.dispute.closed'), dispute.closed_at ? date(dispute.closed_at) : t('finance.dispute.still_open')],
            [t('finance.dispute.number'), dispute.provider_id],
          ]}
        />
      </section>
      <section className="panel">
        <h2>{t('finance.dispute.evidence')}</h2>
        <p className="soft">{t(dispute.handed_in ? 'finance.dispute.evidence_was' : 'finance.dispute.evidence_will')}</p>
        {dispute.handed_in && (
          <p className="note" role="status" data-testid="handed-in">
            {dispute.submitted_at ? t('finance.dispute.arrived', { at: date(dispute.submitted_at) }) : t('finance.dispute.on_its_way')}
          </p>
        )}
        <Found query={evidence}>{(data) => <Package evidence={data} />}</Found>
        {waits && mayAct && <HandIn dispute={dispute} />}
      </section>
    </>
  )
}

export function DisputeDetail() {
  const { disputeId = '' } = useParams()
  const { t } = useWords()
  const found = useDispute(disputeId)
  return (
    <ConsolePage title={found.data ? t('finance.dispute.title', { reference: found.data.reference }) : t('finance.tab.disputes')}>
      <p>
        <Link className="row-link" to="/finance/disputes">
          {t('finance.dispute.back')}
        </Link>
      </p>
      <Found query={found}>{(dispute) => <Detail dispute={dispute} />}</Found>
    </ConsolePage>
  )
}
