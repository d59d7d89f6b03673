// Owns the settings of new calls: what is in force, changing it with a reason, and every version there was.
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { HouseTerms } from '../../api/types'
import { Page } from '../../parts/Page'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { Found } from '../finance/parts'
import { useChangeTerms, useHouseTerms } from './queries'

function LateHold({ terms }: { terms: HouseTerms }) {
  const { t, clock } = useWords()
  const [reason, setReason] = useState('')
  const act = useChangeTerms(() => {
    setReason('')
    say(t('admin.terms_changed'))
  })
  return (
    <section className="panel stack" aria-labelledby="late-hold">
      <h2 id="late-hold" style={{ margin: 0 }}>
        {t('admin.late_hold')}
      </h2>
      <p role="status" data-testid="late-hold-state" data-on={terms.late_hold}>
        {terms.late_hold ? t('admin.late_hold_on', { due: clock(terms.late_hold_ms) }) : t('admin.late_hold_off')}
      </p>
      <p className="soft">{t('admin.late_hold_who', { paid: terms.paid_calls, days: terms.clean_days })}</p>
      <form
        className="stack tight"
        onSubmit={(event) => {
          event.preventDefault()
          act.mutate({ after: terms.version, late_hold: !terms.late_hold, reason: reason.trim() })
        }}
      >
        <TextInput label={t('admin.reason')} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} data-testid="terms-reason" />
        <Problem error={act.error} />
        <div>
          <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3} data-testid="late-hold-switch">
            {t(terms.late_hold ? 'admin.late_hold_turn_off' : 'admin.late_hold_turn_on')}
          </Button>
        </div>
      </form>
    </section>
  )
}

function Versions({ terms }: { terms: HouseTerms }) {
  const { t, date } = useWords()
  if (!terms.versions.length) return <p className="panel soft">{t('admin.terms_none')}</p>
  return (
    <div className="scroller" tabIndex={0} role="region" aria-label={t('admin.terms_versions')}>
      <table className="plain" data-testid="terms-versions">
        <thead>
          <tr>
            <th scope="col">{t('admin.terms_version')}</th>
            <th scope="col">{t('admin.late_hold')}</th>
            <th scope="col">{t('admin.terms_by')}</th>
            <th scope="col">{t('admin.terms_at')}</th>
            <th scope="col">{t('admin.reason')}</th>
          </tr>
        </thead>
        <tbody>
          {terms.versions.map((each) => (
            <tr key={each.version}>
              <td>{each.version}</td>
              <td>{t(each.late_hold ? 'admin.on' : 'admin.off')}</td>
              <td>{each.set_by_name}</td>
              <td>{date(each.set_at)}</td>
              <td>{each.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function HouseTermsScreen() {
  const { t } = useWords()
  return (
    <Page title={t('admin.terms')}>
      <p className="soft">{t('admin.terms_lead')}</p>
      <Found query={useHouseTerms()}>
        {(terms) => (
          <div className="stack">
            <LateHold terms={terms} />
            <section className="stack" aria-labelledby="terms-versions">
              <h2 id="terms-versions">{t('admin.terms_versions')}</h2>
              <Versions terms={terms} />
            </section>
          </div>
        )}
      </Found>
    </Page>
  )
}
