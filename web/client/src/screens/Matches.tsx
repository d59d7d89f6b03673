// Owns the five best consultants for a posted question; ring the best, or choose one.
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { useNavigate, useParams } from 'react-router'
import { get, post } from '../api/client'
import type { Match, Matches as MatchesReply, Question } from '../api/types'
import { MatchCard } from '../parts/MatchCard'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { TellMe } from '../parts/TellMe'
import { useWords } from '../parts/words'
import { live } from '../socket/live'
import { usePriceRule } from './Landing'

export function useMatches(questionId: string) {
  const matches = useQuery({
    queryKey: ['matches', questionId],
    queryFn: () => get<MatchesReply>(`/api/questions/${questionId}/matches`),
    refetchInterval: 15_000,
  })
  const { refetch } = matches
  useEffect(() => live.on('directory', () => void refetch()), [refetch])
  return matches
}

export function Matches() {
  const { questionId = '' } = useParams()
  const { t } = useWords()
  const navigate = useNavigate()
  const rule = usePriceRule()
  const question = useQuery({ queryKey: ['question', questionId], queryFn: () => get<Question>(`/api/questions/${questionId}`) })
  const matches = useMatches(questionId)
  const withdraw = useMutation({
    mutationFn: () => post(`/api/questions/${questionId}/withdraw`),
    onSuccess: () => navigate('/ask'),
  })
  const choose = (match: Match | undefined) =>
    void navigate(`/ask/${questionId}/checkout${match ? `?consultant=${match.consultant.user_id}` : ''}`)
  const found = matches.data?.matches ?? []
  const others = matches.data?.alternatives ?? []
  return (
    <Page title={question.data?.title ?? t('matches.title')}>
      <Problem error={question.error ?? matches.error} retry={() => void matches.refetch()} />
      {matches.isPending && <Loading />}
      {matches.data && (
        <div className="stack">
          <div className="row spread">
            <p role="status" style={{ margin: 0 }}>
              {found.length ? t('matches.found', { count: found.length }) : t('matches.none')}
            </p>
            {found[0] && (
              <Button size="lg" onClick={() => choose(undefined)} data-testid="ring-best">
                {t('matches.ring_best')}
              </Button>
            )}
          </div>
          {!found.length && <TellMe questionId={questionId} />}
          <p className="soft">{rule}</p>
          {found.map((match, n) => (
            <MatchCard key={match.consultant.user_id} match={match} best={n === 0}>
              <Button variant={n === 0 ? 'filled' : 'default'} mt="md" onClick={() => choose(match)} data-testid={`choose-${match.consultant.user_id}`}>
                {t('matches.choose', { name: match.consultant.display_name })}
              </Button>
            </MatchCard>
          ))}
          {others.length > 0 && (
            <>
              <h2>{t('matches.alternatives')}</h2>
              {others.map((match) => (
                <MatchCard key={match.consultant.user_id} match={match} />
              ))}
            </>
          )}
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
