// Owns the call: from the reserve on the card to the last second, through lost connections, without leaving this screen.
import { Button } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { useNavigate, useParams } from 'react-router'
import { get, post } from '../api/client'
import type { CallView, MeterView } from '../api/types'
import { devices } from '../media/devices'
import { Room } from '../media/room'
import { FilesOf } from '../parts/Attachments'
import { Bank } from '../parts/Bank'
import { Chat } from '../parts/Chat'
import { DeviceMenu } from '../parts/DeviceMenu'
import { useDevices, Video } from '../parts/DeviceCheck'
import { Meter } from '../parts/Meter'
import { Page } from '../parts/Page'
import { Icon } from '../parts/pictures'
import { Loading, Problem } from '../parts/Problem'
import { QualitySign } from '../parts/Quality'
import { RecordingControl, RecordingMark, RecordingQuestion } from '../parts/Recording'
import { say } from '../parts/toast'
import { useWords } from '../parts/words'
import { formatLeft } from '../rules/money'
import { live, useLive, useServerNow } from '../socket/live'
import { Missing } from './Missing'

const UNSEEN_DOUBT_MS = 3_000

function useRoom(callId: string, on: boolean): Room | null {
  const [room, setRoom] = useState<Room | null>(null)
  useEffect(() => {
    if (!on) return
    const opened = new Room(callId)
    setRoom(opened)
    return () => {
      opened.close()
      setRoom(null)
    }
  }, [callId, on])
  return room
}

const noRoom = { subscribe: () => () => undefined, read: () => null }

/** The server is right about what it sees: unseen for a while although we believe to be connected means a new connection. */
function useDoubt(room: Room | null, call: CallView) {
  const own = call.participants[call.role]
  const unseen = call.media_ready && !own.seen && own.last_seen_at !== null
  useEffect(() => {
    if (!room || !unseen) return
    const timer = setInterval(() => room.doubt(), UNSEEN_DOUBT_MS + 2_000)
    return () => clearInterval(timer)
  }, [room, unseen])
}

function Control({ icon, pressed, onClick, children, testId }: { icon: 'microphone' | 'camera' | 'screen' | 'pause'; pressed?: boolean; onClick: () => void; children: ReactNode; testId: string }) {
  return (
    <button type="button" className="control" aria-pressed={pressed} onClick={onClick} data-testid={testId}>
      <Icon name={icon} off={pressed === false && icon !== 'screen'} />
      {children}
    </button>
  )
}

function Controls({ call }: { call: CallView }) {
  const { t } = useWords()
  const local = useDevices()
  const [sure, setSure] = useState(false)
  const leave = useMutation({ mutationFn: () => post<CallView>(`/api/calls/${call.id}/leave`), onSettled: live.sync })
  const pause = useMutation({
    mutationFn: (action: 'propose' | 'agree' | 'decline' | 'resume') => post(`/api/calls/${call.id}/pause`, { action }),
    onSettled: live.sync,
  })
  const skip = useMutation({ mutationFn: () => post(`/api/calls/${call.id}/demo/skip`, { to_connected_ms: 585_000 }), onSettled: live.sync })
  const mine = call.pause?.by === call.role
  return (
    <div className="stack">
      {call.pause?.state === 'proposed' && (
        <div className="note" role="status" data-testid="pause-proposed">
          <p>{mine ? t('pause.waiting', { name: call.other.display_name }) : t('pause.asked', { name: call.other.display_name })}</p>
          {!mine && (
            <div className="row">
              <Button loading={pause.isPending} onClick={() => pause.mutate('agree')} data-testid="pause-agree">
                {t('pause.agree')}
              </Button>
              <Button variant="default" onClick={() => pause.mutate('decline')}>
                {t('pause.decline')}
              </Button>
            </div>
          )}
        </div>
      )}
      <RecordingQuestion call={call} />
      <div className="controls" role="group" aria-label={t('call.controls')}>
        <Control icon="microphone" pressed={local.microphoneOn && Boolean(local.audio)} onClick={() => devices.setMicrophone(!local.microphoneOn)} testId="toggle-microphone">
          {t('call.microphone')}
        </Control>
        <Control icon="camera" pressed={Boolean(local.camera)} onClick={() => void devices.setCamera(!local.camera)} testId="toggle-camera">
          {t('call.camera')}
        </Control>
        {'getDisplayMedia' in (navigator.mediaDevices ?? {}) && (
          // Closing the browser's own picker is an answer, not a failure.
          <Control icon="screen" pressed={Boolean(local.screen)} onClick={() => void devices.setScreen(!local.screen).catch(() => undefined)} testId="toggle-screen">
            {t('call.screen')}
          </Control>
        )}
        {call.pause?.state === 'agreed' ? (
          <Control icon="pause" onClick={() => pause.mutate('resume')} testId="resume">
            {t('pause.resume')}
          </Control>
        ) : (
          !call.pause &&
          call.state === 'live' && (
            <Control icon="pause" onClick={() => pause.mutate('propose')} testId="pause">
              {t('pause.propose')}
            </Control>
          )
        )}
        <RecordingControl call={call} />
        <button type="button" className="control leave" aria-disabled={leave.isPending} onClick={() => setSure(true)} data-testid="leave">
          <Icon name="leave" />
          {t('call.leave')}
        </button>
        {call.demo && (
          <Button variant="default" h={48} loading={skip.isPending} onClick={() => skip.mutate()} data-testid="demo-skip">
            {t('call.skip')}
          </Button>
        )}
      </div>
      {sure && (
        <div className="note warn row spread" role="alertdialog" aria-label={t('call.leave_sure')}>
          <span>{t('call.leave_sure')}</span>
          <span className="row">
            <Button color="red" autoFocus loading={leave.isPending} onClick={() => leave.mutate()} data-testid="leave-confirm">
              {t('call.leave_yes')}
            </Button>
            <Button variant="default" onClick={() => setSure(false)}>
              {t('call.leave_no')}
            </Button>
          </span>
        </div>
      )}
      <Problem error={leave.error ?? pause.error ?? skip.error} />
    </div>
  )
}

