// Owns this person's microphone, camera and screen: asked for once, kept from the device check into the call.

export type Trouble = 'denied' | 'missing' | 'busy' | null
export interface LocalMedia {
  asked: boolean
  /** What is sent as sound: the microphone, mixed with the sound of a shared screen where there is one. */
  audio: MediaStreamTrack | null
  microphone: MediaStreamTrack | null
  camera: MediaStreamTrack | null
  screen: MediaStreamTrack | null
  microphoneOn: boolean
  cameraOn: boolean
  audioOnly: boolean
  audioTrouble: Trouble
  cameraTrouble: Trouble
  cameraId: string | null
  microphoneId: string | null
  speakerId: string | null
  blurred: boolean
}

const remembered = (name: string) => localStorage.getItem(name)

let state: LocalMedia = {
  asked: false,
  audio: null,
  microphone: null,
  camera: null,
  screen: null,
  microphoneOn: true,
  cameraOn: remembered('audio-only') !== 'yes',
  audioOnly: remembered('audio-only') === 'yes',
  audioTrouble: null,
  cameraTrouble: null,
  cameraId: remembered('camera'),
  microphoneId: remembered('microphone'),
  speakerId: remembered('speaker'),
  blurred: false,
}
const listeners = new Set<() => void>()
let asking: Promise<void> | null = null
let mixer: { context: AudioContext; screenSound: MediaStreamTrack } | null = null
// Counts the stops. What the browser hands out after one was asked for before it: nobody is there to switch it off.
let stops = 0

function set(part: Partial<LocalMedia>) {
  state = { ...state, ...part }
  for (const listener of listeners) listener()
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied'
  return name === 'NotReadableError' ? 'busy' : 'missing'
}

// A device that was chosen and is gone must not keep the others from working: it is a wish, not a demand.
const wish = (id: string | null) => (id ? { deviceId: { ideal: id } } : {})
const sound = () => ({ echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...wish(state.microphoneId) })
const picture = () => ({ width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 }, ...wish(state.cameraId) })

async function take(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (!navigator.mediaDevices) throw new DOMException('no devices here', 'NotFoundError')
  const asked = stops
  return kept(await navigator.mediaDevices.getUserMedia(constraints), asked)
}

/** The light goes out at the end, also for a camera that was still being opened. */
function kept(stream: MediaStream, asked: number): MediaStream {
  if (asked === stops) return stream
  for (const track of stream.getTracks()) track.stop()
  throw new DOMException('the call ended meanwhile', 'AbortError')
}

function setMicrophoneTrack(microphone: MediaStreamTrack | null, audioTrouble: Trouble) {
  if (microphone) microphone.enabled = state.microphoneOn
  microphone?.addEventListener('ended', () => {
    if (state.microphone === microphone) set({ microphone: null, audio: null, audioTrouble: 'missing' })
  })
  set({ microphone, audio: microphone, audioTrouble })
  if (mixer) mix(mixer.screenSound)
}

function setCameraTrack(camera: MediaStreamTrack | null, cameraTrouble: Trouble) {
  camera?.addEventListener('ended', () => {
    if (state.camera === camera) set({ camera: null, cameraTrouble: 'missing' })
  })
  set({ camera, cameraTrouble, blurred: false })
}

async function ask() {
  const asked = stops
  const wantCamera = !state.audioOnly
  try {
    const both = await take({ audio: sound(), video: wantCamera ? picture() : false })
    setMicrophoneTrack(both.getAudioTracks()[0] ?? null, null)
    setCameraTrack(both.getVideoTracks()[0] ?? null, null)
  } catch {
    if (asked !== stops) return
    // One of the two is missing or refused: ask for each by itself, so that the other one works.
    const [audio, camera] = await Promise.allSettled([
      take({ audio: sound() }),
      wantCamera ? take({ video: picture() }) : Promise.reject(new DOMException('not wanted', 'NotFoundError')),
    ])
    if (asked !== stops) return
    setMicrophoneTrack(
      audio.status === 'fulfilled' ? (audio.value.getAudioTracks()[0] ?? null) : null,
      audio.status === 'rejected' ? troubleOf(audio.reason) : null,
    )
    setCameraTrack(
      camera.status === 'fulfilled' ? (camera.value.getVideoTracks()[0] ?? null) : null,
      wantCamera && camera.status === 'rejected' ? troubleOf(camera.reason) : null,
    )
  }
  set({ asked: true })
}

