// Owns the first page: one question field, how many consultants are online, and the price rule as the policy states it.
import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Navigate, useNavigate } from 'react-router'
import { get } from '../api/client'
import { demoRole } from '../api/session'
import type { ConsultantCard, Terms } from '../api/types'
import { Page } from '../parts/Page'
import { TalkPicture } from '../parts/pictures'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'
import { keepDraft, readDraft } from './draft'

export function useTerms() {
  return useQuery({ queryKey: ['terms'], queryFn: () => get<Terms>('/api/terms'), staleTime: 60_000 })
}

export function usePriceRule(): string {
  const { t, clock } = useWords()
  const terms = useTerms().data
  if (!terms) return ''
  return t(terms.policy === 'whole_call' ? 'price.rule.whole_call' : 'price.rule.after_threshold', {
    threshold: clock(terms.threshold_ms),
    minutes: terms.threshold_ms / 60_000,
  })
}

export function Landing() {
  const { t, locale } = useWords()
  const navigate = useNavigate()
  const { account } = useSession()
  const [title, setTitle] = useState(() => readDraft(locale).title)
  const online = useQuery({
    queryKey: ['consultants', 'online'],
    queryFn: () => get<{ items: ConsultantCard[]; online_count: number }>('/api/consultants?online=true'),
    refetchInterval: 10_000,
  })
  const rule = usePriceRule()
  if (demoRole === 'consultant') return <Navigate to="/home" replace />
  if (account && !account.roles.includes('customer')) {
    return <Navigate to={account.roles.includes('consultant') ? '/home' : '/finance'} replace />
  }
  function go(event: FormEvent) {
    event.preventDefault()
    keepDraft({ ...readDraft(locale), title: title.trim() })
    void navigate('/ask')
  }
  const count = online.data?.online_count
  return (
    <div className="hero">
      <div>
        <Page title={t('landing.title')}>
          <p style={{ fontSize: '1.2rem' }} className="soft">
            {t('landing.lead')} {rule}
          </p>
          <form onSubmit={go} className="stack">
            <TextInput
              size="lg"
              label={t('landing.field')}
              placeholder={t('landing.example')}
              value={title}
              maxLength={140}
              onChange={(event) => setTitle(event.currentTarget.value)}
              data-testid="landing-question"
            />
            <div className="row">
              <Button type="submit" size="lg" data-testid="landing-go">
                {t('landing.go')}
              </Button>
              <span className="row" style={{ gap: '0.5rem' }} role="status" data-testid="online-count">
                {count !== undefined && (
                  <>
                    <span className={count ? 'dot on' : 'dot'} />
                    {t('landing.online', { count })}
                  </>
                )}
              </span>
            </div>
          </form>
        </Page>
        <ol className="soft" style={{ paddingLeft: '1.2rem', marginTop: '2rem' }}>
          <li>{t('landing.step1')}</li>
          <li>{t('landing.step2')}</li>
          <li>{t('landing.step3')}</li>
        </ol>
      </div>
      <TalkPicture />
    </div>
  )
}
