// Owns what a consultant earned in a period, call by call: gross, commission, net.
import { Page } from '../parts/Page'
import { StatementPart } from '../parts/Statement'
import { useWords } from '../parts/words'

export function EarningsScreen() {
  const { t } = useWords()
  return (
    <Page title={t('nav.earnings')}>
      <StatementPart side="consultant" path="/api/consultant/earnings" title={t('nav.earnings')} empty={t('earnings.empty')} />
    </Page>
  )
}
