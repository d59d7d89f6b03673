// Owns the list of disputes: the nearest deadline first, with the time left in words.
import { Link, useLocation } from 'react-router'
import type { Dispute } from '../../api/types'
import { useWords } from '../../parts/words'
import { ConsolePage } from './Console'
import { Found, OpenOrClosed, Table } from './parts'
import { useDisputes } from './queries'
import { plainCode } from '../../rules/codes'
import { useTimeLeft } from './wording'

function Row({ dispute }: { dispute: Dispute }) {
  const { t, money, date, coded } = useWords()
  const left = useTimeLeft()
  return (
    <tr data-testid="dispute-row">
      <td>
        <Link className="row-link" to={`/finance/disputes/${dispute.id}`}>
          {dispute.reference}
        </Link>
      </td>
      <td>
        {dispute.closed_at && date(dispute.closed_at)}
        {!dispute.closed_at && dispute.handed_in && t('finance.dispute.bank_decides')}
        {!dispute.closed_at && !dispute.handed_in && dispute.due_at && (
          <>
            <strong>{left(dispute.due_at)}</strong>
            <br />
            <span className="small soft">{date(dispute.due_at)}</span>
          </>
        )}
      </td>
      <td>{coded('finance.dispute_status', dispute.status) ?? plainCode(dispute.status)}</td>
      <td className="right">{money(dispute.amount_minor, dispute.currency)}</td>
      <td>{coded('finance.dispute_reason', dispute.reason) ?? plainCode(dispute.reason)}</td>
      <td>{dispute.customer_name}</td>
      <td>{dispute.consultant_name}</td>
    </tr>
  )
}

export function Disputes() {
  const { t } = useWords()
  const closed = useLocation().pathname.endsWith('/closed')
  const found = useDisputes(closed)
  const columns = [
    { name: t('receipt.reference') },
    { name: t(closed ? 'finance.dispute.closed' : 'finance.dispute.due') },
    { name: t('finance.state') },
    { name: t('receipt.amount'), figure: true },
    { name: t('finance.dispute.reason') },
    { name: t('finance.customer') },
    { name: t('finance.consultant') },
  ]
  return (
    <ConsolePage title={t('finance.tab.disputes')} lead={t('finance.dispute.lead')}>
      <OpenOrClosed path="/finance/disputes" />
      <Found query={found}>
        {({ items }) => (
          <div className="panel">
            {items.length ? (
              <Table label={t('finance.tab.disputes')} columns={columns}>
                {items.map((each) => (
                  <Row key={each.id} dispute={each} />
                ))}
              </Table>
            ) : (
              <p style={{ margin: 0 }}>{t(closed ? 'finance.dispute.none_closed' : 'finance.dispute.none')}</p>
            )}
          </div>
        )}
      </Found>
    </ConsolePage>
  )
}