/** The veil over the picture: why there is none at the moment, as the server and this tab know it. */
function Veil({ call, room, replaced, connected }: { call: CallView; room: Room | null; replaced: boolean; connected: boolean }) {
  const { t, time } = useWords()
  const now = useServerNow(call.state !== 'live')
  const other = call.participants[call.role === 'customer' ? 'consultant' : 'customer']
  const own = call.participants[call.role]
  const left = call.deadline_at ? formatLeft(Date.parse(call.deadline_at) - now) : null
  const name = call.other.display_name
  let text = ''
  if (replaced) text = t('call.replaced')
  else if (!connected && call.state !== 'preparing') text = t('call.own_lost')
  else if (call.state === 'preparing') text = own.seen ? t('call.waiting_other', { name }) : t('call.joining')
  else if (call.state === 'interrupted' && !own.seen) text = t('call.own_lost')
  else if (call.state === 'interrupted') {
    text = other.last_seen_at ? t('call.other_lost', { name, time: time(other.last_seen_at) }) : t('call.waiting_other', { name })
  }
  if (!text) return null
  return (
    <div className="veil" data-testid={call.state === 'interrupted' ? 'reconnecting' : 'veil'}>
      <div>
        <p role="status">{text}</p>
        {left && !replaced && (
          <p className="numbers" style={{ fontSize: '1.6rem', margin: 0 }}>
            {call.state === 'interrupted' ? t('call.reconnecting', { left }) : left}
          </p>
        )}
        {replaced && <Button onClick={() => room?.takeOver()}>{t('call.take_over')}</Button>}
      </div>
    </div>
  )
}

function RemoteVideo({ stream, screen, label }: { stream: MediaStream | null; screen: boolean; label: string }) {
  const { t } = useWords()
  const video = useRef<HTMLVideoElement>(null)
  const [blocked, setBlocked] = useState(false)
  const { speakerId } = useDevices()
  useEffect(() => {
    // A loudspeaker that is gone: the browser goes on with the usual one.
    if (speakerId && video.current && 'setSinkId' in video.current) void video.current.setSinkId(speakerId).catch(() => undefined)
  }, [speakerId])
  useEffect(() => {
    const element = video.current
    if (!element || element.srcObject === stream) return
    element.srcObject = stream
    if (stream) {
      element.play().then(
        () => setBlocked(false),
        (error: unknown) => setBlocked(error instanceof DOMException && error.name === 'NotAllowedError'),
      )
    }
  }, [stream])
  return (
    <>
      <video ref={video} className="far" autoPlay playsInline muted={screen} aria-label={label} data-testid={screen ? 'remote-screen' : 'remote-video'} />
      {document.pictureInPictureEnabled && stream && (
        <button type="button" className="float" onClick={() => void video.current?.requestPictureInPicture().catch(() => undefined)} aria-label={t('call.float')} title={t('call.float')} data-testid="float">
          <Icon name="float" />
        </button>
      )}
      {blocked && (
        <div className="veil">
          <Button onClick={() => void video.current?.play().then(() => setBlocked(false))}>{t('call.play')}</Button>
        </div>
      )}
    </>
  )
}

function Preparing({ call, meter }: { call: CallView; meter: MeterView | null }) {
  const { t } = useWords()
  return (
    <div className="panel stack" data-testid="preparing">
      <p role="status" style={{ fontSize: '1.25rem', fontWeight: 600, margin: 0 }}>
        {call.role === 'customer' ? t('call.preparing.customer', { name: call.other.display_name }) : t('call.preparing.consultant', { name: call.other.display_name })}
      </p>
      {meter?.authenticate && call.role === 'consultant' && <p className="soft">{t('bank.other')}</p>}
      <p className="soft">{t('call.preparing.why')}</p>
    </div>
  )
}

