// Owns how a peer connection of ours is made: one transport for everything, and relays with their credentials.
import type { JoinReply } from '../api/types'

type Server = JoinReply['ice_servers'][number]

/** The browser reads null as the text "null": what is not there must be left out. */
const server = ({ urls, username, credential }: Server): RTCIceServer => ({
  urls,
  ...(username && credential ? { username, credential } : {}),
})

export function connection(servers: Server[], relayOnly: boolean): RTCPeerConnection {
  return new RTCPeerConnection({
    iceServers: servers.map(server),
    iceTransportPolicy: relayOnly ? 'relay' : 'all',
    bundlePolicy: 'max-bundle',
  })
}
