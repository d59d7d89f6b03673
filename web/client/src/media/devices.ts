// Owns this person's microphone, camera and screen: asked for once, kept from the device check into the call.

export type Trouble = 'denied' | 'missing' | 'busy' | null
export interface LocalMedia {
  asked: boolean
  audio: MediaStreamTrack | null
  camera: MediaStreamTrack | null
  screen: MediaStreamTrack | null
  microphoneOn: boolean
  cameraOn: boolean
  audioOnly: boolean
  audioTrouble: Trouble
  cameraTrouble: Trouble
}

let state: LocalMedia = {
  asked: false,
  audio: null,
  camera: null,
  screen: null,
  microphoneOn: true,
  cameraOn: localStorage.getItem('audio-only') !== 'yes',
  audioOnly: localStorage.getItem('audio-only') === 'yes',
  audioTrouble: null,
  cameraTrouble: null,
}
const listeners = new Set<() => void>()
let asking: Promise<void> | null = null

function set(part: Partial<LocalMedia>) {
  state = { ...state, ...part }
  for (const listener of listeners) listener()
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  return name === 'NotReadableError' ? 'busy' : 'missing'
}

const sound = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
const picture = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } }

async function take(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new DOMException('no devices here', 'NotFoundError')
  return navigator.mediaDevices.getUserMedia(constraints)
}

async function ask() {
  const wantCamera = !state.audioOnly
  try {
    const both = await take({ audio: sound, video: wantCamera ? picture : false })
    set({ audio: both.getAudioTracks()[0] ?? null, camera: both.getVideoTracks()[0] ?? null, audioTrouble: null, cameraTrouble: null })
  } catch {
    // One of the two is missing or refused: ask for each by itself, so that the other one works.
    const [audio, camera] = await Promise.allSettled([
      take({ audio: sound }),
      wantCamera ? take({ video: picture }) : Promise.reject(new DOMException('not wanted', 'NotFoundError')),
    ])
    set({
      audio: audio.status === 'fulfilled' ? (audio.value.getAudioTracks()[0] ?? null) : null,
      camera: camera.status === 'fulfilled' ? (camera.value.getVideoTracks()[0] ?? null) : null,
      audioTrouble: audio.status === 'rejected' ? troubleOf(audio.reason) : null,
      cameraTrouble: wantCamera && camera.status === 'rejected' ? troubleOf(camera.reason) : null,
    })
  }
  set({ asked: true })
  if (state.audio) state.audio.enabled = state.microphoneOn
}

export const devices = {
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
  get: () => state,
  /** Idempotent: a second call while the browser asks, or after it did, does not ask again. */
  start(): Promise<void> {
    const alive = state.asked && state.audio?.readyState === 'live'
    if (alive) return Promise.resolve()
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
  },
  async retry() {
    devices.stop()
    await devices.start()
  },
  setMicrophone(on: boolean) {
    if (state.audio) state.audio.enabled = on
    set({ microphoneOn: on })
  },
  async setCamera(on: boolean) {
    if (!on) {
      state.camera?.stop()
      set({ camera: null, cameraOn: false })
      return
    }
    try {
      const stream = await take({ video: picture })
      set({ camera: stream.getVideoTracks()[0] ?? null, cameraOn: true, cameraTrouble: null })
    } catch (error) {
      set({ camera: null, cameraOn: false, cameraTrouble: troubleOf(error) })
    }
  },
  async setAudioOnly(audioOnly: boolean) {
    localStorage.setItem('audio-only', audioOnly ? 'yes' : 'no')
    set({ audioOnly })
    await devices.setCamera(!audioOnly)
  },
  async setScreen(on: boolean) {
    if (!on) {
      state.screen?.stop()
      set({ screen: null })
      return
    }
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } } })
    const track = stream.getVideoTracks()[0] ?? null
    track?.addEventListener('ended', () => set({ screen: null }))
    set({ screen: track })
  },
  stop() {
    for (const track of [state.audio, state.camera, state.screen]) track?.stop()
    set({ asked: false, audio: null, camera: null, screen: null, cameraOn: !state.audioOnly, microphoneOn: true })
  },
}
