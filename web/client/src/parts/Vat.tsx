// Owns how a receipt's VAT is put: the line under the total, and the sentence that says why there is none.
import type { Receipt } from '../api/types'
import { useWords } from './words'

export function VatLabel({ receipt }: { receipt: Receipt }) {
  const { t, percent } = useWords()
  if (receipt.tax_mode === 'inclusive') return t('receipt.vat', { rate: percent(receipt.tax_rate_bps) })
  return t(`vat_mode.${receipt.tax_mode}`)
}

export function VatReason({ receipt: { tax } }: { receipt: Receipt }) {
  const { t, coded, locale } = useWords()
  const country = tax.supplier_country ? (new Intl.DisplayNames(locale, { type: 'region' }).of(tax.supplier_country) ?? '') : ''
  const sentence = tax.reason ? (coded('vat_reason', `${tax.reason}.${tax.supplier_country}`) ?? coded('vat_reason', tax.reason, { country })) : null
  const numbers = [
    ['side.consultant', tax.supplier_vat_id],
    ['side.customer', tax.customer_vat_id],
  ] as const
  return (
    <>
      {sentence && (
        <p className="soft small" style={{ margin: 0 }} data-testid="vat-reason">
          {sentence}
        </p>
      )}
      {numbers.some(([, number]) => number) && (
        <dl className="facts small">
          {numbers.map(
            ([side, number]) =>
              number && (
                <div key={side} style={{ display: 'contents' }}>
                  <dt>{t('receipt.vat_id', { side: t(side) })}</dt>
                  <dd>{number}</dd>
                </div>
              ),
          )}
        </dl>
      )}
    </>
  )
}
