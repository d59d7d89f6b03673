// Owns the best consultants for a posted question: ring the best or choose one, compare, narrow down, ask why and why not.
import { Button, Checkbox } from '@mantine/core'
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useNavigate, useParams, useSearchParams } from 'react-router'
import { get, post, query } from '../api/client'
import type { Match, Matches as MatchesReply, Question } from '../api/types'
import { OwnFiles } from '../parts/Attachments'
import { Compare } from '../parts/Compare'
import { MatchCard } from '../parts/MatchCard'
import { MatchFilters } from '../parts/MatchFilters'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { WhyNot } from '../parts/WhyNot'
import { TellMe } from '../parts/TellMe'
import { useWords } from '../parts/words'
import { MOST_COMPARED, toggled } from '../rules/comparison'
import { anyFilter, readFilters } from '../rules/filters'
import { nobodyFits } from '../rules/fitting'
import { live } from '../socket/live'
import { usePriceRule } from './Landing'

/** The matches of a question, narrowed down as the address says. */
export function useMatches(questionId: string) {
  const filters = readFilters(useSearchParams()[0])
  const matches = useQuery({
    queryKey: ['matches', questionId, filters],
    queryFn: () => get<MatchesReply>(`/api/questions/${questionId}/matches${query({ ...filters })}`),
    refetchInterval: 15_000,
    placeholderData: keepPreviousData,
  })
  const { refetch } = matches
  useEffect(() => live.on('directory', () => void refetch()), [refetch])
  return matches
}

export function Matches() {
  const { questionId = '' } = useParams()
  const { t } = useWords()
  const navigate = useNavigate()
  const filters = readFilters(useSearchParams()[0])
  const rule = usePriceRule()
  const question = useQuery({ queryKey: ['question', questionId], queryFn: () => get<Question>(`/api/questions/${questionId}`) })
  const matches = useMatches(questionId)
  const [compared, setCompared] = useState<string[]>([])
  const [named, setNamed] = useState<{ id: string; name: string } | null>(null)
  const whyNot = useRef<HTMLDivElement>(null)
  const withdraw = useMutation({
    mutationFn: () => post(`/api/questions/${questionId}/withdraw`),
    onSuccess: () => navigate('/ask'),
  })
  const choose = (match: Match | undefined) =>
    void navigate(`/ask/${questionId}/checkout${query({ ...filters, consultant: match?.consultant.user_id })}`)
  const found = matches.data?.matches ?? []
  const others = matches.data?.alternatives ?? []
  const strangers = nobodyFits(found)
  const version = matches.data?.model_version ?? ''
  const chosen = compared.flatMap((id) => [...found, ...others].filter(({ consultant }) => consultant.user_id === id))
  const compare = ({ consultant }: Match) => (
    <Checkbox
      label={t('compare.add')}
      aria-label={`${t('compare.add')}: ${consultant.display_name}`}
      checked={compared.includes(consultant.user_id)}
      disabled={!compared.includes(consultant.user_id) && compared.length >= MOST_COMPARED}
      onChange={() => setCompared((old) => toggled(old, consultant.user_id))}
      data-testid={`compare-${consultant.user_id}`}
    />
  )
  const askWhyNot = ({ consultant }: Match) => {
    setNamed({ id: consultant.user_id, name: consultant.display_name })
    whyNot.current?.scrollIntoView({ block: 'start' })
    whyNot.current?.focus({ preventScroll: true })
  }
  return (
    <Page title={question.data?.title ?? t('matches.title')}>
      <Problem error={question.error ?? matches.error} retry={() => void matches.refetch()} />
      {matches.isPending && <Loading />}
      {matches.data && (
        <div className="stack">
          <div className="row spread">
            <p role="status" style={{ margin: 0 }}>
              {strangers
                ? t('matches.none_fitting', { count: found.length })
                : found.length
                  ? t('matches.found', { count: found.length })
                  : t(anyFilter(filters) ? 'matches.none_filtered' : 'matches.none')}
            </p>
            {found[0] && (
              <Button size="lg" variant={strangers ? 'default' : 'filled'} onClick={() => choose(undefined)} data-testid="ring-best">
                {t('matches.ring_best')}
              </Button>
            )}
          </div>
          {(strangers || !found.length) && <TellMe questionId={questionId} />}
          <p className="soft">{rule}</p>
          <div className="columns even">
            <MatchFilters />
            <OwnFiles questionId={questionId} />
          </div>
          {chosen.length > 1 && <Compare matches={chosen} onClose={() => setCompared([])} />}
          <div role="status">{chosen.length === 1 && <p className="note">{t('compare.hint')}</p>}</div>
          {found.map((match, n) => (
            <MatchCard key={match.consultant.user_id} match={match} version={version} best={n === 0}>
              <div className="row spread" style={{ marginTop: '1rem' }}>
                <Button variant={n === 0 ? 'filled' : 'default'} onClick={() => choose(match)} data-testid={`choose-${match.consultant.user_id}`}>
                  {t('matches.choose', { name: match.consultant.display_name })}
                </Button>
                {compare(match)}
              </div>
            </MatchCard>
          ))}
          {others.length > 0 && (
            <>
              <h2>{t('matches.more')}</h2>
              {others.map((match) => (
                <MatchCard key={match.consultant.user_id} match={match} version={version}>
                  <div className="row spread" style={{ marginTop: '1rem' }}>
                    <Button variant="subtle" onClick={() => askWhyNot(match)} data-testid={`why-not-${match.consultant.user_id}`}>
                      {t('whynot.ask', { name: match.consultant.display_name })}
                    </Button>
                    {compare(match)}
                  </div>
                </MatchCard>
              ))}
            </>
          )}
          <div ref={whyNot} tabIndex={-1} className="focus-target">
            <WhyNot questionId={questionId} filters={filters} shown={found} named={named} onNamed={setNamed} />
          </div>
          <Problem error={withdraw.error} />
          <div>
            <Button variant="subtle" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
              {t('matches.withdraw')}
            </Button>
          </div>
        </div>
      )}
    </Page>
  )
}
