// Owns writing the question: kept as a draft, refined while typed, matches previewed before any account, posted once signed in.
import { Button, Select, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { post } from '../api/client'
import type { Matches, Question } from '../api/types'
import { ChooseFiles, FileLine, sendFile } from '../parts/Attachments'
import { MatchCard } from '../parts/MatchCard'
import { Page } from '../parts/Page'
import { Problem } from '../parts/Problem'
import { say } from '../parts/toast'
import { SimilarNotice, TypingAid } from '../parts/TypingAid'
import { useWords } from '../parts/words'
import { useSession } from '../socket/live'
import { type Draft, dropDraft, keepDraft, keepFiles, readDraft, readFiles } from './draft'

export function Ask() {
  const { t, locale, language, problem } = useWords()
  const navigate = useNavigate()
  const { status, account } = useSession()
  const [draft, setDraft] = useState<Draft>(() => readDraft(locale))
  const [files, setFiles] = useState<File[]>(readFiles)
  const [shortTitle, setShortTitle] = useState(false)
  const titleField = useRef<HTMLInputElement>(null)
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }))
  useEffect(() => keepDraft(draft), [draft])
  useEffect(() => keepFiles(files), [files])

  const [settled] = useDebouncedValue(draft, 700)
  const enough = settled.title.trim().length >= 8
  const preview = useQuery({
    queryKey: ['preview', settled.title, settled.details, settled.language],
    queryFn: () =>
      post<Matches>('/api/matches/preview', { title: settled.title.trim(), details: settled.details, language: settled.language }),
    enabled: enough && !account,
  })
  const publish = useMutation({
    mutationFn: async () => {
      const question = await post<Question>('/api/questions', {
        ...draft,
        title: draft.title.trim(),
        tags: draft.tags.length ? draft.tags : null, // none chosen: they are read out of the text
      })
      // The question stands; a file that is refused is said, and can be attached again beside the matches.
      for (const file of files) {
        await sendFile(question.id, file).catch((error: unknown) => say(t('files.failed', { name: file.name, reason: problem(error) })))
      }
      return question
    },
    onError: () => titleField.current?.focus(),
    onSuccess: (question) => {
      dropDraft()
      void navigate(`/ask/${question.id}/matches`)
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    const short = draft.title.trim().length < 8
    setShortTitle(short)
    if (short) titleField.current?.focus()
    else if (account) publish.mutate()
    else void navigate(`/sign-up?next=${encodeURIComponent('/ask?post=1')}`)
  }
  // Back from signing up: the question that was written before is posted without asking again.
  const returning = account?.roles.includes('customer') && new URLSearchParams(location.search).has('post')
  const { mutate, isIdle } = publish
  useEffect(() => {
    if (returning && isIdle && readDraft(locale).title.trim().length >= 8) {
      window.history.replaceState(null, '', '/ask')
      mutate()
    }
  }, [returning, isIdle, mutate, locale])

  return (
    <Page title={t('ask.title')}>
      <form onSubmit={submit} className="panel stack" noValidate>
        <TextInput
          ref={titleField}
          label={t('ask.question')}
          description={t('ask.question_hint')}
          value={draft.title}
          maxLength={140}
          required
          error={shortTitle && draft.title.trim().length < 8 ? t('ask.too_short') : undefined}
          onChange={(e) => change({ title: e.currentTarget.value })}
          data-testid="question-title"
        />
        <Textarea
          label={t('ask.details')}
          description={t('ask.details_hint')}
          autosize
          minRows={4}
          maxLength={4000}
          value={draft.details}
          onChange={(e) => change({ details: e.currentTarget.value })}
          data-testid="question-details"
        />
        <TagsInput label={t('ask.tags')} description={t('ask.tags_hint')} value={draft.tags} maxTags={8} onChange={(tags) => change({ tags })} />
        <TypingAid draft={draft} onTag={(tag) => change({ tags: [...draft.tags, tag].slice(0, 8) })} />
        <Select
          label={t('ask.language')}
          value={draft.language}
          allowDeselect={false}
          data={(['en', 'de'] as const).map((code) => ({ value: code, label: language(code) }))}
          onChange={(value) => change({ language: value === 'de' ? 'de' : 'en' })}
        />
        <div className="stack tight">
          <ChooseFiles already={files.length} onChosen={(chosen) => setFiles((old) => [...old, ...chosen])} />
          <ul className="plain">
            {files.map((file, n) => (
              <FileLine key={`${file.name}-${n}`} name={file.name} bytes={file.size} onRemove={() => setFiles(files.filter((_, at) => at !== n))} />
            ))}
          </ul>
        </div>
        {account?.roles.includes('customer') && <SimilarNotice draft={draft} />}
        <Problem error={publish.error} />
        <Button type="submit" loading={publish.isPending} disabled={status === 'loading'} data-testid="post-question">
          {account ? t('ask.go') : t('ask.go_sign_up')}
        </Button>
        <p className="soft small">{t('ask.free_to_look')}</p>
      </form>
      {!account && enough && preview.data && (
        <section className="stack" style={{ marginTop: '2rem' }} aria-label={t('ask.preview')} data-testid="preview">
          <h2>{preview.data.matches.length ? t('ask.preview') : t('matches.none')}</h2>
          {preview.data.matches.map((match) => (
            <MatchCard key={match.consultant.user_id} match={match} version={preview.data.model_version} />
          ))}
        </section>
      )}
    </Page>
  )
}
