// Owns two or three consultants side by side, in a table that reads line by line.
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Match } from '../api/types'
import { useFactorName } from './Why'
import { useWords } from './words'

export function Compare({ matches, onClose }: { matches: Match[]; onClose: () => void }) {
  const { t, money, perMinute, language, number, points, reason } = useWords()
  const nameOf = useFactorName()
  const lines: { head: string; cell: (match: Match) => ReactNode }[] = [
    { head: t('matches.rate'), cell: ({ consultant }) => perMinute(consultant.rate_minor_per_hour, consultant.currency) },
    ...(matches[0]?.price.estimates ?? []).map(({ minutes }, n) => ({
      head: t('matches.estimate', { minutes }),
      cell: ({ price, consultant }: Match) => money(price.estimates[n]?.minor ?? 0, consultant.currency),
    })),
    {
      head: t('compare.rating'),
      cell: ({ consultant }) =>
        consultant.rating === null ? t('rating.none') : t('rating.short', { stars: number(consultant.rating), count: consultant.rating_count }),
    },
    {
      head: t('compare.answers'),
      cell: ({ consultant }) => (consultant.response_s === null ? t('compare.unknown') : t('compare.seconds', { seconds: consultant.response_s })),
    },
    { head: t('compare.languages'), cell: ({ consultant }) => consultant.languages.map(language).join(', ') },
    { head: t('compare.concerns'), cell: ({ concerns }) => concerns.map((each) => reason(each, 'concern')).join('; ') || t('compare.nothing') },
    ...(matches[0]?.factors ?? []).map(({ factor }) => ({
      head: t('compare.points', { factor: nameOf(factor) }),
      cell: (match: Match) => points(match.factors.find((each) => each.factor === factor)?.contribution_centi ?? 0),
    })),
  ]
  return (
    <section className="panel" aria-labelledby="compare-title" data-testid="compare">
      <div className="row spread">
        <h2 id="compare-title">{t('compare.title')}</h2>
        <Button variant="default" onClick={onClose}>
          {t('compare.clear')}
        </Button>
      </div>
      {/* Focusable, so that the keyboard can scroll it where it is wider than the screen. */}
      <div className="scroller" tabIndex={0} role="region" aria-labelledby="compare-title">
        <table className="plain compared">
          <caption className="hidden">{t('compare.title')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('compare.what')}</th>
              {matches.map(({ consultant }) => (
                <th scope="col" key={consultant.user_id}>
                  {consultant.display_name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map(({ head, cell }) => (
              <tr key={head}>
                <th scope="row">{head}</th>
                {matches.map((match) => (
                  <td key={match.consultant.user_id}>{cell(match)}</td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t('compare.total')}</th>
              {matches.map((match) => (
                <td key={match.consultant.user_id}>{points(match.score_centi)}</td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
    </section>
  )
}
