// Owns "Problem with this call" on the receipt: saying it, the evidence's answer, the other side's view, the decision.
import { Button, Radio, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useEffect, useState } from 'react'
import { get, post } from '../api/client'
import type { Category, MaybeProblemOut, ProblemOut } from '../api/schema'
import type { Receipt } from '../api/types'
import { useLive } from '../socket/live'
import { Loading, Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

const categories: Record<Receipt['role'], Category[]> = {
  customer: ['consultant_absent', 'no_media', 'charged_twice', 'amount', 'quality', 'conduct', 'other'],
  consultant: ['no_media', 'amount', 'quality', 'conduct', 'other'],
}

/** What the evidence said, with its figures. */
function useFinding(problem: ProblemOut, currency: string): string {
  const { t, money, clock } = useWords()
  const figure = (name: string) => (typeof problem.facts[name] === 'number' ? problem.facts[name] : 0)
  const figures = {
    time: clock(figure('connected_ms')),
    overlap: clock(figure('overlaps_ms')),
    amount: money(figure('refund_minor'), currency),
    taken: money(figure('captured_minor'), currency),
    bill: money(figure('gross_minor'), currency),
  }
  if (problem.facts.waived === true) return t('problem.finding.waived', figures)
  switch (problem.finding) {
    case 'not_charged':
      return t(figure('captured_minor') ? 'problem.finding.given_back_before' : 'problem.finding.not_charged', figures)
    case 'never_connected':
      return t('problem.finding.never_connected', figures)
    case 'overlapping_call':
      return t('problem.finding.overlapping_call', figures)
    case 'taken_too_much':
      return t('problem.finding.taken_too_much', figures)
    default:
      if (problem.state === 'awaiting') return t('problem.finding.awaiting')
      return t(problem.state === 'decided' ? 'problem.finding.by_hand' : 'problem.finding.undecided', figures)
  }
}

function Words({ id, label, text, button, busy, onSend }: { id: string; label: string; text: string; button: string; busy: boolean; onSend: (words: string) => void }) {
  const [words, setWords] = useState('')
  function submit(event: FormEvent) {
    event.preventDefault()
    onSend(words.trim())
  }
  return (
    <form onSubmit={submit} className="stack">
      <Textarea required label={label} description={text} maxLength={2000} autosize minRows={3} value={words} onChange={(e) => setWords(e.currentTarget.value)} data-testid={`${id}-words`} />
      <div>
        <Button type="submit" loading={busy} disabled={words.trim().length < 3} data-testid={`${id}-send`}>
          {button}
        </Button>
      </div>
    </form>
  )
}

function Answer({ problem, receipt, onReply }: { problem: ProblemOut; receipt: Receipt; onReply: (next: ProblemOut) => void }) {
  const { t, date } = useWords()
  const finding = useFinding(problem, receipt.currency)
  const reply = useMutation({ mutationFn: (words: string) => post<ProblemOut>(`/api/calls/${receipt.call_id}/problem/reply`, { words }), onSuccess: onReply })
  const other = receipt.other_name
  const waits = problem.state === 'open' || problem.state === 'awaiting'
  const mayReply = !problem.mine && waits && !problem.reply
  return (
    <div className="stack" data-testid="problem-said" data-state={problem.state} data-finding={problem.finding}>
      <dl className="facts said">
        <dt>{problem.mine ? t('problem.you_said') : t('problem.they_said', { name: other })}</dt>
        <dd>
          <strong>{t(`problem.category.${problem.category}`)}</strong> · <span className="soft">{date(problem.opened_at)}</span>
          <br />
          <span className="words">{problem.words}</span>
        </dd>
        {problem.reply && (
          <>
            <dt>{problem.mine ? t('problem.they_replied', { name: other }) : t('problem.you_replied')}</dt>
            <dd className="words" data-testid="problem-reply">
              {problem.reply}
            </dd>
          </>
        )}
      </dl>
      <div className={waits ? 'note warn' : 'note'} role="status" data-testid="problem-answer">
        <p>{finding}</p>
        {problem.decision && (
          <p className="words" data-testid="problem-decision">
            {t('problem.decision', { words: problem.decision })}
          </p>
        )}
        {!waits && problem.decided_at && (
          <p className="small">
            {t(problem.refunded ? 'problem.closed_refunded' : 'problem.closed', { at: date(problem.decided_at) })}
          </p>
        )}
      </div>
      {mayReply && <Words id="reply" label={t('problem.reply')} text={t('problem.reply_hint')} button={t('problem.reply_send')} busy={reply.isPending} onSend={reply.mutate} />}
      <Problem error={reply.error} />
    </div>
  )
}

function Report({ receipt, onSaid }: { receipt: Receipt; onSaid: (next: ProblemOut) => void }) {
  const { t } = useWords()
  const [open, setOpen] = useState(false)
  const [category, setCategory] = useState<Category | null>(null)
  const send = useMutation({ mutationFn: (words: string) => post<ProblemOut>(`/api/calls/${receipt.call_id}/problem`, { category, words }), onSuccess: onSaid })
  if (!open) {
    return (
      <div>
        <Button variant="default" onClick={() => setOpen(true)} data-testid="problem-open">
          {t('problem.open')}
        </Button>
      </div>
    )
  }
  return (
    <>
      <Radio.Group label={t('problem.what')} value={category ?? ''} onChange={(value) => setCategory(categories[receipt.role].find((each) => each === value) ?? null)}>
        <div className="stack tight" style={{ paddingTop: '0.5rem' }}>
          {categories[receipt.role].map((each) => (
            <Radio key={each} value={each} label={t(`problem.category.${each}`)} data-testid={`problem-${each}`} />
          ))}
        </div>
      </Radio.Group>
      {category && <Words id="problem" label={t('problem.words')} text={t('problem.words_hint', { reference: receipt.reference })} button={t('problem.send')} busy={send.isPending} onSend={send.mutate} />}
      <Problem error={send.error} />
    </>
  )
}

export function CallProblem({ receipt }: { receipt: Receipt }) {
  const { t } = useWords()
  const queries = useQueryClient()
  const { snapshot } = useLive()
  const key = ['call-problem', receipt.call_id]
  const found = useQuery({ queryKey: key, queryFn: () => get<MaybeProblemOut>(`/api/calls/${receipt.call_id}/problem`) })
  const version = snapshot?.version
  useEffect(() => {
    // The server touches both sides when something is said or decided.
    void queries.invalidateQueries({ queryKey: ['call-problem', receipt.call_id] })
    void queries.invalidateQueries({ queryKey: ['receipt', receipt.call_id] })
  }, [queries, receipt.call_id, version])
  function changed(problem: ProblemOut) {
    queries.setQueryData<MaybeProblemOut>(key, { problem })
    void queries.invalidateQueries({ queryKey: ['receipt', receipt.call_id] })
    say(t('problem.sent'))
  }
  return (
    <section className="panel stack" aria-labelledby="problem-title">
      <h2 id="problem-title" style={{ margin: 0 }}>
        {t('problem.title')}
      </h2>
      {found.isPending && <Loading />}
      <Problem error={found.error} retry={() => void found.refetch()} />
      {found.data && (found.data.problem ? <Answer problem={found.data.problem} receipt={receipt} onReply={changed} /> : <Report receipt={receipt} onSaid={changed} />)}
    </section>
  )
}
