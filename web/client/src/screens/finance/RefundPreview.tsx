// Owns what a refund would do, before anybody decides: its parts, every posting, and whether a second person is needed.
import type { RefundPreview as Shape } from '../../api/types'
import { useWords } from '../../parts/words'
import { FactPairs, Table } from './parts'
import { useAccountName } from './wording'

export function RefundPreview({ preview }: { preview: Shape }) {
  const { t, money } = useWords()
  const account = useAccountName()
  const amount = (minor: number) => money(minor, preview.currency)
  const columns = [{ name: t('finance.source') }, { name: t('finance.destination') }, { name: t('receipt.amount'), figure: true }]
  return (
    <div className="stack tight" data-testid="refund-preview">
      <h3>{t('finance.refund.preview')}</h3>
      <FactPairs
        pairs={[
          [t('finance.refund.commission'), amount(preview.commission_minor)],
          [t('finance.refund.share'), amount(preview.share_minor)],
          [t('finance.refund.left'), amount(preview.left_minor)],
        ]}
      />
      <Table label={t('finance.refund.postings')} columns={columns}>
        {preview.postings.map((each) => (
          <tr key={`${each.source}${each.destination}`} data-testid="planned-posting">
            <td>{account(each.source)}</td>
            <td>{account(each.destination)}</td>
            <td className="right">{amount(each.amount_minor)}</td>
          </tr>
        ))}
      </Table>
      <p className={preview.four_eyes ? 'note warn' : 'note'} data-testid="four-eyes">
        {t(preview.four_eyes ? 'finance.refund.four_eyes' : 'finance.refund.alone')}
      </p>
    </div>
  )
}