/** One stream of sound is negotiated: what a shared window plays is mixed into the voice. */
function mix(screenSound: MediaStreamTrack) {
  unmix()
  const context = new AudioContext()
  const destination = context.createMediaStreamDestination()
  for (const track of [screenSound, state.microphone]) {
    if (track) context.createMediaStreamSource(new MediaStream([track])).connect(destination)
  }
  mixer = { context, screenSound }
  set({ audio: destination.stream.getAudioTracks()[0] ?? state.microphone })
}

function unmix() {
  void mixer?.context.close()
  mixer = null
  set({ audio: state.microphone })
}

type Blur = MediaTrackCapabilities & { backgroundBlur?: boolean[] }

export const devices = {
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
  get: () => state,
  /** Idempotent: a second call while the browser asks, or after it did, does not ask again. */
  start(): Promise<void> {
    const alive = state.asked && state.microphone?.readyState === 'live'
    if (alive) return Promise.resolve()
    const question = asking ?? ask()
    asking = question
    return question.finally(() => {
      if (asking === question) asking = null
    })
  },
  async retry() {
    devices.stop()
    await devices.start()
  },
  setMicrophone(on: boolean) {
    if (state.microphone) state.microphone.enabled = on
    set({ microphoneOn: on })
  },
  async setCamera(on: boolean) {
    if (!on) {
      const { camera } = state
      set({ camera: null, cameraOn: false })
      camera?.stop()
      return
    }
    const asked = stops
    try {
      const stream = await take({ video: picture() })
      set({ cameraOn: true })
      setCameraTrack(stream.getVideoTracks()[0] ?? null, null)
    } catch (error) {
      if (asked === stops) set({ camera: null, cameraOn: false, cameraTrouble: troubleOf(error) })
    }
  },
  async setAudioOnly(audioOnly: boolean) {
    localStorage.setItem('audio-only', audioOnly ? 'yes' : 'no')
    set({ audioOnly })
    await devices.setCamera(!audioOnly)
  },
  /** Use another camera or microphone, now and the next time. */
  async choose(what: 'camera' | 'microphone', id: string) {
    localStorage.setItem(what, id)
    if (what === 'camera') {
      set({ cameraId: id })
      await devices.setCamera(false)
      await devices.setCamera(true)
      return
    }
    set({ microphoneId: id })
    const asked = stops
    const old = state.microphone
    try {
      const stream = await take({ audio: sound() })
      setMicrophoneTrack(stream.getAudioTracks()[0] ?? null, null)
      old?.stop()
    } catch (error) {
      if (asked === stops) set({ audioTrouble: troubleOf(error) })
    }
  },
  chooseSpeaker(id: string) {
    localStorage.setItem('speaker', id)
    set({ speakerId: id })
  },
  canBlur: () => ((state.camera?.getCapabilities?.() as Blur | undefined)?.backgroundBlur ?? []).includes(true),
  async blur(on: boolean) {
    await state.camera?.applyConstraints({ backgroundBlur: on } as MediaTrackConstraints)
    set({ blurred: on })
  },
  async setScreen(on: boolean) {
    if (!on) {
      state.screen?.stop()
      mixer?.screenSound.stop()
      unmix()
      set({ screen: null })
      return
    }
    const asked = stops
    const wanted = { video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: 15 } }, audio: true }
    const stream = kept(await navigator.mediaDevices.getDisplayMedia(wanted), asked)
    const track = stream.getVideoTracks()[0] ?? null
    // Letters must be sharp; that they move smoothly matters less.
    if (track) track.contentHint = 'detail'
    track?.addEventListener('ended', () => void devices.setScreen(false))
    set({ screen: track })
    const screenSound = stream.getAudioTracks()[0]
    if (screenSound) mix(screenSound)
  },
  stop() {
    stops += 1
    asking = null
    for (const track of [state.microphone, state.camera, state.screen, mixer?.screenSound]) track?.stop()
    unmix()
    set({ asked: false, audio: null, microphone: null, camera: null, screen: null, cameraOn: !state.audioOnly, microphoneOn: true, blurred: false })
  },
}
