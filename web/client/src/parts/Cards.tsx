// Owns the saved cards: choosing the one that is used, adding one, and (in the settings) removing one.
import { Button, Checkbox, Radio } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { call, get, post } from '../api/client'
import type { Card, Cards } from '../api/types'
import { NewCard } from './NewCard'
import { BrandPicture } from './pictures'
import { Loading, Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

export const useCards = () => useQuery({ queryKey: ['cards'], queryFn: () => get<Cards>('/api/payment/cards') })

/** The card the next call would be paid with. */
export const usable = (cards: Cards | undefined) => cards?.items.find((card) => card.default && !card.expired) ?? null

const names: Record<string, string> = { visa: 'Visa', mastercard: 'Mastercard', amex: 'American Express', discover: 'Discover', diners: 'Diners Club', jcb: 'JCB', unionpay: 'UnionPay' }
const nameOf = ({ brand }: Card) => names[brand] ?? brand

function Removal({ card, onChange }: { card: Card; onChange: (cards: Cards) => void }) {
  const { t } = useWords()
  const [asked, setAsked] = useState(false)
  const remove = useMutation({
    mutationFn: () => call<Cards>('DELETE', `/api/payment/cards/${card.payment_method_id}`),
    onSuccess: (cards) => {
      onChange(cards)
      say(t('cards.removed'))
    },
  })
  const which = { brand: nameOf(card), last4: card.last4 }
  if (!asked) {
    return (
      <Button variant="subtle" onClick={() => setAsked(true)} aria-label={t('cards.remove_which', which)} data-testid={`remove-${card.last4}`}>
        {t('cards.remove')}
      </Button>
    )
  }
  return (
    <div className="stack" role="group" aria-label={t('cards.remove_which', which)}>
      <p style={{ margin: 0 }}>{t('cards.confirm', which)}</p>
      <Problem error={remove.error} />
      <div className="row">
        <Button color="#a3271f" loading={remove.isPending} onClick={() => remove.mutate()} data-testid="remove-confirm">
          {t('cards.remove')}
        </Button>
        <Button variant="default" onClick={() => setAsked(false)} autoFocus>
          {t('cards.keep')}
        </Button>
      </div>
    </div>
  )
}

function CardRow({ card, chosen, removable, busy, onChoose, onChange }: { card: Card; chosen: boolean; removable: boolean; busy: boolean; onChoose: () => void; onChange: (cards: Cards) => void }) {
  const { t } = useWords()
  const until = { month: String(card.exp_month).padStart(2, '0'), year: String(card.exp_year) }
  return (
    <li className="saved-card" data-testid={card.default ? 'card-saved' : undefined}>
      <Radio
        name="card"
        checked={chosen}
        disabled={card.expired || busy}
        onChange={onChoose}
        data-testid={`card-${card.last4}`}
        label={
          <span className="which">
            <BrandPicture brand={card.brand} />
            <span>
              {t('cards.ending', { brand: nameOf(card), last4: card.last4 })}
              <br />
              <span className="soft small">
                {card.expired ? t('cards.expired', until) : t('cards.valid', until)}
                {card.default && !card.expired && ` · ${t('cards.default')}`}
              </span>
            </span>
          </span>
        }
      />
      {removable && <Removal card={card} onChange={onChange} />}
    </li>
  )
}

export function CardsPart({ removable = false }: { removable?: boolean }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const cards = useCards()
  const [adding, setAdding] = useState(false)
  const [preferred, setPreferred] = useState(true)
  const changed = (reply: Cards) => queries.setQueryData<Cards>(['cards'], reply)
  const choose = useMutation({ mutationFn: (id: string) => post<Cards>(`/api/payment/cards/${id}/default`), onSuccess: changed })
  const items = cards.data?.items ?? []
  const first = cards.isSuccess && !items.length
  function saved(reply: Cards) {
    changed(reply)
    setAdding(false)
    say(t('cards.added'))
  }
  return (
    <section className="panel stack" aria-labelledby="card-title">
      <h2 id="card-title" style={{ margin: 0 }}>
        {t(removable ? 'cards.title' : 'checkout.card')}
      </h2>
      {cards.isPending && <Loading />}
      <Problem error={cards.error ?? choose.error} retry={cards.error ? () => void cards.refetch() : undefined} />
      {items.length > 0 && (
        <fieldset className="plain">
          <legend className="soft small">{t('cards.choose')}</legend>
          <ul className="plain">
            {items.map((card) => (
              <CardRow key={card.payment_method_id} card={card} chosen={!card.expired && (choose.isPending ? choose.variables === card.payment_method_id : card.default)} removable={removable} busy={choose.isPending} onChoose={() => choose.mutate(card.payment_method_id)} onChange={changed} />
            ))}
          </ul>
        </fieldset>
      )}
      {first && removable && !adding && <p style={{ margin: 0 }}>{t('cards.empty')}</p>}
      {adding || (first && !removable) ? (
        <>
          {items.length > 0 && <Checkbox checked={preferred} onChange={(e) => setPreferred(e.currentTarget.checked)} label={t('cards.prefer')} />}
          <NewCard makeDefault={preferred} onSaved={saved} />
          {adding && (
            <div>
              <Button variant="default" onClick={() => setAdding(false)}>
                {t('cards.cancel')}
              </Button>
            </div>
          )}
        </>
      ) : (
        cards.data && (
          <div>
            <Button variant="default" onClick={() => setAdding(true)} data-testid="add-card">
              {t('cards.add')}
            </Button>
          </div>
        )
      )}
    </section>
  )
}
