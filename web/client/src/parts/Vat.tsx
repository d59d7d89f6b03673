// Owns how a receipt's VAT is put: the line under the total, why it is so, and how the invoice names both sides.
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
  const parties = [
    { side: 'side.consultant', lines: [tax.supplier_name, tax.supplier_address, tax.supplier_vat_id] },
    { side: 'side.customer', lines: [tax.customer_name, tax.customer_address, tax.customer_vat_id] },
  ] as const
  const stated = parties.filter(({ lines }) => lines.some(Boolean))
  return (
    <>
      {sentence && (
        <p className="soft small" style={{ margin: 0 }} data-testid="vat-reason">
          {sentence}
        </p>
      )}
      {stated.length > 0 && (
        <dl className="facts small" data-testid="vat-parties">
          {stated.map(({ side, lines }) => (
            <div key={side} style={{ display: 'contents' }}>
              <dt>{t('receipt.on_invoice', { side: t(side) })}</dt>
              <dd style={{ whiteSpace: 'pre-line' }}>{lines.filter(Boolean).join('\n')}</dd>
            </div>
          ))}
        </dl>
      )}
    </>
  )
}
