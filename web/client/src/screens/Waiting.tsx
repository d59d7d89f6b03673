// Owns the time between Ring and the call: every stage with its time, the promise, cancel, and the device check meanwhile.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { post } from '../api/client'
import type { RequestView } from '../api/types'
import { DeviceCheck } from '../parts/DeviceCheck'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { TellMe } from '../parts/TellMe'
import { useWords } from '../parts/words'
import { formatClock, formatLeft } from '../rules/money'
import { live, useLive, useServerNow } from '../socket/live'

function Stages({ request }: { request: RequestView }) {
  const { t } = useWords()
  const start = Date.parse(request.created_at)
  return (
    <ol className="stages" data-testid="stages">
      {request.stages.map((each, n) => (
        <li key={`${each.stage}${each.at}${each.consultant_id ?? ''}`} className={n === request.stages.length - 1 ? 'now' : undefined}>
          <time dateTime={each.at}>{formatClock(Date.parse(each.at) - start)}</time>
          <span>{t(`stage.${each.stage}`, { name: each.consultant_name ?? '' })}</span>
        </li>
      ))}
    </ol>
  )
}

/** What a screen reader hears: the newest stage, not the countdown. */
function headline(request: RequestView, t: ReturnType<typeof useWords>['t']): string {
  const names = request.ringing.map((each) => each.consultant_name)
  const missed = request.stages.findLast((each) => each.stage === 'missed' || each.stage === 'declined')
  if (request.state === 'matched') return t('waiting.matched')
  if (names.length > 1) return t('waiting.ringing_two', { one: names[0] ?? '', two: names[1] ?? '' })
  if (names[0] && missed && missed.consultant_name !== names[0]) {
    return t(missed.stage === 'missed' ? 'waiting.next_missed' : 'waiting.next_declined', { missed: missed.consultant_name ?? '', name: names[0] })
  }
  if (names[0]) return t('waiting.ringing', { name: names[0] })
  return t('waiting.looking')
}

function Rung({ request, now }: { request: RequestView; now: number }) {
  const { t } = useWords()
  return request.ringing.map((each) => {
    const until = Date.parse(each.rings_until)
    const began = request.stages.findLast((stage) => stage.stage === 'ringing' && stage.consultant_id === each.consultant_id)
    const since = began ? Date.parse(began.at) : now
    const part = Math.min(100, Math.max(0, ((now - since) / (until - since)) * 100))
    const text = t('waiting.left', { name: each.consultant_name, left: formatLeft(until - now) })
    return (
      <div key={each.offer_id}>
        <p className="numbers" style={{ margin: 0 }}>
          {text}
        </p>
        <div className="promise" aria-hidden="true">
          <i style={{ width: `${part}%` }} />
        </div>
      </div>
    )
  })
}

/** The place in line and the usual wait, as far as the server knows them. */
function Queue({ request }: { request: RequestView }) {
  const { t } = useWords()
  if (request.position === null) return null
  return (
    <p className="numbers" style={{ margin: 0 }} data-testid="queue">
      {request.position === 1 ? t('waiting.first') : t('waiting.position', { position: request.position })}{' '}
      {request.usual_wait_s !== null && t('waiting.usual', { left: formatClock(request.usual_wait_s * 1_000) })}
    </p>
  )
}

/** What the list was narrowed down to still holds for whoever is rung. */
function Narrowed({ request }: { request: RequestView }) {
  const { t, language } = useWords()
  const filters = [
    ...(request.language ? [t('waiting.narrowed_language', { language: language(request.language) })] : []),
    ...(request.min_stars ? [t('waiting.narrowed_stars', { stars: request.min_stars })] : []),
  ]
  if (!filters.length) return null
  return (
    <p className="soft small" style={{ margin: 0 }} data-testid="narrowed">
      {t('waiting.narrowed', { filters: filters.join(', ') })}
    </p>
  )
}

function Credit({ request }: { request: RequestView }) {
  const { t, money } = useWords()
  if (!request.credit) return null
  return (
    <p className="note" data-testid="credit">
      {t('waiting.credit', { amount: money(request.credit.amount_minor, request.credit.currency) })}
    </p>
  )
}

function Ringing({ request }: { request: RequestView }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const now = useServerNow()
  const start = Date.parse(request.created_at)
  const promise = Date.parse(request.promise_at)
  const part = Math.min(100, ((now - start) / (promise - start)) * 100)
  const cancel = useMutation({
    mutationFn: () => post(`/api/requests/${request.id}/cancel`),
    onSuccess: () => {
      live.sync()
      void navigate(`/ask/${request.question_id}/matches`)
    },
  })
  const keep = useMutation({ mutationFn: () => post(`/api/requests/${request.id}/keep-waiting`), onSuccess: live.sync })
  return (
    <section className="panel stack" data-testid="waiting">
      <p aria-live="polite" style={{ fontSize: '1.25rem', fontWeight: 600, margin: 0 }} data-testid="waiting-headline">
        {headline(request, t)}
      </p>
      {request.waiting_over && request.state === 'ringing' && (
        <div className="note warn" role="alert">
          <p>{t('waiting.over')}</p>
          <Button loading={keep.isPending} onClick={() => keep.mutate()}>
            {t('waiting.keep')}
          </Button>
        </div>
      )}
      <Credit request={request} />
      <Rung request={request} now={now} />
      <Queue request={request} />
      <Narrowed request={request} />
      <div>
        <p className="soft small numbers" style={{ margin: '0 0 0.3rem' }}>
          {now < promise ? t('waiting.promise', { left: formatLeft(promise - now) }) : t('waiting.promise_over')}
        </p>
        <div className="promise" role="img" aria-label={t('waiting.promise_label')}>
          <i style={{ width: `${part}%` }} />
        </div>
      </div>
      <Stages request={request} />
      <p className="soft small">{t('waiting.nothing_reserved')}</p>
      <Problem error={cancel.error ?? keep.error} />
      <div>
        <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()} data-testid="cancel-request">
          {t('waiting.cancel')}
        </Button>
      </div>
    </section>
  )
}

export function Waiting() {
  const { questionId = '' } = useParams()
  const { t } = useWords()
  const navigate = useNavigate()
  const { snapshot } = useLive()
  const request = snapshot?.request?.question_id === questionId ? snapshot.request : null
  const call = snapshot?.call
  const callId = call && call.state !== 'ended' && (!request || request.call_id === call.id) ? call.id : null
  useEffect(() => {
    if (callId) void navigate(`/call/${callId}`, { replace: true })
  }, [callId, navigate])
  const over = !request || request.state === 'cancelled' || request.state === 'exhausted'
  return (
    <Page title={t('waiting.title')}>
      {!snapshot ? (
        <Loading />
      ) : over ? (
        <div className="panel stack" data-testid="waiting-ended">
          <p>{request?.state === 'exhausted' ? t('waiting.exhausted') : t('waiting.none')}</p>
          {request && <Credit request={request} />}
          <TellMe questionId={questionId} />
          <Link className="row-link" to={`/ask/${questionId}/matches`}>
            {t('waiting.back')}
          </Link>
        </div>
      ) : (
        <div className="columns">
          <Ringing request={request} />
          <DeviceCheck />
        </div>
      )}
    </Page>
  )
}
