// Owns the sounds we make ourselves: the ring and the loudspeaker test, drawn by oscillators, no file; and silence.

let context: AudioContext | null = null

async function ready(): Promise<AudioContext> {
  context ??= new AudioContext()
  // Until somebody has clicked on the page the browser keeps it suspended; then the ring is seen, not heard.
  if (context.state === 'suspended') await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))])
  return context
}

function tone(audio: AudioContext, frequency: number, at: number, seconds: number) {
  const source = audio.createOscillator()
  const gain = audio.createGain()
  source.frequency.value = frequency
  gain.gain.setValueAtTime(0, at)
  gain.gain.linearRampToValueAtTime(0.22, at + 0.03)
  gain.gain.linearRampToValueAtTime(0, at + seconds)
  source.connect(gain).connect(audio.destination)
  source.start(at)
  source.stop(at + seconds)
}

export async function playRing() {
  const audio = await ready()
  for (const [n, frequency] of [659, 880, 659, 880].entries()) tone(audio, frequency, audio.currentTime + n * 0.22, 0.2)
}

let silentTrack: MediaStreamTrack | null = null

/** A track of nothing, which is sent like any sound: who sends nothing is not there for the server. */
export function silence(): MediaStreamTrack | null {
  context ??= new AudioContext()
  void context.resume()
  if (!silentTrack) {
    // A destination that nothing feeds sends no packets at all.
    const [source, destination] = [context.createConstantSource(), context.createMediaStreamDestination()]
    source.offset.value = 0
    source.connect(destination)
    source.start()
    silentTrack = destination.stream.getAudioTracks()[0] ?? null
  }
  return silentTrack
}

export async function playSample() {
  const audio = await ready()
  for (const [n, frequency] of [523, 659, 784].entries()) tone(audio, frequency, audio.currentTime + n * 0.3, 0.3)
  await new Promise((done) => setTimeout(done, 1_000))
}

/** Rings until the returned function is called; of all tabs only one is heard. */
export function ringUntilStopped(): () => void {
  const stop = new AbortController()
  const loop = async () => {
    while (!stop.signal.aborted) {
      await playRing()
      await new Promise((done) => setTimeout(done, 1_800))
    }
  }
  const held = navigator.locks ? navigator.locks.request('ring-sound', { signal: stop.signal }, loop) : loop()
  held.catch(() => undefined) // aborted while another tab was ringing: nothing to undo
  return () => stop.abort()
}
