// Owns what a customer paid in a period, call by call.
import { Link } from 'react-router'
import { Page } from '../parts/Page'
import { StatementPart } from '../parts/Statement'
import { useWords } from '../parts/words'

export function Spending() {
  const { t } = useWords()
  return (
    <Page title={t('spending.title')}>
      <StatementPart side="customer" path="/api/me/spending" title={t('spending.title')} empty={t('spending.empty')} />
      <Link className="row-link" to="/calls">
        {t('spending.back')}
      </Link>
    </Page>
  )
}
