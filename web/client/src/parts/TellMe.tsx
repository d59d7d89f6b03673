// Owns *tell me when somebody is online*: the wish, and the notice that somebody is, with one click to ring.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { Link } from 'react-router'
import { call, post } from '../api/client'
import type { Wish } from '../api/types'
import { live, useLive } from '../socket/live'
import { Problem } from './Problem'
import { useWords } from './words'

const path = (questionId: string) => `/api/questions/${questionId}/tell-me`
const toMatch = (wish: Wish) => `/ask/${wish.question_id}/checkout?consultant=${wish.consultant_id ?? ''}`

function useForget() {
  return useMutation({ mutationFn: (questionId: string) => call<void>('DELETE', path(questionId)), onSuccess: live.sync })
}

/** The button, or what was wished already. */
export function TellMe({ questionId }: { questionId: string }) {
  const { t } = useWords()
  const { snapshot } = useLive()
  const wish = snapshot?.wishes.find((each) => each.question_id === questionId)
  const make = useMutation({
    mutationFn: async () => {
      // Asked for on a click only; without it the notice still appears on the page.
      if ('Notification' in window && Notification.permission === 'default') await Notification.requestPermission()
      await post(path(questionId))
    },
    onSuccess: live.sync,
  })
  const forget = useForget()
  if (wish?.told_at) return null // the notice above the page says so
  return (
    <div className="stack" data-testid="tell-me">
      <p role="status" style={{ margin: 0 }}>
        {wish ? t('tell.waiting') : t('tell.offer')}
      </p>
      <div>
        {wish ? (
          <Button variant="default" loading={forget.isPending} onClick={() => forget.mutate(questionId)}>
            {t('tell.forget')}
          </Button>
        ) : (
          <Button variant="default" loading={make.isPending} onClick={() => make.mutate()} data-testid="tell-me-button">
            {t('tell.make')}
          </Button>
        )}
      </div>
      <Problem error={make.error ?? forget.error} />
    </div>
  )
}

function useBrowserNotice(wish: Wish | undefined, text: string) {
  const id = wish ? `${wish.question_id} ${wish.told_at ?? ''}` : ''
  useEffect(() => {
    if (!id || !document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return
    // The tag keeps two tabs from saying it twice. Some phones allow notices from service workers only, and throw.
    try {
      const notice = new Notification(text, { tag: id })
      notice.onclick = () => window.focus()
      return () => notice.close()
    } catch {
      return
    }
  }, [id, text])
}

/** Somebody is online for a question: shown on every page until it is used or put away, but not to whoever rings or talks. */
export function Told() {
  const { t } = useWords()
  const { snapshot } = useLive()
  const busy = snapshot?.request?.state === 'ringing' || (snapshot?.call && snapshot.call.state !== 'ended')
  const told = busy ? undefined : snapshot?.wishes.find((each) => each.told_at)
  const text = told ? t('tell.told', { name: told.consultant_name ?? '', title: told.question_title }) : ''
  useBrowserNotice(told, text)
  const forget = useForget()
  if (!told) return null
  return (
    <div className="banner" role="status" data-testid="told">
      <div className="top-inner">
        <span>{text}</span>
        <Link className="row-link" to={toMatch(told)} data-testid="told-ring">
          {t('tell.ring', { name: told.consultant_name ?? '' })}
        </Link>
        <button type="button" className="nav-button" onClick={() => forget.mutate(told.question_id)} disabled={forget.isPending}>
          {t('tell.dismiss')}
        </button>
      </div>
    </div>
  )
}
