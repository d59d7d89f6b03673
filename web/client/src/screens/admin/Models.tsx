// Owns the versions of the ranking model: what each measured, why it was kept back, and putting one into force.
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { LearningModel, Measured, VerdictReason } from '../../api/types'
import { Problem } from '../../parts/Problem'
import { say } from '../../parts/toast'
import { useWords } from '../../parts/words'
import { FactPairs } from '../finance/parts'
import { useActivate } from './queries'

const compared = ['mrr10', 'ndcg10', 'hit3', 'calibration_error'] as const

function Comparison({ mine, other }: { mine: Measured; other: Measured }) {
  const { t, number } = useWords()
  return (
    <div className="scroller" tabIndex={0} role="region" aria-label={t('admin.holdout')}>
      <table className="plain small">
        <caption className="small soft">{t('admin.holdout_of', { count: mine.questions })}</caption>
        <thead>
          <tr>
            <th scope="col">{t('admin.metric')}</th>
            <th scope="col" className="right">
              {t('admin.this_version')}
            </th>
            <th scope="col" className="right">
              {t('admin.then_active')}
            </th>
          </tr>
        </thead>
        <tbody>
          {compared.map((name) => (
            <tr key={name}>
              <th scope="row">{t(`admin.metric.${name}`)}</th>
              <td className="right">{number(mine[name], 3)}</td>
              <td className="right">{number(other[name], 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Reasons({ reasons }: { reasons: VerdictReason[] }) {
  const { t, coded } = useWords()
  if (!reasons.length) return null
  return (
    <div className="note warn">
      <p>{t('admin.kept_back')}</p>
      <ul>
        {reasons.map(({ code, params }) => (
          <li key={code}>{coded('admin.verdict', code, params) ?? code}</li>
        ))}
      </ul>
    </div>
  )
}

function Activate({ model }: { model: LearningModel }) {
  const { t } = useWords()
  const [asked, setAsked] = useState(false)
  const [reason, setReason] = useState('')
  const act = useActivate(model.version, () => say(t('admin.did_activate', { version: model.version })))
  const back = model.built_in || model.promoted_at !== null
  const label = t(back ? 'admin.roll_back' : 'admin.promote')
  if (!asked) {
    return (
      <Button variant="default" onClick={() => setAsked(true)} aria-label={`${label}: ${model.version}`} data-testid={`activate-${model.version}`}>
        {label}
      </Button>
    )
  }
  return (
    <form
      className="note warn stack tight"
      aria-label={`${label}: ${model.version}`}
      onSubmit={(event) => {
        event.preventDefault()
        act.mutate(reason.trim())
      }}
    >
      <p>{t('admin.sure', { version: model.version })}</p>
      <TextInput label={t('admin.reason')} value={reason} maxLength={500} autoFocus onChange={(event) => setReason(event.currentTarget.value)} data-testid="reason" />
      <Problem error={act.error} />
      <div className="row">
        <Button type="submit" loading={act.isPending} disabled={reason.trim().length < 3} data-testid="activate-confirm">
          {label}
        </Button>
        <Button variant="default" onClick={() => setAsked(false)}>
          {t('finance.not_now')}
        </Button>
      </div>
    </form>
  )
}

function One({ model }: { model: LearningModel }) {
  const { t, date, number, percent } = useWords()
  const { figures } = model
  const by = model.promoted_by_name === null ? t(model.built_in ? 'admin.by_program' : 'admin.by_gate') : t('admin.by', { name: model.promoted_by_name, reason: model.reason })
  const pairs: [string, string][] = [
    [t('admin.trained'), model.trained_from && model.trained_to ? t('admin.trained_on', { count: model.samples, from: date(model.trained_from), to: date(model.trained_to) }) : t('admin.came_along')],
    ...(model.promoted_at ? [[t('admin.promoted'), `${date(model.promoted_at)} · ${by}`] as [string, string]] : []),
    ...(figures
      ? [
          [
            t('admin.in_life'),
            t('admin.in_life_figures', {
              count: figures.questions,
              completed: figures.completed,
              mrr: figures.mrr10 === null ? '–' : number(figures.mrr10, 2),
              stars: figures.stars === null ? '–' : number(figures.stars, 2),
              refunded: figures.refunded_share === null ? '–' : percent(figures.refunded_share * 10_000),
            }),
          ] as [string, string],
        ]
      : []),
  ]
  return (
    <li className={model.state === 'active' ? 'panel chosen stack tight' : 'panel stack tight'} data-testid={`model-${model.version}`}>
      <div className="row">
        <h3 style={{ margin: 0, overflowWrap: 'anywhere' }}>{model.version}</h3>
        <span className="pill">{t(`admin.state.${model.state}`)}</span>
      </div>
      <FactPairs pairs={pairs} />
      <Reasons reasons={model.reasons} />
      {model.candidate && model.current && (
        <details>
          <summary>{t('admin.holdout')}</summary>
          <Comparison mine={model.candidate} other={model.current} />
        </details>
      )}
      {model.state !== 'active' && (
        <div>
          <Activate model={model} />
        </div>
      )}
    </li>
  )
}

export function Models({ models }: { models: LearningModel[] }) {
  const order = models.toSorted((one, other) => Number(other.state === 'active') - Number(one.state === 'active'))
  return (
    <ul className="plain stack">
      {order.map((model) => (
        <One key={model.version} model={model} />
      ))}
    </ul>
  )
}
