// Owns recording in a call: asking, agreeing, the mark that is always in view while it runs, and taking it back.
import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { post } from '../api/client'
import type { CallView } from '../api/types'
import { live } from '../socket/live'
import { Icon } from './pictures'
import { Problem } from './Problem'
import { useWords } from './words'

function useConsent(call: CallView) {
  return useMutation({ mutationFn: (consent: boolean) => post(`/api/calls/${call.id}/recording`, { consent }), onSettled: live.sync })
}

/** Over the picture, for both sides, as long as anything may be recorded. */
export function RecordingMark({ call }: { call: CallView }) {
  const { t } = useWords()
  if (call.recording.state !== 'on') return null
  return (
    <span className="recording-mark" role="status" data-testid="recording-mark">
      <i aria-hidden="true" />
      {t('recording.on')}
    </span>
  )
}

export function RecordingControl({ call }: { call: CallView }) {
  const { t } = useWords()
  const consent = useConsent(call)
  const { possible, state, by } = call.recording
  if (!possible || (state === 'asked' && by !== call.role) || call.state === 'preparing') return null
  return (
    <>
      <button type="button" className="control" aria-disabled={consent.isPending} onClick={() => !consent.isPending && consent.mutate(state === 'off')} data-testid="toggle-recording">
        <Icon name="record" />
        {t(state === 'off' ? 'recording.start' : state === 'asked' ? 'recording.take_back' : 'recording.stop')}
      </button>
      <Problem error={consent.error} />
    </>
  )
}

/** The question of one side to the other; nothing is recorded before it is answered with yes. */
export function RecordingQuestion({ call }: { call: CallView }) {
  const { t } = useWords()
  const consent = useConsent(call)
  const { state, by } = call.recording
  if (state !== 'asked') return null
  const mine = by === call.role
  const name = call.other.display_name
  return (
    <div className="note" role="status" data-testid="recording-asked">
      <p>{mine ? t('recording.waiting', { name }) : t('recording.asked', { name })}</p>
      {!mine && (
        <>
          <p className="small soft">{t('recording.what')}</p>
          <div className="row">
            <Button loading={consent.isPending} onClick={() => consent.mutate(true)} data-testid="recording-agree">
              {t('recording.agree')}
            </Button>
            <Button variant="default" onClick={() => consent.mutate(false)} data-testid="recording-decline">
              {t('recording.decline')}
            </Button>
          </div>
        </>
      )}
      <Problem error={consent.error} />
    </div>
  )
}
