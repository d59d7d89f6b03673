// Owns what went back after a capture, on the receipt: each amount with its credit note, and what was paid in the end.
import type { Receipt } from '../api/types'
import { useWords } from './words'

export function GivenBackPart({ receipt }: { receipt: Receipt }) {
  const { t, money, date } = useWords()
  const customer = receipt.role === 'customer'
  if (!receipt.given_back.length) return null
  const own = (each: Receipt['given_back'][number]) => (customer ? each.amount_minor : each.share_minor)
  const all = receipt.given_back.reduce((sum, each) => sum + own(each), 0)
  const end = customer ? receipt.paid_minor : receipt.net_minor - all
  return (
    <section className="panel stack" aria-labelledby="back-title" data-testid="given-back">
      <h2 id="back-title" style={{ margin: 0 }}>
        {t(customer ? 'problem.back.title' : 'problem.back.title_share')}
      </h2>
      <ul className="plain stack tight">
        {receipt.given_back.map((each, n) => (
          <li key={`${each.at}${n}`} className="row spread" style={{ flexWrap: 'nowrap' }}>
            <span>
              {t(`problem.back.${each.by}`)}
              <br />
              <span className="soft small">
                {each.at ? date(each.at) : t('problem.back.on_its_way')}
                {each.credit_note && ` · ${t(each.by === 'credit' ? 'problem.back.own_note' : 'problem.back.note', { number: each.credit_note })}`}
                {!customer && ` · ${t('problem.back.of', { amount: money(each.amount_minor, receipt.currency) })}`}
              </span>
            </span>
            <span className="numbers">{money(-own(each), receipt.currency)}</span>
          </li>
        ))}
      </ul>
      <p className="row spread sum" style={{ margin: 0 }} data-testid="paid-in-the-end">
        <span>{t(customer ? 'problem.back.paid' : 'problem.back.kept')}</span>
        <span className="numbers">{money(end, receipt.currency)}</span>
      </p>
    </section>
  )
}
