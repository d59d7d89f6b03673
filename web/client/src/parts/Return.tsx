// Owns the way back into a lost call: the offer to return, what it costs, being done with it, and hearing of the other's return.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link, useNavigate } from 'react-router'
import { post } from '../api/client'
import type { CallView } from '../api/types'
import { devices } from '../media/devices'
import { ringUntilStopped } from '../media/sound'
import { formatLeft } from '../rules/money'
import { type WayBackIn, wayBackIn } from '../rules/returning'
import { live, useLive, useServerNow } from '../socket/live'
import { Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

/** What there is to return to right now, and how long still, as the newest snapshot knows it. */
export function useWayBackIn(): { way: WayBackIn; left: string } {
  const { snapshot } = useLive()
  const now = useServerNow(Boolean(snapshot?.meter?.returns_until))
  const way = wayBackIn(snapshot?.call, snapshot?.meter, now)
  return { way, left: way?.kind === 'lost' ? formatLeft(way.untilMs - now) : '' }
}

function useReturn(callId: string) {
  const navigate = useNavigate()
  const { problem } = useWords()
  return useMutation({
    mutationFn: () => post<CallView>(`/api/calls/${callId}/return`),
    onMutate: () => {
      // The browser asks for camera and microphone now, so that the call need not wait for it.
      void devices.start()
    },
    onSuccess: ({ id }) => {
      live.sync()
      void navigate(`/call/${id}`)
    },
    onError: (error) => {
      say(problem(error)) // what is refused is gone from the page a moment later
      live.sync()
    },
  })
}

/** On the page of the ended call: return to it, or be done with it. */
export function ReturnPanel({ callId }: { callId: string }) {
  const { t, clock, time } = useWords()
  const { way, left } = useWayBackIn()
  const { snapshot } = useLive()
  const back = useReturn(way?.callId ?? callId)
  const finish = useMutation({ mutationFn: () => post(`/api/calls/${way?.callId ?? callId}/finish`), onSettled: live.sync })
  const about = snapshot?.call && [snapshot.call.id, snapshot.call.continues_call_id].includes(callId)
  if (way?.kind !== 'lost' || !about) return null
  return (
    <section className="panel stack" aria-labelledby="return-title" data-testid="return-panel">
      <h2 id="return-title" style={{ margin: 0 }}>
        {t('return.title')}
      </h2>
      <p style={{ margin: 0 }}>
        {t(way.free ? 'return.price_free' : 'return.price', { time: clock(way.connectedMs), threshold: clock(snapshot?.meter?.threshold_ms ?? 0) })}
      </p>
      <div className="row">
        <Button size="md" h="auto" py="sm" loading={back.isPending} onClick={() => back.mutate()} data-testid="return" styles={{ label: { whiteSpace: 'normal' } }}>
          {t('return.go', { left })}
        </Button>
        <Button size="md" variant="default" loading={finish.isPending} onClick={() => finish.mutate()} data-testid="finish">
          {t('return.done')}
        </Button>
      </div>
      <p className="soft small" style={{ margin: 0 }}>
        {t('return.until', { time: time(way.untilMs) })} {t('return.waits')}
      </p>
      <Problem error={finish.error} />
    </section>
  )
}

/** On every other page: a line at the top that leads back by one click, and rings when the other side has returned. */
export function ReturnBanner({ pathname }: { pathname: string }) {
  const { t } = useWords()
  const { way, left } = useWayBackIn()
  const { snapshot } = useLive()
  const name = snapshot?.call?.other.display_name ?? ''
  const back = useReturn(way?.callId ?? '')
  const rings = way?.kind === 'returned' && pathname !== `/call/${way.callId}`
  useEffect(() => (rings ? ringUntilStopped() : undefined), [rings])
  if (!way || (way.kind === 'lost' ? pathname.startsWith('/call/') : !rings)) return null
  return (
    <div className="banner" data-testid="return-banner">
      <div className="top-inner">
        {/* The sentence is announced, the time that runs beside it is not. */}
        <span role={rings ? 'alert' : 'status'}>{rings ? t('return.other', { name }) : t('return.lost', { name })}</span>
        {way.kind === 'lost' && (
          <Button variant="white" loading={back.isPending} onClick={() => back.mutate()} data-testid="return">
            {t('return.go', { left })}
          </Button>
        )}
        <Link className="row-link" to={rings ? `/call/${way.callId}` : `/call/${way.callId}/done`} onClick={() => void (rings && devices.start())}>
          {t(rings ? 'return.join' : 'return.details')}
        </Link>
      </div>
    </div>
  )
}
