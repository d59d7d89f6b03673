// Owns what became of a charge after its capture: refunds, disputes, a collection that runs, and its cases.
import { Link } from 'react-router'
import type { Case, ChargeDetail, Facts } from '../../api/types'
import { useWords } from '../../parts/words'
import { CaseCard } from './Cases'
import { FactPairs, Table } from './parts'
import { plainCode } from '../../rules/codes'

const text = (facts: Facts, name: string) => (typeof facts[name] === 'string' ? facts[name] : '')
const figure = (facts: Facts, name: string) => Number(facts[name] ?? 0)

function Refunds({ refunds, currency }: { refunds: Facts[]; currency: string }) {
  const { t, money, date, coded } = useWords()
  const columns = [
    { name: t('finance.refund.requested') },
    { name: t('receipt.amount'), figure: true },
    { name: t('finance.refund.commission'), figure: true },
    { name: t('finance.refund.bearer') },
    { name: t('finance.state') },
    { name: t('finance.refund.reason') },
    { name: t('finance.note') },
  ]
  return (
    <section className="panel" aria-live="polite">
      <h2>{t('finance.refunds')}</h2>
      {refunds.length ? (
        <Table label={t('finance.refunds')} columns={columns}>
          {refunds.map((each) => (
            <tr key={text(each, 'id')} data-testid="refund-row">
              <td>{date(text(each, 'requested_at'))}</td>
              <td className="right">{money(figure(each, 'amount_minor'), currency)}</td>
              <td className="right">{money(figure(each, 'commission_minor'), currency)}</td>
              <td data-testid="refund-bearer">{t(text(each, 'credit_id') ? 'finance.refund.by_house' : 'finance.refund.by_both')}</td>
              <td data-testid="refund-state">
                {coded('finance.refund_state', text(each, 'state')) ?? text(each, 'state')}
                {text(each, 'finished_at') && <span className="small soft"> · {date(text(each, 'finished_at'))}</span>}
              </td>
              <td>{coded('finance.reason', text(each, 'reason')) ?? plainCode(text(each, 'reason'))}</td>
              <td>{text(each, 'note') || '–'}</td>
            </tr>
          ))}
        </Table>
      ) : (
        <p className="soft">{t('finance.refund.none')}</p>
      )}
    </section>
  )
}

function DisputesOf({ disputes, currency }: { disputes: Facts[]; currency: string }) {
  const { t, money, coded } = useWords()
  if (!disputes.length) return null
  return (
    <section className="panel">
      <h2>{t('finance.tab.disputes')}</h2>
      <ul className="plain">
        {disputes.map((each) => (
          <li key={text(each, 'id')}>
            <Link className="row-link" to={`/finance/disputes/${text(each, 'id')}`}>
              {money(figure(each, 'amount_minor'), currency)} · {coded('finance.dispute_status', text(each, 'status')) ?? plainCode(text(each, 'status'))}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Collection({ facts, currency }: { facts: Facts; currency: string }) {
  const { t, money, date, coded } = useWords()
  const next = text(facts, 'next_at')
  const closed = text(facts, 'closed_at')
  return (
    <section className="panel" data-testid="collection">
      <h2>{t('finance.collection')}</h2>
      <p className="soft">{t('finance.collection_lead')}</p>
      <FactPairs
        pairs={[
          [t('finance.state'), coded('finance.collection_state', text(facts, 'state')) ?? plainCode(text(facts, 'state'))],
          [t('finance.collection_missing'), money(figure(facts, 'amount_minor'), currency)],
          [t('finance.collection_attempts'), String(figure(facts, 'attempts'))],
          [t('finance.collection_opened'), date(text(facts, 'opened_at'))],
          [t('finance.collection_next'), next ? date(next) : t('finance.collection_no_next')],
          [t('finance.collection_closed'), closed ? date(closed) : '–'],
          [t('finance.collection_message'), text(facts, 'last_message') || '–'],
        ]}
      />
    </section>
  )
}

function CasesOf({ cases }: { cases: Case[] }) {
  const { t } = useWords()
  if (!cases.length) return null
  return (
    <section>
      <h2>{t('finance.cases')}</h2>
      <ul className="plain stack">
        {cases.map((each) => (
          <CaseCard key={each.id} one={each} linked={false} />
        ))}
      </ul>
    </section>
  )
}

export function AfterCapture({ detail }: { detail: ChargeDetail }) {
  const { currency } = detail.row
  return (
    <>
      <CasesOf cases={detail.cases} />
      <DisputesOf disputes={detail.disputes} currency={currency} />
      {detail.collection && <Collection facts={detail.collection} currency={currency} />}
      <Refunds refunds={detail.refunds} currency={currency} />
    </>
  )
}
