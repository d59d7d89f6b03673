// Owns the first screen of the finance console: a difference first, then what waits, then the charges.
import { useWords } from '../parts/words'
import { ChargesPart } from './finance/Charges'
import { ConsolePage } from './finance/Console'
import { OverviewPart } from './finance/Overview'
import { Waiting } from './finance/Waiting'

export function Finance() {
  const { t } = useWords()
  return (
    <ConsolePage title={t('finance.tab.overview')}>
      <OverviewPart />
      <Waiting />
      <h2>{t('finance.title')}</h2>
      <ChargesPart />
    </ConsolePage>
  )
}
