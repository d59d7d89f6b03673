// Owns trying out the network before a call: both ways to a media server at once, with sound that comes back.
import { post } from '../api/client'
import type { NetworkTest } from '../api/schema'
import type { Tried, Way } from '../rules/network'
import { connection } from './connection'
import { silence } from './sound'

const CONNECT_MS = 2_600
const LISTEN_MS = 1_800
const AUDIO = 0

/** Whether `peer` connects in time. */
function connects(peer: RTCPeerConnection): Promise<boolean> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(false), CONNECT_MS)
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState !== 'connected' && peer.connectionState !== 'failed') return
      clearTimeout(timer)
      done(peer.connectionState === 'connected')
    })
  })
}

async function counts(peer: RTCPeerConnection) {
  const found = { sent: 0, lost: 0, received: 0, rttMs: 0, jitterMs: 0 }
  for (const report of (await peer.getStats()).values()) {
    if (report.type === 'outbound-rtp' && report.kind === 'audio') found.sent += report.packetsSent ?? 0
    if (report.type === 'inbound-rtp' && report.kind === 'audio') {
      found.lost += report.packetsLost ?? 0
      found.received += report.packetsReceived ?? 0
      found.jitterMs = Math.max(found.jitterMs, (report.jitter ?? 0) * 1_000)
    }
    if (report.type === 'candidate-pair' && report.state === 'succeeded' && report.nominated) {
      found.rttMs = Math.max(found.rttMs, (report.currentRoundTripTime ?? 0) * 1_000)
    }
  }
  return found
}

async function tryWay(test: NetworkTest, relayOnly: boolean): Promise<Way | null> {
  const peer = connection(relayOnly ? test.ice_servers : [], relayOnly)
  try {
    const connected = connects(peer)
    await peer.setRemoteDescription({ type: 'offer', sdp: test.sdp })
    for (const transceiver of peer.getTransceivers()) transceiver.direction = 'sendrecv'
    await peer.setLocalDescription(await peer.createAnswer())
    await peer.getTransceivers()[AUDIO]?.sender.replaceTrack(silence())
    await post('/api/network/answer', { probe_id: test.probe_id, sdp: peer.localDescription?.sdp })
    if (!(await connected)) return null
    await new Promise((done) => setTimeout(done, LISTEN_MS))
    const { sent, lost, received, rttMs, jitterMs } = await counts(peer)
    // A browser that may make no sound yet sends none: then only the connection and its delay can be judged.
    if (sent > 0 && received === 0) return null
    const lossPercent = received > 0 ? (100 * Math.max(0, lost)) / (Math.max(0, lost) + received) : 0
    return { lossPercent, rttMs: Math.round(rttMs), jitterMs: Math.round(jitterMs) }
  } finally {
    peer.close()
  }
}

/** At most five seconds. Raises `ApiError` when the server cannot be asked. */
export async function testNetwork(): Promise<Tried> {
  const [direct, relay] = await Promise.all([post<NetworkTest>('/api/network/test'), post<NetworkTest>('/api/network/test')])
  const [directly, relayed] = await Promise.all([
    tryWay(direct, false),
    relay.ice_servers.length > 0 ? tryWay(relay, true) : undefined,
  ])
  return { direct: directly, relay: relayed }
}
