// Owns the consultant's start: the checklist until they can go online, the switch, the sound test, today's figures.
import { Button, Switch } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import { get, post } from '../api/client'
import type { ConsultantHome, PresenceView } from '../api/types'
import { playRing } from '../media/sound'
import { TaxNudge } from '../parts/BillingDetails'
import { DeviceCheck } from '../parts/DeviceCheck'
import { FairnessPanel } from '../parts/FairnessPanel'
import { Status } from '../parts/MatchCard'
import { OpenAccount } from '../parts/OpenAccount'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { live, useLive } from '../socket/live'

const profileParts = ['headline', 'tags', 'rate']

function Checklist({ presence }: { presence: PresenceView }) {
  const { t } = useWords()
  const profileMissing = profileParts.filter((part) => presence.missing.includes(part))
  const payoutMissing = presence.missing.includes('payout_account')
  const done = 1 + (profileMissing.length ? 0 : 1) + (payoutMissing ? 0 : 1)
  const mark = (good: boolean) => (
    <span aria-hidden="true" style={{ color: good ? 'var(--accent)' : 'var(--warn)', fontWeight: 700 }}>
      {good ? '✓' : '○'}
    </span>
  )
  return (
    <section className="panel stack" aria-labelledby="todo-title" data-testid="checklist">
      <h2 id="todo-title" style={{ margin: 0 }}>
        {t('home.todo', { done, all: 3 })}
      </h2>
      <ul className="stack tight" style={{ listStyle: 'none', margin: 0, padding: 0 }}>
        <li className="row">
          {mark(true)} {t('home.todo.account')}
        </li>
        <li className="row">
          {mark(!profileMissing.length)} {t('home.todo.profile')}
          <Link className="row-link" to="/profile">
            {t(profileMissing.length ? 'home.todo.fill' : 'home.todo.edit')}
          </Link>
        </li>
        <li className="row">
          {mark(!payoutMissing)} {t('home.todo.payout')}
        </li>
      </ul>
      {payoutMissing && <OpenAccount label={t('home.todo.payout_go')} testId="payout-setup" variant="light" />}
    </section>
  )
}

function OnlineSwitch({ presence }: { presence: PresenceView }) {
  const { t, coded } = useWords()
  const [wanted, setWanted] = useState<boolean | null>(null)
  const change = useMutation({
    mutationFn: (online: boolean) => post<PresenceView>('/api/consultant/online', { online }),
    onSettled: () => live.sync(),
    onError: () => setWanted(null),
  })
  useEffect(() => setWanted(null), [presence.switched_on])
  const on = wanted ?? presence.switched_on
  return (
    <section className="panel stack" aria-labelledby="online-title">
      <div className="row spread">
        <h2 id="online-title" style={{ margin: 0 }}>
          {t(`home.status.${presence.status}`)}
        </h2>
        <Status status={presence.status} />
      </div>
      {presence.away_reason && <p className="note warn">{coded('away', presence.away_reason) ?? t('away.missed')}</p>}
      <Switch
        size="xl"
        checked={on}
        disabled={(!presence.can_go_online && !on) || change.isPending}
        label={t(on ? 'home.online' : 'home.offline')}
        description={t(presence.can_go_online ? 'home.online_hint' : 'home.blocked')}
        onChange={(event) => {
          const online = event.currentTarget.checked
          setWanted(online)
          change.mutate(online)
        }}
        data-testid="online-switch"
      />
      {presence.status === 'away' && presence.switched_on && (
        <div>
          <Button loading={change.isPending} onClick={() => change.mutate(true)} data-testid="back-online">
            {t('home.back')}
          </Button>
        </div>
      )}
      <Problem error={change.error} />
      <div>
        <Button variant="default" onClick={() => void playRing()}>
          {t('home.sound')}
        </Button>
      </div>
      <p className="soft small">{t('home.sound_hint')}</p>
    </section>
  )
}

function Today() {
  const { t, clock, percent, money } = useWords()
  const home = useQuery({ queryKey: ['consultant-home'], queryFn: () => get<ConsultantHome>('/api/consultant/home'), refetchInterval: 30_000 })
  return (
    <section className="panel" aria-labelledby="today-title">
      <h2 id="today-title">{t('home.today')}</h2>
      <Problem error={home.error} retry={() => void home.refetch()} />
      {home.data && (
        <dl className="facts">
          <dt>{t('home.online_time')}</dt>
          <dd>{clock(home.data.online_ms)}</dd>
          <dt>{t('home.call_time')}</dt>
          <dd>{clock(home.data.in_call_ms)}</dd>
          <dt>{t('home.utilisation')}</dt>
          <dd>{percent(home.data.utilisation_bps)}</dd>
          <dt>{t('home.earned')}</dt>
          <dd>{money(home.data.earned_minor, home.data.currency ?? 'EUR')}</dd>
        </dl>
      )}
    </section>
  )
}

export function ConsultantHomeScreen() {
  const { t } = useWords()
  const { snapshot } = useLive()
  const [checking, setChecking] = useState(false)
  const presence = snapshot?.presence
  return (
    <Page title={t('home.title', { name: snapshot?.me.display_name ?? '' })}>
      {!presence ? (
        <Loading />
      ) : (
        <div className="columns">
          <div className="stack">
            {presence.missing.length > 0 && <Checklist presence={presence} />}
            <TaxNudge />
            <OnlineSwitch presence={presence} />
            {checking ? (
              <DeviceCheck />
            ) : (
              <div>
                <Button variant="subtle" onClick={() => setChecking(true)} data-testid="check-devices">
                  {t('home.check')}
                </Button>
              </div>
            )}
          </div>
          <div className="stack">
            <Today />
            <FairnessPanel />
            <Link className="row-link" to="/profile">
              {t('home.todo.edit')}
            </Link>
          </div>
        </div>
      )}
    </Page>
  )
}
