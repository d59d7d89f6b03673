// Owns why this match: what speaks for and against somebody, and the points, whose sum is the score. Any factors will do.
import type { Factor, Match } from '../api/types'
import { readFeature } from '../rules/features'
import { useWords } from './words'

export function useFactorName() {
  const { coded } = useWords()
  return (factor: string) => coded('factor', factor) ?? factor.replaceAll('_', ' ')
}

/** All contributions in one bar of a hundred points: where it ends is the score. */
function Stack({ factors }: { factors: Factor[] }) {
  return (
    <div className="stacked" aria-hidden="true">
      {factors.map((each) => (
        <i key={each.factor} style={{ width: `${each.contribution_centi / 100}%` }} />
      ))}
    </div>
  )
}

export function Points({ match }: { match: Match }) {
  const { t, number, points } = useWords()
  const nameOf = useFactorName()
  return (
    <div>
      <h3>{t('why.points')}</h3>
      <p className="soft small">{t('why.points_hint')}</p>
      <Stack factors={match.factors} />
      <dl className="bars small" style={{ marginBottom: 0 }}>
        {match.factors.map((each) => (
          <div key={each.factor} className="bar-line">
            <dt>
              {nameOf(each.factor)} <span className="soft">{t('why.factor', { value: each.value, weight: number(each.weight) })}</span>
            </dt>
            <dd className="right">{points(each.contribution_centi)}</dd>
            <dd aria-hidden="true" className="whole">
              <span className="bar">
                <i style={{ width: `${each.contribution_centi / 100}%` }} />
                <b style={{ width: `${Math.max(0, each.weight - each.contribution_centi / 100)}%` }} />
              </span>
            </dd>
          </div>
        ))}
        <div className="bar-line sum">
          <dt>{t('why.total', { points: points(match.score_centi) })}</dt>
          <dd className="right" data-testid="score-sum">
            {points(match.factors.reduce((sum, each) => sum + each.contribution_centi, 0))}
          </dd>
        </div>
      </dl>
    </div>
  )
}

/** A learned factor's points, worked out from what the model weighs. */
function Worked({ factor, sum }: { factor: Factor; sum: NonNullable<Factor['sum']> }) {
  const { t, coded, number, points } = useWords()
  const nameOf = useFactorName()
  const inWords = (name: string) => {
    const { key, params } = readFeature(name)
    return coded('feature', key, params) ?? name.replaceAll('_', ' ')
  }
  const total = sum.weighed.reduce((all, each) => all + each.value * each.weight, 0)
  return (
    <div data-testid={`sum-${factor.factor}`}>
      <h4>{nameOf(factor.factor)}</h4>
      <dl className="facts giving-way">
        {sum.weighed.map((each) => (
          <div key={each.name} className="contents">
            <dt>{inWords(each.name)}</dt>
            <dd className="numbers">{t('why.weighed', { value: number(each.value, 4), weight: number(each.weight, 4), product: number(each.value * each.weight, 4) })}</dd>
          </div>
        ))}
        <div className="contents">
          <dt>{t('why.sum')}</dt>
          <dd className="numbers">
            {t('why.sum_of', { sum: number(total, 4), low: number(sum.low, 4), scale: number(sum.scale / 100, 4), points: points(factor.contribution_centi) })}
          </dd>
        </div>
      </dl>
    </div>
  )
}

function Inputs({ match, version }: { match: Match; version: string }) {
  const { t, coded, number } = useWords()
  const shown = (value: unknown) => (typeof value === 'number' ? number(value, 3) : t(value ? 'why.yes' : 'why.no'))
  return (
    <details className="small">
      <summary>{t('why.inputs')}</summary>
      <dl className="facts giving-way">
        {Object.entries(match.inputs).map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{coded('input', name) ?? name.replaceAll('_', ' ')}</dt>
            <dd>{shown(value)}</dd>
          </div>
        ))}
      </dl>
      <p className="soft">{t('why.sums_hint')}</p>
      {match.factors.map((each) => each.sum && <Worked key={each.factor} factor={each} sum={each.sum} />)}
      <p className="soft">{t('why.model', { version })}</p>
    </details>
  )
}

export function Why({ match, version }: { match: Match; version: string }) {
  const { t, reason } = useWords()
  const lists = [
    { title: t('why.strengths', { name: match.consultant.display_name }), items: match.reasons, family: 'reason' as const },
    { title: t('why.concerns'), items: match.concerns, family: 'concern' as const },
  ]
  return (
    <details data-testid="why">
      <summary>{t('matches.why')}</summary>
      <div className="stack">
        {lists.map(
          ({ title, items, family }) =>
            items.length > 0 && (
              <div key={family}>
                <h3>{title}</h3>
                <ul className={`said-by ${family}`} data-testid={`${family}s`}>
                  {items.map((each) => (
                    <li key={each.code + JSON.stringify(each.params)}>{reason(each, family)}</li>
                  ))}
                </ul>
              </div>
            ),
        )}
        <Points match={match} />
        <Inputs match={match} version={version} />
      </div>
    </details>
  )
}
