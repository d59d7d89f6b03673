// Owns Stripe's own card fields: its script from its own origin (it may not be hosted by us), its frame, its answer.
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { CardSetup } from '../api/types'
import { Loading } from './Problem'
import { useWords } from './words'

// The part of docs.stripe.com/js that is used here.
interface CardElement {
  mount(place: HTMLElement): void
  destroy(): void
}
interface StripeJs {
  elements(): { create(type: 'card', options: { hidePostalCode: boolean; disableLink: boolean }): CardElement }
  confirmCardSetup(
    clientSecret: string,
    data: { payment_method: { card: CardElement } },
  ): Promise<{ setupIntent?: { status: string }; error?: { message?: string } }>
}
declare global {
  interface Window {
    Stripe?: (publishableKey: string, options: { locale: string }) => StripeJs
  }
}

const ADDRESS = 'https://js.stripe.com/v3/'

function loadStripe(): Promise<NonNullable<Window['Stripe']>> {
  return new Promise((resolve, reject) => {
    const finish = () => (window.Stripe ? resolve(window.Stripe) : reject(new Error('Stripe.js did not start')))
    if (window.Stripe) return finish()
    const script = document.createElement('script')
    script.src = ADDRESS
    script.addEventListener('load', finish)
    script.addEventListener('error', () => {
      script.remove() // so that another attempt loads it anew
      reject(new Error('Stripe.js did not load'))
    })
    document.head.append(script)
  })
}

/** 3-D Secure, where the bank wants it, is shown by Stripe over the page before the answer comes. */
export function HostedCard({ setup, publishableKey, onSaved }: { setup: CardSetup; publishableKey: string; onSaved: () => void }) {
  const { t, locale } = useWords()
  const place = useRef<HTMLDivElement>(null)
  const card = useRef<CardElement | null>(null)
  const [declined, setDeclined] = useState('')
  const stripe = useQuery({
    queryKey: ['stripe', publishableKey, locale],
    queryFn: async () => (await loadStripe())(publishableKey, { locale }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  useEffect(() => {
    if (!stripe.data || !place.current) return
    const element = stripe.data.elements().create('card', { hidePostalCode: true, disableLink: true })
    element.mount(place.current)
    card.current = element
    return () => element.destroy()
  }, [stripe.data])
  const confirm = useMutation({
    mutationFn: async () => {
      if (!stripe.data || !card.current) return
      const answer = await stripe.data.confirmCardSetup(setup.client_secret, { payment_method: { card: card.current } })
      setDeclined(answer.error ? (answer.error.message ?? t('error.error')) : '')
      if (answer.setupIntent?.status === 'succeeded') onSaved()
    },
  })
  return (
    <div className="stack" data-testid="hosted-card">
      {stripe.isPending && <Loading />}
      <div ref={place} className="hosted" role="group" aria-label={t('checkout.card_frame')} />
      {(stripe.error || confirm.error) && (
        <div className="note bad" role="alert">
          <p>{t('cards.stripe_away')}</p>
          <Button variant="default" onClick={() => void stripe.refetch()}>
            {t('common.retry')}
          </Button>
        </div>
      )}
      {declined && (
        <div className="note bad" role="alert">
          <p>{t('checkout.declined', { message: declined })}</p>
        </div>
      )}
      <div>
        <Button disabled={!stripe.data} loading={confirm.isPending} onClick={() => confirm.mutate()}>
          {t('cards.save')}
        </Button>
      </div>
    </div>
  )
}
