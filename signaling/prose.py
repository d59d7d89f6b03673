"""The sentences of ``docs/protocol.md`` that no type can say."""

FOREWORD = """\
# The socket protocol, version 1

Written by `python -m signaling.protocol` from the code; do not edit by hand.

**Commands go over HTTP, state comes over the socket.** The socket carries full snapshots of everything a user is in,
the negotiation of media, chat, and the heartbeat of presence. Whoever missed anything asks for a snapshot; nothing is
ever replayed, and nothing needs to be.

## Connecting

- [Socket.IO](https://socket.io) protocol 5 (client library 4.x), namespace `/`, path `/socket.io`,
  **transport `websocket` only** (`transports: ["websocket"]`).
- The `auth` payload is `{"token": "<access token>"}`, the same JWT as in HTTP's `Authorization: Bearer`. No token, or
  one that is forged, expired or revoked: the connection is refused with the message `unauthenticated`. Give `auth` as a
  function, so that each reconnection carries the token of the day.
- A browser's `Origin` must be the one this server is configured with; clients without an `Origin` are welcome.
- Right after connecting the server sends a `snapshot`. There is no recovery of missed events, and none is needed.
- The server pings every 5 s; a connection that does not answer for 5 s is dropped. A connection that does not read is
  dropped as soon as 512 KiB or 10 s of messages wait for it.
- A message is at most 64 KiB. Larger ones close the connection.

## Messages

Every message has `"v": 1`. An unknown event, an unknown or missing field, or a value of the wrong type or size is
refused. Send every message with an acknowledgement callback: it receives `{"ok": true, ...}` or a
[Refusal](#refusal) `{"ok": false, "code", "message"}`. Codes: `invalid`, `not_found` (also for what is not yours),
`refused`, `conflict`, `illegal_move`, `too_many_requests` (also when events come faster than the limits below),
`unauthenticated`, `upstream` (a service behind us did not answer: try again), `internal`.

## State

`snapshot` carries `version`, which rises with every change of what this user sees. Show the snapshot with the highest
version; ignore older ones, but take an equal one (its meter is fresher). Snapshots come when something changes. Send
`sync` with your last version every 5 s while ringing or in a call, every 15 s otherwise, and on any doubt (the tab
wakes up, an ack fails); if the server's version differs, a `snapshot` follows.

`server_now` is the server's clock when the snapshot was made: count down `deadline_at`, `rings_until` and `promise_at`
against it, not against the local clock. `meter.connected_ms` is true at `meter.as_of`; while `meter.running` add the
time since then, for display only. An ended call stays in `call` (with `close_reason`) for ten minutes or until the user
starts something new, so that both sides find the receipt.

Close reasons: `customer_left`, `consultant_left`, `cap_reached`, `connection_lost` (a side was away for 90 s),
`no_show` (a side never joined within 60 s), `hold_declined`, `authentication_abandoned`, `payment_unavailable` (the
hold could not be placed), `hold_missed` (a trusted customer's hold did not stand when the call began to cost),
`removed` (an account was closed), `blocked`.

## Staying signed in

A token lives shorter than a call. Before it expires, fetch a new one over HTTP (`POST /api/auth/refresh`) and send it
with `auth.refresh` over the open socket: nothing is interrupted. 30 s after a token expired unrefreshed the server
sends `signed_out` (`expired`) and closes the connection; logging out or changing the password anywhere does the same at
once (`revoked`).

## Presence

A consultant who is switched on (`POST /api/consultant/online`) sends `heartbeat` every 10 s from each tab. After 30 s
without one the status is `offline`; the next heartbeat brings back the status from before, for the switch itself is
remembered. `directory` tells every signed-in user of each status change within a second; it is a hint that may be
lost, so reload the list after a reconnection.

## Media

The server is the other end of every peer connection, and the server offers:

1. Wait until `call.media_ready` (the hold stands).
2. Send `media.join {call_id}`. The ack carries `peer_id`, the server's offer `sdp` and `ice_servers`.
3. New `RTCPeerConnection({iceServers: ice_servers})` (with `iceTransportPolicy: "relay"` when the ack says
   `relay_only`), `setRemoteDescription({type: "offer", sdp})`. Set every
   transceiver to `sendrecv`, attach microphone and camera with `replaceTrack`, then `createAnswer`,
   `setLocalDescription`. The sections are, in order: audio, camera, screen. Screen sharing later is `replaceTrack`
   too: nothing is ever renegotiated.
4. Send `media.answer {call_id, peer_id, sdp}` at once. The server is an ICE-lite agent with public addresses: it needs
   none of the browser's candidates, learns its address from the checks it sends, and never asks for others.
5. Tell `media.state` whenever microphone, camera or screen goes on or off. It only moves the other side's icons; paid
   time is what the server sees.
6. Every two seconds tell `media.stats`: what was received since. It is kept with the call, and never counts for money.

When `call.media_epoch` is greater than the `epoch` of your join, the call has moved to another media node (the old one
stopped or died): join again at once. The meter only pauses.

To come back after a lost connection or a reload, in the same tab or from another device: join again. A join gives a
new `peer_id` and ends the one before; all of that user's tabs are told `media.replaced`, and the tab that holds the
named peer closes it. While a side is not seen the call is `interrupted`, `deadline_at` says until when it may come
back, and the meter stands still.

`call.recording.state` is `on` while both sides consent (`POST /api/calls/{call_id}/recording`): show it, always.

When `call.state` is `ended`: close the peer connection and release camera and microphone.

A call that ended as `connection_lost` may be gone on with until `meter.returns_until` (null: it may not, or not yet).
`POST /api/calls/{call_id}/return` by either side answers with the call that goes on with it, and the other side finds
that call in its next snapshot, `preparing`, with `continues_call_id`: ring, and join as usual within `deadline_at`.
Whoever comes second is given the same call. The meter of both calls is one, and goes on where it stood.
`POST /api/calls/{call_id}/finish` says that this side is done: the call is settled at once.

## Chat

`chat.send` with a `client_id` of your choice (unique per message of yours in this call). Without an ack, send the same
message again: it is stored once. The ack carries the stored message with its `seq`; the same message comes to all tabs
of both sides as `chat.message`. Order by `seq`; on a gap, and after every reconnection, read
`GET /api/calls/{call_id}/chat`. The text is plain text: never put it into a page as HTML.
"""