function Running({ call, meter }: { call: CallView; meter: MeterView | null }) {
  const { t, clock } = useWords()
  const { connected } = useLive()
  const bank = meter?.authenticate && call.role === 'customer' ? meter.authenticate.url : null
  const room = useRoom(call.id, call.media_ready)
  const view = useSyncExternalStore(room?.subscribe ?? noRoom.subscribe, room?.read ?? noRoom.read)
  const local = useDevices()
  useDoubt(room, call)
  const other = call.participants[call.role === 'customer' ? 'consultant' : 'customer']
  const name = call.other.display_name
  useEffect(() => {
    if (other.seen) room?.meet()
  }, [room, other.seen])
  useEffect(() => room?.moved(call.media_epoch), [room, call.media_epoch])
  useEffect(() => () => devices.stop(), [])
  return (
    <div className="call" data-testid="call" data-state={call.state}>
      <div className="stack">
        {bank && <Bank url={bank} callId={call.id} text={meter?.late_hold ? t('bank.late', { threshold: clock(meter.threshold_ms) }) : t('bank.text')} onSettled={live.sync} />}
        {call.media_ready ? (
          <>
            <div className="stage">
              <RemoteVideo stream={view?.remote ?? null} screen={false} label={t('call.video_of', { name })} />
              <Video track={local.camera} className="near" label={t('call.own_video')} testId="local-video" />
              <span className="name">
                {name}
                {call.state === 'live' && !other.microphone && ` · ${t('call.other_muted')}`}
                {call.state === 'live' && other.video_held && ` · ${t('call.other_held')}`}
                {call.state === 'live' && !other.camera && ` · ${t('call.other_no_camera')}`}
              </span>
              <RecordingMark call={call} />
              <Veil call={call} room={room} replaced={view?.state === 'replaced'} connected={connected && view?.state !== 'reconnecting'} />
            </div>
            {other.screen && (
              <div className="stage" data-testid="shared-screen">
                <RemoteVideo stream={view?.remoteScreen ?? null} screen label={t('call.screen_of', { name })} />
              </div>
            )}
          </>
        ) : (
          <Preparing call={call} meter={meter} />
        )}
        {(local.audioTrouble || local.cameraTrouble) && call.media_ready && (
          <div className="note warn row spread" role="alert">
            <span>{t(local.audioTrouble ? 'call.no_microphone' : 'call.no_camera')}</span>
            <Button variant="default" onClick={() => void devices.retry()}>
              {t('check.again')}
            </Button>
          </div>
        )}
        {view?.sample && <QualitySign level={view.level} sample={view.sample} held={view.held} />}
        <Controls call={call} />
        {call.media_ready && <DeviceMenu />}
      </div>
      <div className="stack">
        {meter && <Meter meter={meter} role={call.role} silentSince={view?.silentSince ?? null} />}
        <section className="panel">
          <h2>{call.question.title}</h2>
          <p style={{ whiteSpace: 'pre-wrap', margin: 0 }} className="soft">
            {call.question.details || t('call.no_details')}
          </p>
          <FilesOf address={`/api/calls/${call.id}/attachments`} />
        </section>
        <Chat callId={call.id} role={call.role} other={name} />
      </div>
      <div className="hidden" aria-live="polite">
        {call.state === 'live' ? t('call.said.live', { name }) : call.state === 'interrupted' ? t('call.said.interrupted') : ''}
      </div>
    </div>
  )
}

export function CallScreen() {
  const { callId = '' } = useParams()
  const { t } = useWords()
  const navigate = useNavigate()
  const { snapshot } = useLive()
  const call = snapshot?.call?.id === callId ? snapshot.call : null
  const elsewhere = useQuery({
    queryKey: ['call', callId],
    queryFn: () => get<CallView>(`/api/calls/${callId}`),
    enabled: Boolean(snapshot) && !call,
    refetchInterval: 2_000,
  })
  const ended = call?.state === 'ended' || (!call && elsewhere.data?.state === 'ended')
  useEffect(() => {
    if (!ended) return
    say(t('call.said.ended'))
    void navigate(`/call/${callId}/done`, { replace: true })
  }, [ended, callId, navigate, t])
  if (!snapshot || (!call && elsewhere.isPending)) return <Loading />
  if (!call) return elsewhere.error ? <Missing /> : <Loading />
  return (
    <Page title={t('call.title', { name: call.other.display_name })} hideTitle>
      <Running call={call} meter={snapshot.meter?.call_id === call.id ? snapshot.meter : null} />
    </Page>
  )
}
