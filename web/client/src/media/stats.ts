// Owns reading a peer connection's statistics: what came in, and how the way out is, since the last look.
import type { Figures, Uplink } from '../rules/level'

export interface Sample extends Figures {
  kbps: number
}
interface Totals {
  at: number
  packets: number
  lost: number
  bytes: number
  freezes: number
}

export class Statistics {
  private last: Totals | null = null

  /** What happened since the last look; null the first time, and while nothing comes. */
  async look(peer: RTCPeerConnection): Promise<{ sample: Sample; uplink: Uplink } | null> {
    const now: Totals = { at: performance.now(), packets: 0, lost: 0, bytes: 0, freezes: 0 }
    const uplink: Uplink = { kbps: null, loss_permille: 0 }
    let [jitter, rtt]: [number, number | null] = [0, null]
    for (const report of (await peer.getStats()).values()) {
      if (report.type === 'inbound-rtp') {
        now.packets += report.packetsReceived ?? 0
        now.lost += report.packetsLost ?? 0
        now.bytes += report.bytesReceived ?? 0
        now.freezes += report.freezeCount ?? 0
        if (report.kind === 'audio') jitter = report.jitter ?? 0
      } else if (report.type === 'candidate-pair' && report.nominated && report.state === 'succeeded') {
        rtt = report.currentRoundTripTime ?? null
        if (report.availableOutgoingBitrate) uplink.kbps = Math.round(report.availableOutgoingBitrate / 1_000)
      } else if (report.type === 'remote-inbound-rtp') {
        uplink.loss_permille = Math.max(uplink.loss_permille, Math.round((report.fractionLost ?? 0) * 1_000))
      }
    }
    const before = this.last
    this.last = now
    if (!before || now.packets <= before.packets) return null
    const came = now.packets - before.packets
    const lost = Math.max(0, now.lost - before.lost)
    return {
      uplink,
      sample: {
        rtt_ms: rtt === null ? null : Math.min(60_000, Math.round(rtt * 1_000)),
        loss_permille: Math.round((1_000 * lost) / (came + lost)),
        jitter_ms: Math.min(60_000, Math.round(jitter * 1_000)),
        freezes: Math.min(1_000, Math.max(0, now.freezes - before.freezes)),
        kbps: Math.max(0, Math.round((8 * (now.bytes - before.bytes)) / (now.at - before.at))),
      },
    }
  }

  /** A new connection counts from nothing. */
  reset() {
    this.last = null
  }
}
