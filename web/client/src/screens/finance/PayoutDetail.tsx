// Owns one payout by line: every movement inside it, the call it came from, and the sum that equals the amount.
import { Link, useParams } from 'react-router'
import type { PayoutDetail as Shape } from '../../api/types'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { FactPairs, Found, Table } from './parts'
import { PayoutFailure } from './Payouts'
import { usePayout } from './queries'
import { plainCode } from '../../rules/codes'

function Sum({ payout }: { payout: Shape['payout'] }) {
  const { t, money } = useWords()
  if (payout.lines_minor === null) return <p className="soft">{t('finance.payout.no_lines')}</p>
  const equal = payout.lines_minor === payout.amount_minor
  const words = { sum: money(payout.lines_minor, payout.currency), amount: money(payout.amount_minor, payout.currency) }
  return (
    <p className={equal ? 'note' : 'note bad'} role={equal ? 'status' : 'alert'} data-testid="payout-sum">
      {t(equal ? 'finance.payout.sum_equal' : 'finance.payout.sum_differs', words)}
    </p>
  )
}

function Detail({ payout, lines }: Shape) {
  const { t, money, date, coded } = useWords()
  const columns = [
    { name: t('finance.at') },
    { name: t('finance.kind') },
    { name: t('finance.charge') },
    { name: t('receipt.amount'), figure: true },
    { name: t('finance.payout.fee'), figure: true },
    { name: t('finance.payout.net'), figure: true },
  ]
  return (
    <>
      <section className="panel">
        <FactPairs
          pairs={[
            [t('finance.consultant'), payout.consultant_name],
            [t('receipt.amount'), money(payout.amount_minor, payout.currency)],
            [t('finance.state'), coded('finance.payout_status', payout.status) ?? payout.status],
            [t('finance.payout.created'), date(payout.created_at)],
            [t('finance.payout.arrives'), payout.arrives_at ? date(payout.arrives_at) : '–'],
            [t('finance.dispute.number'), payout.id],
          ]}
        />
        {payout.status === 'failed' && (
          <div className="note bad" role="alert">
            <PayoutFailure payout={payout} />{' '}
            <Link className="row-link" to="/finance/accounts">
              {t('finance.payout.to_account')}
            </Link>
          </div>
        )}
      </section>
      <section className="panel stack tight">
        <h2>{t('finance.payout.lines')}</h2>
        {lines.length > 0 && (
          <Table label={t('finance.payout.lines')} columns={columns}>
            {lines.map((line) => (
              <tr key={line.id} data-testid="payout-line">
                <td>{date(line.created_at)}</td>
                <td>{coded('finance.line', line.kind) ?? plainCode(line.kind)}</td>
                <td>
                  {line.charge_id ? (
                    <Link className="row-link" to={`/finance/charges/${line.charge_id}`}>
                      {line.reference ?? t('finance.charge')}
                    </Link>
                  ) : (
                    '–'
                  )}
                </td>
                <td className="right">{money(line.amount_minor, payout.currency)}</td>
                <td className="right">{money(line.fee_minor, payout.currency)}</td>
                <td className="right">{money(line.net_minor, payout.currency)}</td>
              </tr>
            ))}
          </Table>
        )}
        {lines.length > 0 ? <Sum payout={payout} /> : <p className="soft">{t('finance.payout.no_lines')}</p>}
      </section>
    </>
  )
}

export function PayoutDetail() {
  const { payoutId = '' } = useParams()
  const { t, money } = useWords()
  const found = usePayout(payoutId)
  return (
    <ConsolePage title={found.data ? t('finance.payout.title', { amount: money(found.data.payout.amount_minor, found.data.payout.currency), name: found.data.payout.consultant_name }) : t('finance.payout.number')}>
      <p>
        <Link className="row-link" to="/finance/payouts">
          {t('finance.payout.back')}
        </Link>
      </p>
      <Found query={found}>{(data) => <Detail {...data} />}</Found>
    </ConsolePage>
  )
}
