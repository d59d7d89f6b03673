// Owns changing camera, microphone and loudspeaker in a call, and what the browser can do to the picture.
import { NativeSelect, Switch } from '@mantine/core'
import { useEffect, useState } from 'react'
import { devices } from '../media/devices'
import { useDevices } from './DeviceCheck'
import { useWords } from './words'

function useKnownDevices() {
  const [known, setKnown] = useState<MediaDeviceInfo[]>([])
  useEffect(() => {
    const media = navigator.mediaDevices
    if (!media) return
    const look = () => void media.enumerateDevices().then(setKnown)
    look()
    media.addEventListener('devicechange', look)
    return () => media.removeEventListener('devicechange', look)
  }, [])
  return known.filter((one) => one.deviceId)
}

export function DeviceMenu() {
  const { t } = useWords()
  const local = useDevices()
  const known = useKnownDevices()
  const of = (kind: MediaDeviceKind) => known.filter((one) => one.kind === kind).map((one, n) => ({ value: one.deviceId, label: one.label || `${n + 1}` }))
  const [cameras, microphones, speakers] = [of('videoinput'), of('audioinput'), of('audiooutput')]
  return (
    <details className="panel" data-testid="device-menu">
      <summary>{t('devices.title')}</summary>
      <div className="stack" style={{ paddingTop: '0.75rem' }}>
        {cameras.length > 0 && (
          <NativeSelect label={t('devices.camera')} data={cameras} value={local.camera?.getSettings().deviceId ?? local.cameraId ?? ''} onChange={(e) => void devices.choose('camera', e.currentTarget.value)} data-testid="choose-camera" />
        )}
        {microphones.length > 0 && (
          <NativeSelect label={t('devices.microphone')} data={microphones} value={local.microphone?.getSettings().deviceId ?? local.microphoneId ?? ''} onChange={(e) => void devices.choose('microphone', e.currentTarget.value)} data-testid="choose-microphone" />
        )}
        {speakers.length > 1 && 'setSinkId' in HTMLMediaElement.prototype && (
          <NativeSelect label={t('devices.speaker')} data={speakers} value={local.speakerId ?? speakers[0]?.value} onChange={(e) => devices.chooseSpeaker(e.currentTarget.value)} />
        )}
        {devices.canBlur() && <Switch label={t('devices.blur')} checked={local.blurred} onChange={(e) => void devices.blur(e.currentTarget.checked)} />}
      </div>
    </details>
  )
}
