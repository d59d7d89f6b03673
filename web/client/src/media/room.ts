// Owns the peer connection of one call in this tab: joins, answers the server's offer, and joins again when it dies.
import { ApiError } from '../api/session'
import type { JoinReply } from '../api/types'
import { holdsVideo, type Level, levelOf, settled, type Uplink } from '../rules/level'
import { live } from '../socket/live'
import { connection } from './connection'
import { devices } from './devices'
import { silence } from './sound'
import { type Sample, Statistics } from './stats'

export type RoomState = 'joining' | 'connected' | 'reconnecting' | 'replaced' | 'closed'
export interface RoomView {
  state: RoomState
  remote: MediaStream | null
  remoteScreen: MediaStream | null
  problem: string | null
  /** Since when (milliseconds of performance.now) nothing has come in, although something had before. */
  silentSince: number | null
  /** The last two seconds as this tab received them, and what is shown of them. */
  sample: Sample | null
  level: Level
  /** Our picture is held back, so that our sound comes through. */
  held: boolean
}

// The order of the sections in the server's offer.
const [AUDIO, CAMERA, SCREEN] = [0, 1, 2]
const DISCONNECTED_GRACE_MS = 2_000
const FIRST_CONNECT_MS = 10_000
const LISTEN_EVERY_MS = 500
const SAMPLE_EVERY_MS = 2_000
const [FIRST_RETRY_MS, LONGEST_RETRY_MS] = [300, 3_000]
// A browser checks a good path every 2.5 s: after this long without an answer the node, or our network, is gone.
const DEAF_AFTER_MS = 4_500
const SILENT_AFTER_MS = 2_500

export class Room {
  view: RoomView = { state: 'joining', remote: null, remoteScreen: null, problem: null, silentSince: null, sample: null, level: 'good', held: false }
  private readonly listeners = new Set<() => void>()
  private readonly undo: (() => void)[] = []
  private peer: RTCPeerConnection | null = null
  private peerId = ''
  private attempt = 0
  private failures = 0
  private epoch = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private saidState = ''
  private heard = { packets: 0, at: 0 }
  private sign = { sum: 0, at: 0 }
  private otherSeen = false
  private readonly statistics = new Statistics()
  private lastLevel: Level | null = null
  private uplinks: Uplink[] = []

  constructor(private readonly callId: string) {
    this.undo.push(devices.subscribe(() => void this.sendTracks()))
    this.undo.push(
      live.on<{ call_id: string; peer_id: string }>('media.replaced', (message) => {
        if (message.call_id === this.callId && message.peer_id === this.peerId) this.replaced()
      }),
    )
    let connected = live.connected
    this.undo.push(
      live.subscribe(() => {
        const back = live.connected && !connected
        connected = live.connected
        if (back && this.view.state !== 'replaced' && this.peer?.connectionState !== 'connected') this.rejoin(0)
      }),
    )
    const listening = setInterval(() => void this.listen(), LISTEN_EVERY_MS)
    this.undo.push(() => clearInterval(listening))
    const sampling = setInterval(() => void this.takeSample(), SAMPLE_EVERY_MS)
    this.undo.push(() => clearInterval(sampling))
    void this.join()
  }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  read = () => this.view

  /** The server has not seen us for a while although we believe to send: start over. */
  doubt() {
    if (this.view.state === 'connected') this.rejoin(0)
  }

  /** The call has moved to another media node since we joined: nothing will come from the old one. */
  moved(epoch: number) {
    if (this.peerId && epoch > this.epoch && this.view.state !== 'replaced') this.rejoin(0)
  }

  /** The other side was seen for the first time: now a picture has somebody to go to. */
  meet() {
    if (this.otherSeen) return
    this.otherSeen = true
    void this.sendTracks()
  }

  takeOver() {
    this.rejoin(0)
  }

  close() {
    for (const step of this.undo.splice(0)) step()
    this.drop()
    this.change({ state: 'closed' })
  }

