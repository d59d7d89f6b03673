// Owns the settings of new calls: what is in force, changing it with a reason, and every version there was.
import { Button, Checkbox, NumberInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { HouseTerms } from '../../api/types'
import { Page } from '../../parts/Page'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { Found } from '../finance/parts'
import { useChangeTerms, useHouseTerms } from './queries'

const MOST_MINUTES = 1_440

function InForce({ terms }: { terms: HouseTerms }) {
  const { t, clock } = useWords()
  return (
    <section className="panel stack tight" aria-labelledby="in-force" data-testid="terms-in-force" data-version={terms.version}>
      <h2 id="in-force">{t('admin.late_hold')}</h2>
      <p>{terms.late_hold ? t('admin.late_hold_on', { due: clock(terms.late_hold_ms) }) : t('admin.late_hold_off')}</p>
      <p className="soft">{t('admin.late_hold_who', { paid: terms.paid_calls, days: terms.clean_days })}</p>
      <h2>{t('admin.review')}</h2>
      <p>{terms.review_window_s ? t('admin.review_on', { minutes: Math.round(terms.review_window_s / 60) }) : t('admin.review_off')}</p>
    </section>
  )
}

function Change({ terms }: { terms: HouseTerms }) {
  const { t } = useWords()
  const [late, setLate] = useState(terms.late_hold)
  const [minutes, setMinutes] = useState(terms.review_window_s / 60)
  const [reason, setReason] = useState('')
  const act = useChangeTerms(() => say(t('admin.terms_changed')))
  const changed = late !== terms.late_hold || minutes * 60 !== terms.review_window_s
  return (
    <form
      className="panel stack"
      aria-labelledby="terms-change"
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate({ after: terms.version, late_hold: late, review_window_s: minutes * 60, reason: reason.trim() })
      }}
    >
      <h2 id="terms-change" style={{ margin: 0 }}>
        {t('admin.terms_change')}
      </h2>
      <Checkbox label={t('admin.late_hold')} checked={late} onChange={(event) => setLate(event.currentTarget.checked)} data-testid="late-hold" />
      <NumberInput
        label={t('admin.review_minutes')}
        description={t('admin.review_hint')}
        value={minutes}
        min={0}
        max={MOST_MINUTES}
        allowDecimal={false}
        clampBehavior="strict"
        hideControls
        onChange={(value) => setMinutes(Number(value))}
        data-testid="review-minutes"
      />
      <TextInput label={t('admin.reason')} value={reason} maxLength={500} onChange={(event) => setReason(event.currentTarget.value)} data-testid="terms-reason" />
      <Problem error={act.error} />
      <div>
        <Button type="submit" loading={act.isPending} disabled={!changed || reason.trim().length < 3} data-testid="terms-save">
          {t('admin.terms_save')}
        </Button>
      </div>
    </form>
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
            <th scope="col" className="right">
              {t('admin.review_minutes')}
            </th>
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
              <td className="right">{each.review_window_s / 60}</td>
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
            <InForce terms={terms} />
            {/* A form that was made from an older version begins anew. */}
            <Change key={terms.version} terms={terms} />
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
