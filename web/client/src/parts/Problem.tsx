// Owns how a failure is shown: a sentence that says what to do, read out at once, and a way to try again.
import { Button } from '@mantine/core'
import { ApiError } from '../api/session'
import { useWords } from './words'

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t, problem } = useWords()
  if (!error) return null
  const id = error instanceof ApiError && error.status >= 500 ? error.requestId : null // a refusal says itself what to do
  return (
    <div className="note bad" role="alert" data-testid="problem">
      <p>{problem(error)}</p>
      {id && <p className="small soft">{t('error.request_id', { id })}</p>}
      {retry && (
        <Button variant="default" onClick={retry}>
          {t('common.retry')}
        </Button>
      )}
    </div>
  )
}

export function Loading() {
  const { t } = useWords()
  return (
    <p className="soft" role="status">
      {t('common.loading')}
    </p>
  )
}
