// Owns what is agreed to before anyone is rung: the card, the highest rate, the cap, and the consent in plain words.
import { Button, Checkbox, Select } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { Link, useNavigate, useParams, useSearchParams } from 'react-router'
import { get, post } from '../api/client'
import { ApiError } from '../api/session'
import type { Card, HoldTime, Match, RequestView, Terms } from '../api/types'
import { CardsPart, usable, useCards } from '../parts/Cards'
import { Page } from '../parts/Page'
import { Problem } from '../parts/Problem'
import { useWords } from '../parts/words'
import { readFilters } from '../rules/filters'
import { priceMinor } from '../rules/meter'
import { live } from '../socket/live'
import { useTerms } from './Landing'
import { useMatches } from './Matches'

function LimitsAndConsent({ questionId, chosen, matches, terms, card, late }: { questionId: string; chosen: Match; matches: Match[]; terms: Terms; card: Card | null; late: number | null }) {
  const { t, money, perMinute, clock } = useWords()
  const navigate = useNavigate()
  const [search] = useSearchParams()
  const wanted = search.get('consultant')
  const { language, min_stars } = readFilters(search)
  const { currency, rate_minor_per_hour: ownRate } = chosen.consultant
  const [rate, setRate] = useState(ownRate)
  const [minutes, setMinutes] = useState(terms.default_cap_minutes)
  const [agreed, setAgreed] = useState(false)
  const key = useRef(crypto.randomUUID())
  const cap = priceMinor(rate, minutes * 60_000)
  const document = terms.documents.find((each) => each.document === 'terms')
  const rates = [...new Set([ownRate, ...matches.filter((m) => m.consultant.currency === currency).map((m) => m.consultant.rate_minor_per_hour)])]
    .filter((each) => each >= ownRate)
    .toSorted((a, b) => a - b)
  const reached = (limit: number) =>
    matches.filter((m) => m.consultant.currency === currency && m.consultant.rate_minor_per_hour <= limit).length
  const ring = useMutation({
    mutationFn: () =>
      post<RequestView>('/api/requests', {
        question_id: questionId,
        consultant_id: wanted,
        max_rate_minor_per_hour: rate,
        currency,
        language,
        min_stars,
        cap_minor: cap,
        terms_version: document?.version ?? '',
        consent: true,
        idempotency_key: key.current,
      }),
    onSuccess: () => {
      live.sync()
      void navigate(`/ask/${questionId}/waiting`)
    },
  })
  // Other limits are another order: only the very same one may be sent twice.
  function changed(action: () => void) {
    action()
    setAgreed(false)
    key.current = crypto.randomUUID()
  }
  const sentence = t(`checkout.consent.${late === null ? '' : 'late.'}${terms.policy}`, {
    late: clock(late ?? 0),
    hold: money(cap, currency),
    rate: perMinute(rate, currency),
    threshold: clock(terms.threshold_ms),
    cap: money(cap, currency),
    atThreshold: money(priceMinor(rate, terms.threshold_ms), currency),
  })
  return (
    <section className="panel stack" aria-labelledby="limits-title">
      <h2 id="limits-title" style={{ margin: 0 }}>
        {t('checkout.limits')}
      </h2>
      <Select
        label={t('checkout.max_rate')}
        description={t('checkout.max_rate_hint')}
        allowDeselect={false}
        value={String(rate)}
        data={rates.map((each) => ({
          value: String(each),
          label: t('checkout.rate_option', { rate: perMinute(each, currency), count: reached(each) }),
        }))}
        onChange={(value) => value && changed(() => setRate(Number(value)))}
        data-testid="max-rate"
      />
      <Select
        label={t('checkout.cap')}
        description={t('checkout.cap_hint')}
        allowDeselect={false}
        value={String(minutes)}
        data={[...new Set([15, 30, 45, 60, 90, terms.default_cap_minutes])]
          .toSorted((a, b) => a - b)
          .map((each) => ({ value: String(each), label: t('checkout.cap_option', { minutes: each, cap: money(priceMinor(rate, each * 60_000), currency) }) }))}
        onChange={(value) => value && changed(() => setMinutes(Number(value)))}
        data-testid="cap"
      />
      <div className="note" data-testid="hold-sentence">
        <p>
          {t(`checkout.hold.${late === null ? '' : 'late.'}${terms.policy}`, {
            late: clock(late ?? 0),
            hold: money(cap, currency),
            minutes,
            rate: perMinute(rate, currency),
            threshold: clock(terms.threshold_ms),
          })}
        </p>
      </div>
      <Checkbox checked={agreed} onChange={(e) => setAgreed(e.currentTarget.checked)} label={sentence} data-testid="consent" />
      {document && (
        <p className="small soft">
          <a href={document.url} target="_blank" rel="noreferrer">
            {t('document.terms')}
          </a>{' '}
          ({document.version})
        </p>
      )}
      <Problem error={ring.error} />
      {ring.error instanceof ApiError && ring.error.code === 'payment_due' && (
        <Link className="row-link" to="/settings#payment" data-testid="to-owed">
          {t('owed.go')}
        </Link>
      )}
      {!card && <p className="soft">{t('checkout.card_first')}</p>}
      <Button size="lg" disabled={!card || !agreed} loading={ring.isPending} onClick={() => ring.mutate()} data-testid="ring-now">
        {wanted ? t('checkout.ring_one', { name: chosen.consultant.display_name }) : t('checkout.ring')}
      </Button>
    </section>
  )
}

export function Checkout() {
  const { questionId = '' } = useParams()
  const { t } = useWords()
  const wanted = useSearchParams()[0].get('consultant')
  const terms = useTerms()
  const matches = useMatches(questionId)
  const cards = useCards()
  const hold = useQuery({ queryKey: ['payment', 'hold'], queryFn: () => get<HoldTime>('/api/payment/hold') })
  const all = [...(matches.data?.matches ?? []), ...(matches.data?.alternatives ?? [])]
  const chosen = all.find((match) => match.consultant.user_id === wanted) ?? matches.data?.matches[0]
  return (
    <Page title={t('checkout.title')}>
      <div className="stack">
        <Problem error={terms.error ?? matches.error ?? hold.error} retry={() => void Promise.all([terms.refetch(), matches.refetch(), hold.refetch()])} />
        <CardsPart />
        {terms.data && hold.data && chosen && (
          <LimitsAndConsent
            // What was agreed to for another time of the reserve is not agreed to for this one.
            key={`${chosen.consultant.user_id} ${hold.data.late_hold_ms}`}
            late={hold.data.late_hold_ms}
            questionId={questionId}
            chosen={chosen}
            matches={matches.data?.matches ?? []}
            terms={terms.data}
            card={usable(cards.data)}
          />
        )}
        {matches.data && !chosen && <p className="note warn">{t('matches.none')}</p>}
        <Link className="row-link" to={`/ask/${questionId}/matches`}>
          {t('checkout.back')}
        </Link>
      </div>
    </Page>
  )
}

