// Owns one consultant as an answer to a question: who, what it would cost, and why this match.
import type { ReactNode } from 'react'
import type { ConsultantCard, Match, PresenceStatus } from '../api/types'
import { Why } from './Why'
import { useWords } from './words'

export function Avatar({ name }: { name: string }) {
  const letters = name.split(/\s+/).map((word) => word[0] ?? '').join('').slice(0, 2).toUpperCase()
  return (
    <span className="avatar" aria-hidden="true">
      {letters}
    </span>
  )
}

export function Status({ status }: { status: PresenceStatus | (string & {}) }) {
  const { coded } = useWords()
  return (
    <span className="pill">
      <span className={status === 'available' ? 'dot on' : status === 'offline' ? 'dot' : 'dot away'} />
      {coded('status', status) ?? status}
    </span>
  )
}

function RatingWords({ consultant }: { consultant: ConsultantCard }) {
  const { t, number } = useWords()
  if (consultant.rating === null) return <span className="soft">{t('rating.none')}</span>
  return <span>{t('rating.short', { stars: number(consultant.rating), count: consultant.rating_count })}</span>
}

interface CardProps {
  match: Match
  version: string
  children?: ReactNode
  best?: boolean
}

export function MatchCard({ match, version, children, best = false }: CardProps) {
  const { t, money, perMinute, language, number } = useWords()
  const { consultant } = match
  return (
    <article className={best ? 'panel chosen' : 'panel'} data-testid={`match-${consultant.user_id}`} aria-label={consultant.display_name}>
      <div className="row" style={{ alignItems: 'flex-start', flexWrap: 'nowrap' }}>
        <Avatar name={consultant.display_name} />
        <div style={{ flex: 1, minWidth: 0 }}>
          <div className="row spread">
            <h2 style={{ margin: 0, fontSize: '1.05rem' }}>{consultant.display_name}</h2>
            <strong className="numbers">{t('matches.score', { score: number(match.score_centi / 100, 0) })}</strong>
          </div>
          <p style={{ margin: '0.1rem 0 0.4rem' }}>{consultant.headline}</p>
          <div className="row small" style={{ gap: '0.4rem 1rem' }}>
            <Status status={consultant.status} />
            <RatingWords consultant={consultant} />
            <span className="soft">{consultant.languages.map(language).join(', ')}</span>
            {consultant.response_s !== null && <span className="soft">{t('matches.response', { seconds: number(consultant.response_s, 0) })}</span>}
          </div>
        </div>
      </div>
      <dl className="facts" style={{ margin: '1rem 0 0.5rem' }}>
        <dt>{t('matches.rate')}</dt>
        <dd>{t('price.per_minute', { rate: perMinute(consultant.rate_minor_per_hour, consultant.currency) })}</dd>
        {match.price.estimates.map(({ minutes, minor }) => (
          <PriceLine key={minutes} label={t('matches.estimate', { minutes })} amount={money(minor, consultant.currency)} />
        ))}
      </dl>
      <Why match={match} version={version} />
      {children}
    </article>
  )
}

function PriceLine({ label, amount }: { label: string; amount: string }) {
  return (
    <>
      <dt>{label}</dt>
      <dd>{amount}</dd>
    </>
  )
}
