"""The relay of one call: packets of one side, decrypted, renumbered, encrypted for the other. Nothing is decoded.

Sequence numbers, timestamps and feedback stay end to end, so the browsers' own congestion control, retransmission and
key-frame requests work through us. A side that is not seen gets nothing (decisions §2).
"""

import asyncio
import secrets
import struct
import time
from collections.abc import Callable
from itertools import count

from aiortc import RTCCertificate

from core import logs
from core.errors import NotFound
from media import rtp
from media.aiortc_private import PLAIN, new_certificate
from media.ice import Network
from media.peer import MOST_ROUTES, Peer, Track
from media.quality import Direction, StreamCount
from media.recording.clock import Report
from media.sdp import CLOCK_RATE, EXT_MID, RTX_TYPES, VIDEO_SOURCES, Source, StreamPlan
from media.stream import Stream, StreamPair

__all__ = ["OTHER", "ROLES", "CallRelay", "new_certificate"]

log = logs.get(__name__)

ROLES = ("customer", "consultant")
OTHER = {"customer": "consultant", "consultant": "customer"}
KEYFRAME_EVERY_S = 0.5
MOST_PASSED = 16  # sender reports remembered until they are answered; there are one or two a second

# Side, track, SSRC, packet, monotonic seconds.
Tap = Callable[[str, Track, int, bytes, float], None]

_numbers = struct.Struct("!HII")  # sequence number, timestamp, SSRC: bytes 2 to 11 of an RTP header


