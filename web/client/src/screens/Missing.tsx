// Owns the screen for an address that shows nothing, or nothing for this person.
import { Link } from 'react-router'
import { Page } from '../parts/Page'
import { useWords } from '../parts/words'

export function Missing() {
  const { t } = useWords()
  return (
    <Page title={t('missing.title')}>
      <p>{t('missing.text')}</p>
      <Link className="row-link" to="/">
        {t('missing.home')}
      </Link>
    </Page>
  )
}
