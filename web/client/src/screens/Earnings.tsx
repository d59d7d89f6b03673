// Owns what a consultant earned in a period, call by call, and how it is paid out.
import { MonthStatement } from '../parts/MonthStatement'
import { Page } from '../parts/Page'
import { PayoutsPart } from '../parts/Payouts'
import { StatementPart } from '../parts/Statement'
import { useWords } from '../parts/words'

export function EarningsScreen() {
  const { t } = useWords()
  return (
    <Page title={t('nav.earnings')}>
      <div className="stack">
        <PayoutsPart />
        <StatementPart side="consultant" path="/api/consultant/earnings" title={t('nav.earnings')} empty={t('earnings.empty')} />
        <MonthStatement />
      </div>
    </Page>
  )
}
