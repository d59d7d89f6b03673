// Owns trying out camera, microphone and loudspeaker: what works in words, and what to do when the browser says no.
import { Button, Switch } from '@mantine/core'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { devices, type Trouble } from '../media/devices'
import { playSample } from '../media/sound'
import { NetworkCheck } from './NetworkCheck'
import { useWords } from './words'

export const useDevices = () => useSyncExternalStore(devices.subscribe, devices.get)

export function Video({ track, className, label, testId }: { track: MediaStreamTrack | null; className: string; label: string; testId: string }) {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (video.current) video.current.srcObject = track ? new MediaStream([track]) : null
  }, [track])
  return <video ref={video} className={className} autoPlay playsInline muted aria-label={label} data-testid={testId} />
}

function Level({ track }: { track: MediaStreamTrack }) {
  const { t } = useWords()
  const bar = useRef<HTMLElement>(null)
  useEffect(() => {
    const context = new AudioContext()
    const analyser = context.createAnalyser()
    analyser.fftSize = 512
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser)
    const samples = new Uint8Array(analyser.fftSize)
    let frame = 0
    const draw = () => {
      analyser.getByteTimeDomainData(samples)
      const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value - 128)), 0) / 128
      if (bar.current) bar.current.style.transform = `scaleX(${Math.min(1, peak * 2)})`
      frame = requestAnimationFrame(draw)
    }
    draw()
    return () => {
      cancelAnimationFrame(frame)
      void context.close()
    }
  }, [track])
  return (
    <div className="level" role="img" aria-label={t('check.level')} data-testid="mic-level">
      <i ref={bar} />
    </div>
  )
}

function Result({ name, trouble }: { name: 'microphone' | 'camera'; trouble: Trouble }) {
  const { t } = useWords()
  if (!trouble) return null
  return (
    <div className="note warn" role="alert">
      <p>{t(`check.${name}.${trouble}`)}</p>
      {trouble === 'denied' && (
        <ol className="small" style={{ margin: 0, paddingLeft: '1.2rem' }}>
          <li>{t('check.help1')}</li>
          <li>{t('check.help2')}</li>
          <li>{t('check.help3')}</li>
        </ol>
      )}
    </div>
  )
}

export function DeviceCheck() {
  const { t } = useWords()
  const local = useDevices()
  const [speaker, setSpeaker] = useState<'untried' | 'playing' | 'asked' | 'good' | 'silent'>('untried')
  useEffect(() => void devices.start(), [])
  async function trySpeaker() {
    setSpeaker('playing')
    await playSample()
    setSpeaker('asked')
  }
  return (
    <section className="panel stack" aria-labelledby="check-title" data-testid="device-check">
      <h2 id="check-title" style={{ margin: 0 }}>
        {t('check.title')}
      </h2>
      {!local.asked && <p className="note">{t('check.asking')}</p>}
      {local.camera && <Video track={local.camera} className="preview" label={t('check.preview')} testId="preview-video" />}
      <Result name="camera" trouble={local.audioOnly ? null : local.cameraTrouble} />
      {local.audio && (
        <>
          <p style={{ margin: 0 }}>{t('check.microphone.good')}</p>
          <Level track={local.audio} />
        </>
      )}
      <Result name="microphone" trouble={local.audioTrouble} />
      {(local.audioTrouble || local.cameraTrouble) && (
        <div>
          <Button variant="default" onClick={() => void devices.retry()}>
            {t('check.again')}
          </Button>
        </div>
      )}
      <div className="row">
        <Button variant="default" loading={speaker === 'playing'} onClick={() => void trySpeaker()}>
          {t('check.speaker')}
        </Button>
        {speaker === 'asked' && (
          <span className="row" role="group" aria-label={t('check.heard')}>
            <span>{t('check.heard')}</span>
            <Button variant="light" onClick={() => setSpeaker('good')}>
              {t('common.yes')}
            </Button>
            <Button variant="light" onClick={() => setSpeaker('silent')}>
              {t('common.no')}
            </Button>
          </span>
        )}
        <span role="status">
          {speaker === 'good' && t('check.speaker.good')}
          {speaker === 'silent' && t('check.speaker.silent')}
        </span>
      </div>
      <NetworkCheck />
      <Switch label={t('check.audio_only')} checked={local.audioOnly} onChange={(e) => void devices.setAudioOnly(e.currentTarget.checked)} />
    </section>
  )
}