class CallRelay:
    """Both sides of one call on this node. ``on_media(role, monotonic_s)`` is told of every authentic RTP packet."""

    def __init__(
        self, *, certificate: RTCCertificate, network: Network, on_media: Callable[[str, float], None]
    ) -> None:
        self._certificate = certificate
        self._network = network
        self._on_media = on_media
        self._peers: dict[str, Peer] = {}  # connected, by role
        self._pending: dict[str, Peer] = {}  # offered, not connected yet
        self._streams = {role: _streams() for role in ROLES}  # by sender
        self._directions = {role: Direction() for role in ROLES}  # by sender
        self._forward_to = dict.fromkeys(ROLES, False)
        self._keyframe_at = dict.fromkeys(ROLES, 0.0)
        self._closing: set[asyncio.Task[None]] = set()
        self.tap: Tap | None = None  # hears every packet that is passed on, as its sender wrote it
        self._passed: dict[str, dict[int, float]] = {role: {} for role in ROLES}  # reports, by who got them
        self.rtt_s: dict[str, float] = {}  # between this node and a side, as of its newest report
        self._rewriters = {role: rtp.Rewriter(self._sent_by(role), self._received_by(role)) for role in ROLES}

    # -- negotiation -----------------------------------------------------------------------------------------------

    async def join(self, role: str) -> tuple[str, str]:
        """A new connection for ``role``: its id and our offer. It replaces the old one once it is connected."""
        peer = Peer(
            role,
            self._certificate,
            network=self._network,
            on_packet=self._on_packet,
            on_connected=self._on_connected,
        )
        stale = self._pending.pop(role, None)
        self._pending[role] = peer
        if stale is not None:
            self._close_later(stale)
        plan = {
            source: StreamPlan(pair.main.ssrc, pair.rtx.ssrc if pair.rtx else None)
            for source, pair in self._streams[OTHER[role]].items()
        }
        return peer.id, peer.offer(plan)

    async def answer(self, peer_id: str, sdp: str) -> None:
        """Take a peer's answer; raises ``NotFound`` for an unknown peer, ``Invalid`` for a bad description."""
        self._find(peer_id).answer(sdp)

    async def leave(self, peer_id: str) -> None:
        """Close one connection; unknown ids are gone already."""
        for table in (self._peers, self._pending):
            for role, peer in list(table.items()):
                if peer.id == peer_id:
                    del table[role]
                    self._retarget()
                    await peer.close()

    # -- policy ----------------------------------------------------------------------------------------------------

    def set_forwarding(self, *, to_customer: bool, to_consultant: bool) -> None:
        """Say who may receive. A side that may again continues without a gap, with a fresh key frame."""
        for role, allowed in (("customer", to_customer), ("consultant", to_consultant)):
            if allowed and not self._forward_to[role]:
                for pair in self._streams[OTHER[role]].values():
                    pair.detach()
                self._keyframe_at[OTHER[role]] = 0.0
                self._forward_to[role] = True
                self._ask_keyframe(OTHER[role])
            self._forward_to[role] = allowed
        self._retarget()

    def watch(self, now: float) -> None:
        """Let go of connections that never came up, and of those whose side has not consented for 30 s (RFC 7675)."""
        for table in (self._peers, self._pending):
            for role, peer in list(table.items()):
                if not peer.alive(now):
                    log.info("peer.let_go", role=role, connected=peer.connected)
                    del table[role]
                    self._retarget()
                    self._close_later(peer)

    @property
    def directions(self) -> dict[str, Direction]:
        """The running counts of what each side sent."""
        return self._directions

    def quality(self) -> dict[str, object]:
        """Counts per direction, by the side that sent."""
        return {role: direction.as_dict() for role, direction in self._directions.items()}

    async def close(self) -> None:
        """Free everything."""
        peers = [*self._peers.values(), *self._pending.values()]
        self._peers.clear()
        self._pending.clear()
        for peer in peers:
            peer.target = None
        await asyncio.gather(*(peer.close() for peer in peers), *self._closing, return_exceptions=True)

    # -- packets ---------------------------------------------------------------------------------------------------

    def _on_packet(self, peer: Peer, packet: bytes) -> None:
        """The path of every packet; its plain form stays in the buffer of ``aiortc_private`` all the way."""
        if len(packet) < rtp.HEADER:
            return
        if 192 <= packet[1] <= 223:  # noqa: PLR2004 - RFC 5761 §4: RTCP
            self._on_rtcp(peer, packet)
            return
        size = peer.transport.unprotect(packet)
        if size < rtp.HEADER:
            self._directions[peer.role].refused += 1
            return
        now = time.monotonic()
        seq, timestamp, ssrc = _numbers.unpack_from(packet, 2)  # the header travels in clear, and was authenticated
        self._on_media(peer.role, now)
        track = peer.tracks.get(ssrc) or self._learn(peer, packet, ssrc)
        if track is None:
            self._directions[peer.role].unforwarded += 1
            return
        track.count.add(ssrc, size, seq, timestamp, now)
        target = peer.target
        if self.tap is not None and target is not None:
            self.tap(peer.role, track, ssrc, PLAIN[:size], now)
        if target is None:
            self._directions[peer.role].unforwarded += 1
        elif track.is_rtx:
            self._forward_rtx(track.pair, target, PLAIN[:size], now)
        else:
            stream = track.pair.main
            if stream.source_ssrc != ssrc:
                self._attach(peer, track, ssrc, seq, timestamp, now)
            _numbers.pack_into(PLAIN, 2, *stream.renumber(seq, timestamp, now), stream.ssrc)
            target.transport.send_plain(size)

    def _attach(self, peer: Peer, track: Track, ssrc: int, seq: int, timestamp: int, now: float) -> None:
        kept = PLAIN[:]  # asking for a key frame uses the buffer
        track.pair.main.attach(ssrc, seq, timestamp, now)
        if track.source in VIDEO_SOURCES:
            self._ask_keyframe(peer.role)
        PLAIN[:] = kept

    def _forward_rtx(self, pair: StreamPair, target: Peer, packet: bytes, now: float) -> None:
        if pair.rtx is None or pair.main.source_ssrc is None:
            return  # nothing of this source was forwarded yet that could be repeated
        seq, timestamp, ssrc = _numbers.unpack_from(packet, 2)
        if pair.rtx.source_ssrc != ssrc:
            pair.rtx.attach(ssrc, seq, timestamp, now)
        out_seq, _ = pair.rtx.renumber(seq, timestamp, now)
        out_ts = (timestamp + pair.main.ts_offset) & 0xFFFFFFFF
        try:
            shifted = rtp.rewrite_osn(packet, pair.main.seq_offset)
        except ValueError:
            return
        target.transport.send_rtp(rtp.rewrite(shifted, ssrc=pair.rtx.ssrc, seq=out_seq, timestamp=out_ts))

    def _on_rtcp(self, peer: Peer, packet: bytes) -> None:
        compound = peer.transport.unprotect_rtcp(packet)
        if compound is None:
            self._directions[peer.role].refused += 1
            return
        if compound[1] in (rtp.SR, rtp.RR):
            self._note_reports(peer, compound)
        if peer.target is None:
            return
        try:
            rewritten = self._rewriters[peer.role].rewrite(compound)
        except (ValueError, struct.error):
            self._directions[peer.role].refused += 1
            return
        if rewritten:
            peer.target.transport.send_rtcp(rewritten)

    def _note_reports(self, peer: Peer, compound: bytes) -> None:
        """Sender reports tell the sender's clock; answers to those we passed on tell how far away their sender is."""
        now = time.monotonic()
        for ssrc, ntp, timestamp in rtp.sender_reports(compound):
            track = peer.tracks.get(ssrc)
            if track is not None:
                track.report = Report(ntp, timestamp, now)
                passed = self._passed[OTHER[peer.role]]
                passed[int(ntp * 65_536) & 0xFFFFFFFF] = now
                while len(passed) > MOST_PASSED:
                    del passed[next(iter(passed))]
        for last, delay in rtp.round_trips(compound):
            sent = self._passed[peer.role].get(last)
            if sent is not None:
                self.rtt_s[peer.role] = max(0.0, now - sent - delay / 65_536)

    def _learn(self, peer: Peer, packet: bytes, ssrc: int) -> Track | None:
        """A new SSRC: announced in the answer, or telling by its mid extension what it carries (RFC 8843 §9.2)."""
        if len(peer.tracks) >= MOST_ROUTES:
            return None
        route = peer.routes.get(ssrc)
        if route is None:
            mid = rtp.extension(packet, EXT_MID)
            try:
                source = Source((mid or b"").decode("ascii"))
            except ValueError:
                return None
            route = source, packet[1] & 0x7F in RTX_TYPES
        count = self._count(self._directions[peer.role], route[0], is_rtx=route[1])
        track = peer.tracks[ssrc] = Track(*route, count, self._streams[peer.role][route[0]])
        return track

    def _count(self, direction: Direction, source: Source, *, is_rtx: bool) -> StreamCount:
        name = source.name.lower() + ("_rtx" if is_rtx else "")
        found = direction.streams.get(name)
        if found is None:
            found = direction.streams[name] = StreamCount(CLOCK_RATE[source])
        return found

    def _retarget(self) -> None:
        """Who sends to whom: only the newest connection of each side, and only to a side that may receive."""
        for role in ROLES:
            peer, other = self._peers.get(role), self._peers.get(OTHER[role])
            if peer is not None:
                peer.target = other if other is not None and self._forward_to[other.role] else None

    # -- key frames and RTCP identities ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask both sides for a whole picture, as somebody who begins to watch needs one."""
        for role in ROLES:
            self._ask_keyframe(role)

    def _ask_keyframe(self, role: str) -> None:
        peer, now = self._peers.get(role), time.monotonic()
        if peer is None or not peer.connected or now - self._keyframe_at[role] < KEYFRAME_EVERY_S:
            return
        self._keyframe_at[role] = now
        for source in VIDEO_SOURCES:
            ssrc = peer.source_ssrc(source)
            if ssrc is not None:
                peer.transport.send_rtcp(rtp.pli(1, ssrc))

    def _sent_by(self, role: str) -> Callable[[int], tuple[int, int] | None]:
        def sent(ssrc: int) -> tuple[int, int] | None:
            for pair in self._streams[role].values():
                if pair.main.source_ssrc == ssrc:
                    return pair.main.ssrc, pair.main.ts_offset
                if pair.rtx and pair.rtx.source_ssrc == ssrc:
                    return pair.rtx.ssrc, pair.main.ts_offset
            return None

        return sent

    def _received_by(self, role: str) -> Callable[[int], tuple[int, int] | None]:
        def received(ssrc: int) -> tuple[int, int] | None:
            for pair in self._streams[OTHER[role]].values():
                for stream in (pair.main, pair.rtx):
                    if stream and stream.ssrc == ssrc and stream.source_ssrc is not None:
                        return stream.source_ssrc, stream.seq_offset
            return None

        return received

    # -- life ------------------------------------------------------------------------------------------------------

    def _on_connected(self, peer: Peer) -> None:
        if self._pending.get(peer.role) is peer:
            del self._pending[peer.role]
        old = self._peers.get(peer.role)
        self._peers[peer.role] = peer
        if old is not None and old is not peer:
            old.target = None
            self._close_later(old)
        self._retarget()
        self._ask_keyframe(OTHER[peer.role])

    def _close_later(self, peer: Peer) -> None:
        task = asyncio.create_task(peer.close(), name=f"close {peer.role}")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _find(self, peer_id: str) -> Peer:
        for table in (self._peers, self._pending):
            for peer in table.values():
                if peer.id == peer_id:
                    return peer
        raise NotFound("This connection is not known here; join anew.")


def _streams() -> dict[Source, StreamPair]:
    """Fresh outgoing streams of one sender, with SSRCs that collide with nothing of ours."""
    numbers = count(secrets.randbelow(1 << 30) + (1 << 30), 7)
    return {
        source: StreamPair(
            Stream(next(numbers), CLOCK_RATE[source]),
            Stream(next(numbers), CLOCK_RATE[source]) if source in VIDEO_SOURCES else None,
        )
        for source in Source
    }
