// Owns the ring on a consultant's screen, on every page and in every tab, until somebody has answered it.
import { Button, Select } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { post } from '../api/client'
import type { OfferView } from '../api/types'
import { devices } from '../media/devices'
import { ringUntilStopped } from '../media/sound'
import { formatLeft } from '../rules/money'
import { live, useLive, useServerNow } from '../socket/live'
import { FilesOf } from './Attachments'
import { Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

const declineReasons = ['busy', 'not_my_field', 'price', 'other'] as const

function useFlashingTitle(text: string) {
  useEffect(() => {
    const before = document.title
    let flash = false
    const timer = setInterval(() => {
      flash = !flash
      document.title = flash ? text : before
    }, 900)
    return () => {
      clearInterval(timer)
      document.title = before
    }
  }, [text])
}

function Ring({ offer }: { offer: OfferView }) {
  const { t, money, perMinute, language, reason, number } = useWords()
  const navigate = useNavigate()
  const dialog = useRef<HTMLDialogElement>(null)
  const acceptButton = useRef<HTMLButtonElement>(null)
  const answered = useRef(false)
  const now = useServerNow()
  const [why, setWhy] = useState<(typeof declineReasons)[number]>('busy')
  const accept = useMutation({
    mutationFn: () => post<{ call_id: string }>(`/api/offers/${offer.id}/accept`),
    onMutate: () => {
      answered.current = true
      // The browser asks for camera and microphone now, so that the call need not wait for it.
      void devices.start()
    },
    onSuccess: ({ call_id }) => {
      live.sync()
      void navigate(`/call/${call_id}`)
    },
    onError: live.sync,
  })
  const decline = useMutation({
    mutationFn: () => post(`/api/offers/${offer.id}/decline`, { reason: why }),
    onMutate: () => {
      answered.current = true
    },
    onSuccess: live.sync,
    onError: live.sync,
  })
  useFlashingTitle(t('ring.tab', { title: offer.question.title }))
  useEffect(ringUntilStopped, [])
  useEffect(() => {
    dialog.current?.showModal()
    acceptButton.current?.focus({ preventScroll: true })
    dialog.current?.scrollTo(0, 0) // a long question is read from its beginning
    return () => {
      if (!answered.current) say(t('ring.gone'))
    }
    // The message is chosen when the ring began; a change of language in mid-ring is not worth a second dialog.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  return (
    <dialog ref={dialog} className="ring" aria-labelledby="ring-title" onCancel={(event) => event.preventDefault()} data-testid="ring">
      <div className="inside">
        <div className="row spread head">
          <strong>{t('ring.title')}</strong>
          <span className="count" aria-hidden="true" data-testid="ring-left">
            {formatLeft(Date.parse(offer.rings_until) - now)}
          </span>
        </div>
        <div>
          <h2 id="ring-title" style={{ fontSize: '1.5rem', margin: 0 }} data-testid="ring-question">
            {offer.question.title}
          </h2>
          {offer.question.details && <p style={{ whiteSpace: 'pre-wrap', maxHeight: '9rem', overflow: 'auto', margin: '0.5rem 0 0' }}>{offer.question.details}</p>}
        </div>
        <div className="row small">
          <span className="pill">{language(offer.question.language)}</span>
          {offer.question.tags.map((tag) => (
            <span className="pill" key={tag}>
              {tag}
            </span>
          ))}
        </div>
        <FilesOf address={`/api/offers/${offer.id}/attachments`} />
        <dl className="facts">
          <dt>{t('ring.customer')}</dt>
          <dd>
            {offer.customer.display_name},{' '}
            {offer.customer.rating === null ? t('rating.none') : t('rating.short', { stars: number(offer.customer.rating), count: offer.customer.rating_count })}
          </dd>
          <dt>{t('ring.you_get')}</dt>
          <dd>
            {t('ring.net', {
              rate: perMinute(offer.rate_minor_per_hour, offer.currency),
              net: perMinute(offer.net_minor_per_hour, offer.currency),
            })}
          </dd>
          <dt>{t('ring.cap')}</dt>
          <dd>{money(offer.cap_minor, offer.currency)}</dd>
        </dl>
        {offer.reasons.length > 0 && (
          <div>
            <h3>{t('ring.why')}</h3>
            <ul className="small" style={{ margin: 0, paddingLeft: '1.2rem' }}>
              {offer.reasons.map((each) => (
                <li key={each.code + JSON.stringify(each.params)}>{reason(each)}</li>
              ))}
            </ul>
          </div>
        )}
        <Problem error={accept.error ?? decline.error} />
        <Button ref={acceptButton} className="answer" size="lg" loading={accept.isPending} onClick={() => accept.mutate()} data-testid="accept-offer">
          {t('ring.accept')}
        </Button>
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <Select
            style={{ flex: 1, minWidth: '12rem' }}
            label={t('ring.decline_reason')}
            value={why}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            data={declineReasons.map((value) => ({ value, label: t(`decline.${value}`) }))}
            onChange={(value) => setWhy((value as typeof why) ?? 'other')}
          />
          <Button variant="default" loading={decline.isPending} onClick={() => decline.mutate()} data-testid="decline-offer">
            {t('ring.decline')}
          </Button>
        </div>
      </div>
    </dialog>
  )
}

export function RingOverlay() {
  const { t } = useWords()
  const offer = useLive().snapshot?.offers[0]
  return (
    <>
      <div role="alert" className="hidden">
        {offer ? t('ring.announce', { title: offer.question.title, name: offer.customer.display_name }) : ''}
      </div>
      {offer && <Ring key={offer.id} offer={offer} />}
    </>
  )
}
