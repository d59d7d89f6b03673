// Owns the meter of a call: the ring to the threshold, then the running amount; pause, cap, warnings and the way to extend.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useRef } from 'react'
import { post } from '../api/client'
import type { MeterView, Side } from '../api/types'
import { meterAt, type MeterNow, priceMinor, type Warning, warningAt } from '../rules/meter'
import { formatLeft } from '../rules/money'
import { live, useServerNow } from '../socket/live'
import { Problem } from './Problem'
import { useWords } from './words'

const ROUND = 2 * Math.PI * 50

function RingPicture({ part, free }: { part: number; free: boolean }) {
  return (
    <svg viewBox="0 0 116 116" aria-hidden="true">
      <circle cx="58" cy="58" r="50" fill="none" stroke="var(--line)" strokeWidth="10" />
      <circle
        cx="58"
        cy="58"
        r="50"
        fill="none"
        stroke={free ? 'var(--accent)' : '#d9922e'}
        strokeWidth="10"
        strokeLinecap="round"
        strokeDasharray={ROUND}
        strokeDashoffset={ROUND * (1 - Math.min(1, Math.max(0, part)))}
        transform="rotate(-90 58 58)"
      />
    </svg>
  )
}

function WarningNote({ warning, meter, now, role }: { warning: Warning; meter: MeterView; now: MeterNow; role: Side }) {
  const { t, money, perMinute, clock } = useWords()
  const key = useRef(crypto.randomUUID())
  const extend = useMutation({
    mutationFn: () => post(`/api/calls/${meter.call_id}/extend`, { idempotency_key: key.current }),
    onSuccess: () => {
      key.current = crypto.randomUUID()
      live.sync()
    },
  })
  if (!warning) return null
  const figures = {
    left: formatLeft(warning.startsWith('cap') ? now.toCapMs : now.toThresholdMs),
    threshold: clock(meter.threshold_ms),
    rate: perMinute(meter.rate_minor_per_hour, meter.currency),
    amount: money(priceMinor(meter.rate_minor_per_hour, meter.threshold_ms), meter.currency),
    cap: money(meter.cap_minor, meter.currency),
    extra: money(meter.extend_minor ?? 0, meter.currency),
  }
  const cap = warning.startsWith('cap')
  const text = cap
    ? t(role === 'customer' ? 'warning.cap.customer' : 'warning.cap.consultant', figures)
    : t(role === 'consultant' ? 'warning.threshold.consultant' : meter.policy === 'whole_call' ? 'warning.threshold.whole_call' : 'warning.threshold.after_threshold', figures)
  return (
    <div className="note warn" data-testid="meter-warning">
      {/* A countdown that changes each second is not read out; what is said when it begins is, below. */}
      <p className="numbers">{text}</p>
      {cap && role === 'customer' && meter.extend_minor !== null && (
        <Button loading={extend.isPending} onClick={() => extend.mutate()} data-testid="extend">
          {t('warning.extend', figures)}
        </Button>
      )}
      <Problem error={extend.error} />
    </div>
  )
}

/** What is to be known while the reserve of a known customer does not stand yet. */
function LateHoldNote({ meter, role }: { meter: MeterView; role: Side }) {
  const { t, money, clock } = useWords()
  const { late_hold: late } = meter
  if (!late || late.state === 'stands' || meter.final) return null
  const figures = { due: clock(late.due_ms), threshold: clock(meter.threshold_ms), cap: money(meter.cap_minor, meter.currency) }
  return (
    <div className={late.state === 'missed' ? 'note warn' : 'note'} role="status" data-testid="late-hold" data-state={late.state}>
      <p className="numbers">{t(`late.${late.state}.${role}`, figures)}</p>
    </div>
  )
}

function spoken(meter: MeterView, warning: Warning, paused: boolean, t: ReturnType<typeof useWords>['t']): string {
  if (meter.final) return t('meter.said.final')
  if (warning) return t(`meter.said.${warning}`)
  return paused ? t('meter.said.paused') : ''
}

/** The newest moment the meter may show: while nothing comes in, it stands where we last heard something. */
function useMeterTime(running: boolean, silentSince: number | null): number {
  const now = useServerNow(running)
  return silentSince === null ? now : Math.min(now, live.now() - (performance.now() - silentSince))
}

export function Meter({ meter, role, silentSince = null }: { meter: MeterView; role: Side; silentSince?: number | null }) {
  const { t, money, perMinute, clock, time, coded } = useWords()
  const now = meterAt(meter, useMeterTime(meter.running && !meter.final, silentSince))
  const silent = meter.running && silentSince !== null
  const paused = (!meter.running || silent) && !meter.final
  const missed = meter.late_hold?.state === 'missed' // such a call does not begin to cost: there is nothing to warn of
  const warning = meter.final || missed ? null : warningAt(now)
  const customer = role === 'customer'
  const amount = money(customer ? now.grossMinor : now.netMinor, meter.currency)
  const rate = perMinute(meter.rate_minor_per_hour, meter.currency)
  return (
    <section className="panel stack" aria-label={t('meter.label')} data-testid="meter" data-connected-ms={now.connectedMs} data-running={meter.running}>
      <div className="meter">
        <RingPicture free={now.free} part={now.free ? now.connectedMs / meter.threshold_ms : now.connectedMs / Math.max(1, meter.cap_ms)} />
        <div>
          <div className="big" data-testid="meter-amount">
            {amount}
          </div>
          <div className="numbers" data-testid="meter-time">
            {clock(now.connectedMs)}
          </div>
          <div className="soft small numbers">
            {now.free
              ? t(customer ? 'meter.free' : 'meter.free_consultant', { left: formatLeft(now.toThresholdMs) })
              : customer
                ? t('meter.of_cap', { amount, cap: money(meter.cap_minor, meter.currency) })
                : t('meter.paid_time', { time: clock(now.connectedMs), net: amount })}
          </div>
        </div>
      </div>
      {paused && (
        <div className="note warn" data-testid="meter-paused">
          <p>
            {silent ? t('unbilled.silent') : (coded('unbilled', meter.unbilled_cause ?? 'waiting') ?? t('unbilled.waiting'))}
            {meter.unbilled_since && ` ${t('meter.since', { time: time(meter.unbilled_since) })}`}
          </p>
        </div>
      )}
      <LateHoldNote meter={meter} role={role} />
      <WarningNote warning={warning} meter={meter} now={now} role={role} />
      <dl className="facts small">
        <dt>{t('meter.rate')}</dt>
        <dd>{t('price.per_minute', { rate })}</dd>
        <dt>{t('meter.threshold')}</dt>
        <dd>{clock(meter.threshold_ms)}</dd>
        <dt>{t('meter.cap')}</dt>
        <dd>{money(meter.cap_minor, meter.currency)}</dd>
        {customer && (
          <>
            <dt>{t('meter.held')}</dt>
            <dd>{money(meter.held_minor, meter.currency)}</dd>
          </>
        )}
      </dl>
      <div className="hidden" aria-live="assertive">
        {spoken(meter, warning, paused, t)}
      </div>
    </section>
  )
}