  private async join() {
    clearTimeout(this.timer)
    const attempt = ++this.attempt
    this.drop()
    try {
      await devices.start()
      const reply = await live.send<JoinReply>('media.join', { call_id: this.callId })
      if (attempt !== this.attempt || this.view.state === 'closed') return
      this.epoch = reply.epoch
      await this.answer(reply, attempt)
      this.timer = setTimeout(() => attempt === this.attempt && this.lost(attempt), FIRST_CONNECT_MS)
    } catch (error) {
      if (attempt !== this.attempt || this.view.state === 'closed') return
      this.change({ problem: error instanceof ApiError ? error.code : 'media' })
      this.rejoin(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures))
      this.failures += 1
    }
  }

  private async answer(reply: JoinReply, attempt: number) {
    const peer = connection(reply.ice_servers, reply.relay_only)
    this.peer = peer
    this.peerId = reply.peer_id
    peer.ontrack = (event) => this.received(peer, event)
    peer.onconnectionstatechange = () => this.watch(peer, attempt)
    peer.oniceconnectionstatechange = () => this.watch(peer, attempt)

    await peer.setRemoteDescription({ type: 'offer', sdp: reply.sdp })
    for (const transceiver of peer.getTransceivers()) transceiver.direction = 'sendrecv'
    await peer.setLocalDescription(await peer.createAnswer())
    await this.sendTracks()
    await live.send('media.answer', { call_id: this.callId, peer_id: reply.peer_id, sdp: peer.localDescription?.sdp })
  }

  private received(peer: RTCPeerConnection, event: RTCTrackEvent) {
    const section = peer.getTransceivers().indexOf(event.transceiver)
    if (section === SCREEN) {
      this.change({ remoteScreen: new MediaStream([event.track]) })
      return
    }
    const tracks = (this.view.remote?.getTracks() ?? []).filter((track) => track.kind !== event.track.kind)
    this.change({ remote: new MediaStream([...tracks, event.track]) })
  }

  private watch(peer: RTCPeerConnection, attempt: number) {
    if (attempt !== this.attempt || this.view.state === 'closed') return
    if (peer.connectionState === 'connected') {
      clearTimeout(this.timer)
      this.failures = 0
      this.change({ state: 'connected', problem: null })
      this.saidState = ''
      void this.tellState()
    } else if (peer.connectionState === 'failed' || peer.iceConnectionState === 'failed') {
      this.lost(attempt)
    } else if (peer.iceConnectionState === 'disconnected' || peer.connectionState === 'disconnected') {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.lost(attempt), DISCONNECTED_GRACE_MS)
    }
  }

  /** Our own network may be gone, and then no message from the server can say so: only silence can. */
  private async listen() {
    const reports = await this.peer?.getStats().catch(() => null)
    let packets = 0
    let answers = 0
    reports?.forEach((report) => {
      if (report.type === 'inbound-rtp') packets += report.packetsReceived ?? 0
      if (report.type === 'candidate-pair') answers += report.responsesReceived ?? 0
    })
    const now = performance.now()
    if (answers > 0) this.notice(packets + answers, now)
    if (packets > 0 && packets !== this.heard.packets) {
      this.heard = { packets, at: now }
      if (this.view.silentSince !== null) this.change({ silentSince: null })
    } else if (this.heard.at > 0 && now - this.heard.at >= SILENT_AFTER_MS && this.view.silentSince === null) {
      this.change({ silentSince: this.heard.at })
    }
  }

  private async takeSample() {
    const { peer } = this
    if (!peer || this.view.state !== 'connected') return
    const found = await this.statistics.look(peer).catch(() => null)
    if (!found || peer !== this.peer) return
    const now = levelOf(found.sample)
    const level = settled(this.view.level, this.lastLevel, now)
    this.lastLevel = now
    this.uplinks = [...this.uplinks, found.uplink].slice(-20)
    const held = devices.get().camera !== null && holdsVideo(this.view.held, this.uplinks)
    const changed = held !== this.view.held
    this.change({ sample: found.sample, level, held })
    if (changed) {
      this.uplinks = []
      await this.sendTracks()
    }
    // Statistics are a help, not a duty: what is lost on the way is not sent again.
    await live.send('media.stats', { call_id: this.callId, ...found.sample, video_held: held }).catch(() => undefined)
  }

  /** Whether anything at all comes from the server, be it only the answers to the browser's own checks. */
  private notice(sum: number, now: number) {
    if (this.view.state !== 'connected' || sum !== this.sign.sum) {
      this.sign = { sum, at: now }
    } else if (now - this.sign.at >= DEAF_AFTER_MS) {
      this.sign = { sum, at: now }
      this.rejoin(0)
    }
  }

  private lost(attempt: number) {
    if (attempt === this.attempt && this.peer?.connectionState !== 'connected') this.rejoin(0)
  }

  private rejoin(afterMs: number) {
    if (this.view.state === 'closed') return
    clearTimeout(this.timer)
    this.change({ state: this.view.state === 'joining' ? 'joining' : 'reconnecting' })
    this.timer = setTimeout(() => void this.join(), afterMs)
  }

  private replaced() {
    this.attempt += 1
    clearTimeout(this.timer)
    this.drop()
    this.change({ state: 'replaced' })
  }

  private drop() {
    this.statistics.reset()
    this.peer?.close()
    this.peer = null
  }

  private async sendTracks() {
    const sections = this.peer?.getTransceivers() ?? []
    const { audio, camera, screen } = devices.get()
    await Promise.all([
      // Somebody without a microphone sends silence: who sends nothing is not there, and would hear nothing.
      sections[AUDIO]?.sender.replaceTrack(audio ?? silence()),
      // A picture that nobody receives makes the browser throttle itself for many seconds: it waits for the other side.
      sections[CAMERA]?.sender.replaceTrack(this.otherSeen && !this.view.held ? camera : null),
      sections[SCREEN]?.sender.replaceTrack(screen),
    ])
    await this.prefer(sections)
    await this.tellState()
  }

  /** Sound goes first where the way is narrow; a shared screen rather moves slowly than gets blurred. */
  private async prefer(sections: RTCRtpTransceiver[]) {
    for (const [n, section] of sections.entries()) {
      const wanted = section.sender.getParameters()
      if (!wanted.encodings?.length) continue
      for (const encoding of wanted.encodings) encoding.priority = n === AUDIO ? 'high' : 'low'
      if (n === SCREEN) wanted.degradationPreference = 'maintain-resolution'
      // Not every browser knows every wish; none of them is needed for a call.
      await section.sender.setParameters(wanted).catch(() => undefined)
    }
  }

  private async tellState() {
    const { microphone, camera, screen, microphoneOn } = devices.get()
    const said = { microphone: Boolean(microphone) && microphoneOn, camera: Boolean(camera), screen: Boolean(screen), video_held: this.view.held }
    const text = JSON.stringify(said)
    if (text === this.saidState || this.view.state !== 'connected') return
    this.saidState = text
    await live.send('media.state', { call_id: this.callId, ...said }).catch(() => {
      this.saidState = ''
    })
  }

  private change(part: Partial<RoomView>) {
    this.view = { ...this.view, ...part }
    for (const listener of this.listeners) listener()
  }
}
