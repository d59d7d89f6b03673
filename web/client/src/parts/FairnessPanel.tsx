// Owns what a consultant may know of their own rings: how many, what they did to the rank, what was given and earned.
import { SegmentedControl } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { get } from '../api/client'
import type { Fairness } from '../api/types'
import { Problem } from './Problem'
import { useWords } from './words'

const periods = ['day', 'week', 'month'] as const
type Period = (typeof periods)[number]

export function FairnessPanel() {
  const { t, clock, money, number } = useWords()
  const [period, setPeriod] = useState<Period>('week')
  const fairness = useQuery({
    queryKey: ['fairness', period],
    queryFn: () => get<Fairness>(`/api/consultant/fairness?period=${period}`),
    refetchInterval: 60_000,
    placeholderData: keepPreviousData,
  })
  const panel = fairness.data
  const of = (kind: string) => panel?.effects.find((each) => each.kind === kind)?.count ?? 0
  return (
    <section className="panel stack" aria-labelledby="fairness-title" data-testid="fairness">
      <h2 id="fairness-title" style={{ margin: 0 }}>
        {t('fairness.title')}
      </h2>
      <SegmentedControl
        fullWidth
        aria-label={t('fairness.period')}
        value={period}
        onChange={(value) => setPeriod(value as Period)}
        data={periods.map((value) => ({ value, label: t(`fairness.${value}`) }))}
      />
      <Problem error={fairness.error} retry={() => void fairness.refetch()} />
      {panel && (
        <>
          <dl className="facts">
            <dt>{t('fairness.received')}</dt>
            <dd data-testid="rings-received">{panel.received}</dd>
            <dt>{t('fairness.accepted')}</dt>
            <dd>{of('accepted')}</dd>
            <dt>{t('fairness.declined')}</dt>
            <dd>{of('declined')}</dd>
            <dt>{t('fairness.missed')}</dt>
            <dd>{of('missed')}</dd>
            <dt>{t('fairness.withdrawn')}</dt>
            <dd>{panel.withdrawn}</dd>
            <dt>{t('fairness.free')}</dt>
            <dd>{t('fairness.free_value', { minutes: number(panel.free_ms / 60_000, 0), count: panel.free_calls })}</dd>
            <dt>{t('fairness.online')}</dt>
            <dd>{clock(panel.online_ms)}</dd>
            <dt>{t('fairness.net')}</dt>
            <dd>{panel.earned.map(({ net_minor, currency }) => money(net_minor, currency)).join(' · ') || t('fairness.none')}</dd>
            <dt>{t('fairness.per_hour')}</dt>
            <dd>
              {panel.earned
                .flatMap(({ per_online_hour_minor: each, currency }) => (each === null ? [] : [money(each, currency)]))
                .join(' · ') || t('fairness.none')}
            </dd>
          </dl>
          <Effects panel={panel} />
        </>
      )}
    </section>
  )
}

function Effects({ panel }: { panel: Fairness }) {
  const { t, number, percent, locale } = useWords()
  const signed = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: 'exceptZero' })
  const seconds = (ms: number) => number(ms / 1_000, 1)
  return (
    <div>
      <h3>{t('fairness.effect_title')}</h3>
      <p className="small">
        {panel.response_ms !== null && <>{t('fairness.now', { seconds: seconds(panel.response_ms) })} </>}
        {t('fairness.chance', { accept: percent(panel.p_accept_bps) })}
      </p>
      <ul className="small" style={{ paddingLeft: '1.2rem', marginTop: 0 }}>
        {panel.effects.map(({ kind, count, response_ms_without: without, ...each }) => {
          const words = {
            kind: t(`fairness.${kind}`),
            points: signed.format(each.score_change_centi / 100),
            ring: signed.format(each.ring_change_bps / 100),
            accept: percent(each.p_accept_without_bps),
          }
          return (
            <li key={kind}>
              {!count
                ? t('fairness.effect_none', { kind: words.kind })
                : without === null
                  ? t('fairness.effect_first', words)
                  : t('fairness.effect', { ...words, without: seconds(without) })}
            </li>
          )
        })}
      </ul>
      <details className="small">
        <summary>{t('fairness.formula')}</summary>
        <p>{t('fairness.formula_text', { version: panel.model_version, ring: panel.ring_version })}</p>
      </details>
    </div>
  )
}
