// Owns saving a card: the form of the sandbox or Stripe's own fields, and asking the server how it went.
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { post } from '../api/client'
import type { Cards, CardSetup } from '../api/types'
import { ProviderFrame } from './CardFrame'
import { HostedCard } from './HostedCard'
import { Loading, Problem } from './Problem'
import { useWords } from './words'

export function NewCard({ makeDefault, onSaved }: { makeDefault: boolean; onSaved: (cards: Cards) => void }) {
  const { t } = useWords()
  const [declined, setDeclined] = useState('')
  const setup = useQuery({
    queryKey: ['card-setup'],
    queryFn: () => post<CardSetup>('/api/payment/setup'),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
  })
  const complete = useMutation({
    mutationFn: (id: string) => post<Cards>(`/api/payment/setup/${id}/complete`, { make_default: makeDefault }),
    onSuccess: onSaved,
  })
  function receive(message: { type: string } & Record<string, unknown>) {
    if (message.type === 'card.saved' && setup.data) complete.mutate(setup.data.setup_intent_id)
    if (message.type === 'card.declined') setDeclined(String(message.message ?? ''))
    else setDeclined('')
  }
  const { form_url: url, publishable_key: key } = setup.data ?? {}
  return (
    <div className="stack">
      <p className="soft small" style={{ margin: 0 }}>
        {t('checkout.card_hint')}
      </p>
      {setup.isPending && <Loading />}
      {url && <ProviderFrame url={url} title={t('checkout.card_frame')} height={430} testId="card-frame" onMessage={receive} />}
      {setup.data && key && <HostedCard setup={setup.data} publishableKey={key} onSaved={() => complete.mutate(setup.data.setup_intent_id)} />}
      {declined && (
        <div className="note bad" role="alert">
          <p>{t('checkout.declined', { message: declined })}</p>
        </div>
      )}
      {complete.isPending && <Loading />}
      <Problem error={setup.error ?? complete.error} retry={setup.error ? () => void setup.refetch() : undefined} />
    </div>
  )
}
