// Owns what remains of a call: the amount, how it came about, what became of the reserve, the rating, and blocking.
import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link, useParams } from 'react-router'
import { get, post } from '../api/client'
import { ApiError } from '../api/session'
import type { RecordingsOut } from '../api/schema'
import type { Receipt } from '../api/types'
import { CallProblem } from '../parts/CallProblem'
import { GivenBackPart } from '../parts/GivenBack'
import { Page } from '../parts/Page'
import { Loading, Problem } from '../parts/Problem'
import { ProofPanel } from '../parts/Proof'
import { ReturnPanel, useWayBackIn } from '../parts/Return'
import { Stars } from '../parts/Stars'
import { TimelineList } from '../parts/Timeline'
import { VatLabel, VatReason } from '../parts/Vat'
import { useWords } from '../parts/words'
import { shownSpans } from '../rules/receipt/spans'

const FAST_MS = 1_500
const SLOW_MS = 15_000
const SETTLED = new Set(['captured', 'released', 'uncollectable', 'abandoned', 'failed', 'refunded'])

function useReceiptSentence(receipt: Receipt): string {
  const { t, money, clock, time, date } = useWords()
  const figures = {
    amount: money(receipt.gross_minor, receipt.currency),
    net: money(receipt.net_minor, receipt.currency),
    zero: money(0, receipt.currency),
    time: clock(receipt.connected_ms),
    threshold: clock(receipt.threshold_ms),
    released: receipt.released_at ? time(receipt.released_at) : '',
    rest: money(receipt.released_minor, receipt.currency),
    until: receipt.review_until ? date(receipt.review_until) : '',
  }
  if (receipt.review_until) return t(receipt.role === 'consultant' ? 'receipt.review.consultant' : 'receipt.review', figures)
  if (receipt.role === 'consultant' && receipt.close_reason === 'hold_missed') return t('receipt.missed.consultant', figures)
  if (receipt.role === 'consultant') return t(receipt.gross_minor ? 'receipt.paid.consultant' : 'receipt.free.consultant', figures)
  if (receipt.state === 'uncollectable') return t('receipt.uncollectable', figures)
  if (receipt.gross_minor) return t(receipt.released_minor ? 'receipt.paid_rest' : 'receipt.paid', figures)
  if (receipt.released_at) return t('receipt.free_released', figures)
  return t(receipt.held_minor ? 'receipt.free_pending' : 'receipt.free_none', figures)
}

