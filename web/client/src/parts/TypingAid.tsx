// Owns what is offered while a question is typed: topics, one question back, and one's own question that says the same.
import { Button } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { post } from '../api/client'
import type { Similar, TypingAid as Aid } from '../api/types'
import type { Draft } from '../screens/draft'
import { useWords } from './words'

const PAUSE_MS = 350 // long enough that nobody who types is asked about, short enough to be there when they stop
const ENOUGH = 8

/** An answer belongs to the text it was asked for: one that comes late, after the text went on, is never shown for it. */
export function useTypingAid(draft: Draft) {
  const [settled] = useDebouncedValue(draft, PAUSE_MS)
  const { title, details, language, tags } = settled
  return useQuery({
    queryKey: ['typing', title, details, language, tags],
    queryFn: () => post<Aid>('/api/questions/typing', { title, details, language, tags }),
    enabled: title.trim().length >= ENOUGH,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}

export function TypingAid({ draft, onTag }: { draft: Draft; onTag: (tag: string) => void }) {
  const { t, coded } = useWords()
  const aid = useTypingAid(draft)
  const [told, setTold] = useState('')
  const [waved, setWaved] = useState<string[]>([]) // facets that were answered with "none of these"
  const add = (tag: string) => {
    onTag(tag)
    setTold(t('refine.added', { tag }))
  }
  const suggested = (aid.data?.tags ?? []).filter((tag) => !draft.tags.includes(tag))
  const refining = aid.data?.refining
  const choices = (refining?.tags ?? []).filter((tag) => !draft.tags.includes(tag))
  const asked = refining && choices.length > 1 && !waved.includes(refining.facet) ? (coded('facet', refining.facet) ?? t('facet.topic')) : ''
  return (
    <>
      {suggested.length > 0 && (
        <fieldset className="chips" data-testid="suggested">
          <legend>{t('ask.suggested')}</legend>
          {suggested.map((tag) => (
            <button type="button" className="chip" key={tag} onClick={() => add(tag)}>
              + {tag}
            </button>
          ))}
        </fieldset>
      )}
      {refining && asked && (
        <fieldset className="chips" data-testid="refining">
          <legend>
            <span className="soft small">{t('refine.title')}</span> {asked}
          </legend>
          {choices.map((tag) => (
            <button type="button" className="chip" key={tag} onClick={() => add(tag)}>
              {tag}
            </button>
          ))}
          <button type="button" className="chip quiet" onClick={() => setWaved([...waved, refining.facet])}>
            {t('refine.other')}
          </button>
        </fieldset>
      )}
      <p className="hidden" aria-live="polite" data-testid="typing-told">
        {told} {asked}
      </p>
    </>
  )
}

/** Says so when the customer has an open question that asks the same, and offers to use that one. */
export function SimilarNotice({ draft }: { draft: Draft }) {
  const { t } = useWords()
  const navigate = useNavigate()
  const [settled] = useDebouncedValue(draft, PAUSE_MS)
  const [other, setOther] = useState<string[]>([])
  const { title, details } = settled
  const similar = useQuery({
    queryKey: ['similar', title, details],
    queryFn: () => post<Similar>('/api/questions/similar', { title, details }),
    enabled: title.trim().length >= ENOUGH,
    staleTime: 10_000,
  })
  const found = similar.data?.question
  return (
    <div aria-live="polite">
      {found && !other.includes(found.id) && (
        <div className="note warn" data-testid="similar">
          <p>{t('similar.text', { title: found.title })}</p>
          <div className="row" style={{ marginTop: '0.5rem' }}>
            <Button onClick={() => void navigate(`/ask/${found.id}/matches`)} data-testid="similar-use">
              {t('similar.use')}
            </Button>
            <Button variant="default" onClick={() => setOther([...other, found.id])}>
              {t('similar.new')}
            </Button>
          </div>
        </div>
      )}
    </div>
  )
}
