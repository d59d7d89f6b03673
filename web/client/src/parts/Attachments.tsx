// Owns files of a question: choosing them, sending and removing one's own, and reading those of a ring or a call.
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { download, get, post, query, remove } from '../api/client'
import type { Attachment, Attachments } from '../api/types'
import { ACCEPT, complaintAbout, MOST_FILES, typeOf } from '../rules/attachments'
import { DropZone } from './DropZone'
import { Problem } from './Problem'
import { say } from './toast'
import { useWords } from './words'

export const sendFile = (questionId: string, file: File) =>
  post<Attachment>(`/api/questions/${questionId}/attachments${query({ name: file.name })}`, new Blob([file], { type: typeOf(file) ?? file.type }))

/** Choose files; what cannot be attached is said by name, the rest is handed on. */
export function ChooseFiles({ already, onChosen }: { already: number; onChosen: (files: File[]) => void }) {
  const { t } = useWords()
  const [complaints, setComplaints] = useState<string[]>([])
  function take(files: File[]) {
    const good: File[] = []
    const bad: string[] = []
    for (const file of files) {
      const complaint = complaintAbout(file, already + good.length)
      if (complaint) bad.push(t(`files.${complaint}`, { name: file.name }))
      else good.push(file)
    }
    setComplaints(bad)
    if (good.length) onChosen(good)
  }
  return (
    <>
      <DropZone accept={ACCEPT} testId="attach" onFiles={take} several small>
        <strong>{t('files.choose')}</strong>
        <span className="soft small">{t('files.hint')}</span>
      </DropZone>
      <div role="alert">
        {complaints.map((each) => (
          <p key={each} className="note warn" data-testid="file-complaint">
            {each}
          </p>
        ))}
      </div>
    </>
  )
}

export function FileLine({ name, bytes, onOpen, onRemove }: { name: string; bytes: number; onOpen?: () => void; onRemove?: () => void }) {
  const { t, number } = useWords()
  return (
    <li className="row spread" data-testid="file">
      {onOpen ? (
        <button type="button" className="link" onClick={onOpen}>
          {name}
        </button>
      ) : (
        <span>{name}</span>
      )}
      <span className="row">
        <span className="soft small">{t('files.size', { kb: number(Math.max(1, bytes / 1024), 0) })}</span>
        {onRemove && (
          <Button variant="subtle" size="compact-md" aria-label={t('files.remove', { name })} onClick={onRemove}>
            ✕
          </Button>
        )}
      </span>
    </li>
  )
}

/** Hands a file to the browser; one that is gone by now is said. */
function useOpen() {
  const { problem } = useWords()
  return (file: Attachment) => void download(`/api/attachments/${file.id}`, file.name).catch((error: unknown) => say(problem(error)))
}

/** The owner's files of a posted question. */
export function OwnFiles({ questionId }: { questionId: string }) {
  const { t } = useWords()
  const open = useOpen()
  const files = useQuery({ queryKey: ['attachments', questionId], queryFn: () => get<Attachments>(`/api/questions/${questionId}/attachments`) })
  const add = useMutation({
    mutationFn: async (chosen: File[]) => {
      for (const file of chosen) await sendFile(questionId, file)
    },
    onSettled: () => files.refetch(),
  })
  const drop = useMutation({ mutationFn: (id: string) => remove(`/api/attachments/${id}`), onSettled: () => files.refetch() })
  const items = files.data?.items ?? []
  return (
    <details className="panel" data-testid="own-files" open={items.length > 0 || undefined}>
      <summary>
        {t('files.title')} ({items.length})
      </summary>
      <div className="stack tight">
        <ul className="plain">
          {items.map((file) => (
            <FileLine key={file.id} name={file.name} bytes={file.bytes} onOpen={() => open(file)} onRemove={() => drop.mutate(file.id)} />
          ))}
        </ul>
        {items.length < MOST_FILES && <ChooseFiles already={items.length} onChosen={(chosen) => add.mutate(chosen)} />}
        <Problem error={files.error ?? add.error ?? drop.error} />
      </div>
    </details>
  )
}

/** The customer's files, for the consultant it rings at or who took it. */
export function FilesOf({ address }: { address: string }) {
  const { t } = useWords()
  const open = useOpen()
  const files = useQuery({ queryKey: ['attachments', address], queryFn: () => get<Attachments>(address) })
  if (files.error) return <Problem error={files.error} />
  if (!files.data?.items.length) return null
  return (
    <div data-testid="files-of-question">
      <h3>{t('files.of_customer')}</h3>
      <ul className="plain">
        {files.data.items.map((file) => (
          <FileLine key={file.id} name={file.name} bytes={file.bytes} onOpen={() => open(file)} />
        ))}
      </ul>
    </div>
  )
}