function Lines({ receipt }: { receipt: Receipt }) {
  const { t, money, clock, time, coded, perMinute } = useWords()
  const customer = receipt.role === 'customer'
  const spans = shownSpans(receipt.lines)
  return (
    <div className="scroller" tabIndex={0} role="region" aria-label={t('receipt.breakdown')}>
      <table className="plain receipt-lines" data-testid="receipt-lines">
        <thead>
          <tr>
            <th scope="col">{t('receipt.line')}</th>
            <th scope="col">{t('receipt.when')}</th>
            <th scope="col" className="right">
              {t('receipt.duration')}
            </th>
            <th scope="col" className="right">
              {t('receipt.amount')}
            </th>
          </tr>
        </thead>
        <tbody>
          {receipt.lines.map((line, n) => (
            <tr key={`${line.kind}${line.from}${n}`} data-kind={line.kind}>
              <td>
                {t(`line.${line.kind}`, { rate: perMinute(receipt.rate_minor_per_hour, receipt.currency) })}
                {line.cause && <span className="soft small"> · {coded('unbilled', line.cause) ?? line.cause.replaceAll('_', ' ')}</span>}
              </td>
              <td>{line.from && `${time(line.from)}${line.to ? `\u00a0– ${time(line.to)}` : ''}`}</td>
              <td className="right">{clock(spans[n] ?? line.duration_ms)}</td>
              <td className="right">{money(line.amount_minor, receipt.currency)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={2}>{t('receipt.gross')}</td>
            <td className="right">{clock(receipt.billed_ms)}</td>
            <td className="right">{money(receipt.gross_minor, receipt.currency)}</td>
          </tr>
          <tr className="light" data-testid="receipt-vat">
            <td colSpan={3}>
              <VatLabel receipt={receipt} />
            </td>
            <td className="right">{money(receipt.vat_minor, receipt.currency)}</td>
          </tr>
          <tr className="light">
            <td colSpan={3}>{t('receipt.net_of_vat')}</td>
            <td className="right">{money(receipt.net_of_vat_minor, receipt.currency)}</td>
          </tr>
          {!customer && (
            <>
              <tr>
                <td colSpan={3}>{t('receipt.commission')}</td>
                <td className="right">{money(-receipt.commission_minor, receipt.currency)}</td>
              </tr>
              <tr>
                <td colSpan={3}>{t('receipt.net')}</td>
                <td className="right" data-testid="receipt-net">
                  {money(receipt.net_minor, receipt.currency)}
                </td>
              </tr>
            </>
          )}
        </tfoot>
      </table>
    </div>
  )
}

function RateAndBlock({ callId, other }: { callId: string; other: string }) {
  const { t } = useWords()
  const [stars, setStars] = useState(0)
  const [comment, setComment] = useState('')
  const [sure, setSure] = useState(false)
  const rate = useMutation({ mutationFn: () => post(`/api/calls/${callId}/rating`, { stars, ...(comment.trim() ? { comment: comment.trim() } : {}) }) })
  const block = useMutation({ mutationFn: () => post(`/api/calls/${callId}/block`) })
  function submit(event: FormEvent) {
    event.preventDefault()
    rate.mutate()
  }
  return (
    <section className="panel stack" aria-labelledby="rate-title">
      <h2 id="rate-title" style={{ margin: 0 }}>
        {t('rating.title', { name: other })}
      </h2>
      {rate.isSuccess ? (
        <p role="status" data-testid="rated">
          {t('rating.thanks')}
        </p>
      ) : (
        <form onSubmit={submit} className="stack">
          <Stars value={stars} onChange={setStars} />
          <Textarea label={t('rating.comment')} maxLength={1000} autosize minRows={2} value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
          <Problem error={rate.error} />
          <div>
            <Button type="submit" disabled={!stars} loading={rate.isPending} data-testid="rate">
              {t('rating.send')}
            </Button>
          </div>
        </form>
      )}
      {block.isSuccess ? (
        <p role="status">{t('block.done', { name: other })}</p>
      ) : sure ? (
        <div className="note warn">
          <p>{t('block.sure', { name: other })}</p>
          <Problem error={block.error} />
          <div className="row">
            <Button color="red" loading={block.isPending} onClick={() => block.mutate()} data-testid="block-confirm">
              {t('block.yes')}
            </Button>
            <Button variant="default" onClick={() => setSure(false)}>
              {t('common.no')}
            </Button>
          </div>
        </div>
      ) : (
        <div>
          <Button variant="default" onClick={() => setSure(true)} data-testid="block">
            {t('block.ask', { name: other })}
          </Button>
        </div>
      )}
    </section>
  )
}

function ReceiptPart({ receipt }: { receipt: Receipt }) {
  const { t, money, perMinute, clock, date, coded } = useWords()
  const sentence = useReceiptSentence(receipt)
  const shown = receipt.role === 'customer' ? receipt.gross_minor : receipt.net_minor
  const settled = SETTLED.has(receipt.state)
  const waits = useWayBackIn().way !== null && receipt.state === 'metering'
  return (
    <div className="stack" data-testid="receipt" data-state={receipt.state}>
      {receipt.close_reason && <p style={{ margin: 0 }}>{receipt.close_reason === `${receipt.role}_left` ? t('receipt.you_left') : (coded('close', receipt.close_reason) ?? receipt.close_reason)}</p>}
      <div className="panel stack tight">
        <div className="amount" data-testid="receipt-amount">
          {money(shown, receipt.currency)}
        </div>
        {!waits && (
          <p role="status" style={{ margin: 0 }} data-testid="receipt-sentence">
            {sentence}
          </p>
        )}
        {waits && <p style={{ margin: 0 }}>{t('return.so_far', { time: clock(receipt.connected_ms) })}</p>}
        {receipt.review_until && receipt.role === 'customer' && <p className="soft small" data-testid="review-wrong">{t('receipt.review_wrong')}</p>}
        {!settled && !waits && !receipt.review_until && <p className="soft small">{t('receipt.settling')}</p>}
      </div>
      <section className="panel stack">
        <h2 style={{ margin: 0 }}>{t('receipt.breakdown')}</h2>
        <Lines receipt={receipt} />
        <VatReason receipt={receipt} />
        <dl className="facts small">
          <dt>{t('receipt.reference')}</dt>
          <dd data-testid="receipt-reference">{receipt.reference}</dd>
          {receipt.invoice_number && (
            <>
              <dt>{t('receipt.invoice')}</dt>
              <dd data-testid="receipt-invoice">{receipt.invoice_number}</dd>
            </>
          )}
          <dt>{t('receipt.question')}</dt>
          <dd>{receipt.question_title}</dd>
          <dt>{t('receipt.with')}</dt>
          <dd>{receipt.other_name}</dd>
          <dt>{t('meter.rate')}</dt>
          <dd>{t('price.per_minute', { rate: perMinute(receipt.rate_minor_per_hour, receipt.currency) })}</dd>
          <dt>{t('meter.threshold')}</dt>
          <dd>{clock(receipt.threshold_ms)}</dd>
          <dt>{t('meter.cap')}</dt>
          <dd>{money(receipt.cap_minor, receipt.currency)}</dd>
          <dt>{t('receipt.held')}</dt>
          <dd>{money(receipt.held_minor, receipt.currency)}</dd>
          <dt>{t('receipt.released')}</dt>
          <dd data-testid="receipt-released">{money(receipt.released_minor, receipt.currency)}</dd>
          {receipt.consent && (
            <>
              <dt>{t('receipt.consent')}</dt>
              <dd>
                {t('receipt.consent_to', { version: receipt.consent.terms_version, at: date(receipt.consent.at) })}
              </dd>
            </>
          )}
        </dl>
        <p className="soft small" style={{ margin: 0 }}>
          {t('receipt.fee')}
        </p>
      </section>
      <GivenBackPart receipt={receipt} />
      {settled && <ProofPanel receipt={receipt} />}
      <section className="panel">
        <h2>{t('receipt.timeline')}</h2>
        <TimelineList items={receipt.timeline} currency={receipt.currency} />
      </section>
    </div>
  )
}

function RecordingLink({ callId }: { callId: string }) {
  const { t } = useWords()
  const found = useQuery({ queryKey: ['recordings', callId], queryFn: () => get<RecordingsOut>(`/api/calls/${callId}/recordings`) })
  if (!found.data?.items.length) return null
  return (
    <Link className="row-link" to={`/call/${callId}/recording`} data-testid="watch-recording">
      {t('recording.watch')}
    </Link>
  )
}

export function Done() {
  const { callId = '' } = useParams()
  const { t } = useWords()
  const receipt = useQuery({
    queryKey: ['receipt', callId],
    queryFn: () => get<Receipt>(`/api/calls/${callId}/receipt`),
    // Settling takes a moment: look again until the money has come to rest; not so often while the bill may be looked at.
    refetchInterval: ({ state: { data } }) => {
      if (data?.review_until) return SLOW_MS
      return data && SETTLED.has(data.state) && data.given_back.every((each) => each.at) ? false : FAST_MS
    },
  })
  const early = receipt.error instanceof ApiError && (receipt.error.status === 409 || receipt.error.code === 'not_settled')
  const data = receipt.data
  return (
    <Page title={t('receipt.title')}>
      {receipt.isPending && <Loading />}
      {early ? <Loading /> : <Problem error={receipt.error} retry={() => void receipt.refetch()} />}
      {data && (
        <div className="stack">
          <ReturnPanel callId={callId} />
          <ReceiptPart receipt={data} />
          <RecordingLink callId={callId} />
          {(SETTLED.has(data.state) || data.review_until) && <CallProblem receipt={data} />}
          {data.connected_ms > 0 && <RateAndBlock callId={callId} other={data.other_name} />}
          <div className="row">
            <Link className="row-link" to={data.role === 'customer' ? '/ask' : '/home'}>
              {t(data.role === 'customer' ? 'receipt.again' : 'receipt.home')}
            </Link>
            <Link className="row-link" to="/calls">
              {t('nav.calls')}
            </Link>
          </div>
        </div>
      )}
    </Page>
  )
}
