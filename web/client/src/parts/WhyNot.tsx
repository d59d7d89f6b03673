// Owns why somebody is not on the list: whoever the customer names, and the answer, with the arithmetic where there is one.
import { Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get, post, query } from '../api/client'
import type { ConsultantPage, Match, WhyNot as Answer } from '../api/types'
import type { Filters } from '../rules/filters'
import { Problem } from './Problem'
import { useFactorName } from './Why'
import { useWords } from './words'

interface Props {
  questionId: string
  filters: Filters
  shown: Match[]
  /** Whom a card's own link asks about. */
  named: { id: string; name: string } | null
  onNamed: (named: { id: string; name: string } | null) => void
}

export function WhyNot({ questionId, filters, shown, named, onNamed }: Props) {
  const { t } = useWords()
  const [typed, setTyped] = useState('')
  const [settled] = useDebouncedValue(typed, 300)
  const found = useQuery({
    queryKey: ['consultants', settled],
    queryFn: () => get<ConsultantPage>(`/api/consultants${query({ name: settled.slice(0, 60) })}`),
    placeholderData: keepPreviousData,
  })
  const answer = useQuery({
    queryKey: ['why-not', questionId, named?.id, filters],
    queryFn: () => post<Answer>(`/api/questions/${questionId}/why-not`, { consultant_id: named?.id, ...filters }),
    enabled: named !== null,
  })
  const people = (found.data?.items ?? []).map(({ user_id, display_name }) => ({ value: user_id, label: display_name }))
  if (named && !people.some(({ value }) => value === named.id)) people.push({ value: named.id, label: named.name })
  return (
    <section className="panel stack" aria-labelledby="whynot-title" data-testid="why-not">
      <h2 id="whynot-title" style={{ margin: 0 }}>
        {t('whynot.title')}
      </h2>
      <Select
        searchable
        clearable
        label={t('whynot.who')}
        description={t('whynot.hint')}
        nothingFoundMessage={t('whynot.nobody')}
        data={people}
        value={named?.id ?? null}
        onSearchChange={setTyped}
        onChange={(id) => {
          const one = people.find(({ value }) => value === id)
          onNamed(one ? { id: one.value, name: one.label } : null)
        }}
        clearButtonProps={{ 'aria-label': t('whynot.clear') }}
        data-testid="why-not-who"
      />
      <Problem error={answer.error} retry={() => void answer.refetch()} />
      <div aria-live="polite">{named && answer.data && <Because name={named.name} answer={answer.data} shown={shown} />}</div>
    </section>
  )
}

function Because({ name, answer, shown }: { name: string; answer: Answer; shown: Match[] }) {
  const { t, points, reason } = useWords()
  const last = shown.find(({ consultant }) => consultant.user_id === answer.last_consultant_id)?.consultant.display_name ?? t('whynot.last_one')
  const difference = (answer.last_score_centi ?? 0) - (answer.score_centi ?? 0)
  if (answer.outcome === 'shown') return <p data-testid="because">{t('whynot.shown', { name, place: answer.place ?? 0 })}</p>
  if (answer.outcome === 'not_available') return <p data-testid="because">{t('whynot.not_available', { name })}</p>
  if (answer.outcome === 'busy' || answer.outcome === 'filtered') {
    return (
      <div data-testid="because">
        <p>{t(answer.outcome === 'busy' ? 'whynot.busy' : 'whynot.filtered', { name })}</p>
        <ul>
          {answer.obstacles.map((each) => (
            <li key={each.code}>{reason(each, 'obstacle')}</li>
          ))}
        </ul>
      </div>
    )
  }
  const words = { name, last, score: points(answer.score_centi), last_score: points(answer.last_score_centi), difference: points(difference) }
  return (
    <div data-testid="because">
      <p>{t(difference ? 'whynot.behind' : 'whynot.tie', words)}</p>
      <Gaps name={name} last={last} answer={answer} />
    </div>
  )
}

function Gaps({ name, last, answer }: { name: string; last: string; answer: Answer }) {
  const { t, points, locale } = useWords()
  const nameOf = useFactorName()
  const signed = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'exceptZero' })
  return (
    <div className="scroller" tabIndex={0} role="region" aria-label={t('whynot.caption')}>
      <table className="plain compared">
        <caption>{t('whynot.caption')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('whynot.factor')}</th>
            <th scope="col">{name}</th>
            <th scope="col">{last}</th>
            <th scope="col">{t('whynot.difference')}</th>
          </tr>
        </thead>
        <tbody>
          {answer.gaps.map((gap) => (
            <tr key={gap.factor}>
              <th scope="row">{nameOf(gap.factor)}</th>
              <td>{points(gap.contribution_centi)}</td>
              <td>{points(gap.other_contribution_centi)}</td>
              <td>{signed.format(gap.difference_centi / 100)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t('compare.total')}</th>
            <td>{points(answer.score_centi)}</td>
            <td>{points(answer.last_score_centi)}</td>
            <td data-testid="gap-sum">{signed.format(answer.gaps.reduce((sum, gap) => sum + gap.difference_centi, 0) / 100)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  )
}
