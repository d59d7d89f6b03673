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
from media.aiortc_private import new_certificate
from media.peer import MOST_ROUTES, Peer
from media.quality import Direction, StreamCount
from media.sdp import CLOCK_RATE, EXT_MID, RTX_TYPES, VIDEO_SOURCES, Source, StreamPlan
from media.stream import Stream, StreamPair

__all__ = ["OTHER", "ROLES", "CallRelay", "new_certificate"]

log = logs.get(__name__)

ROLES = ("customer", "consultant")
OTHER = {"customer": "consultant", "consultant": "customer"}
KEYFRAME_EVERY_S = 0.5

_read = struct.Struct("!HII")  # sequence number, timestamp, SSRC


class CallRelay:
    """Both sides of one call on this node. ``on_media(role, monotonic_s)`` is told of every authentic RTP packet."""

    def __init__(
        self, *, certificate: RTCCertificate, allow_private: bool, on_media: Callable[[str, float], None]
    ) -> None:
        self._certificate = certificate
        self._allow_private = allow_private
        self._on_media = on_media
        self._peers: dict[str, Peer] = {}  # connected, by role
        self._pending: dict[str, Peer] = {}  # offered, not connected yet
        self._streams = {role: _streams() for role in ROLES}  # by sender
        self._directions = {role: Direction() for role in ROLES}  # by sender
        self._forward_to = dict.fromkeys(ROLES, False)
        self._keyframe_at = dict.fromkeys(ROLES, 0.0)
        self._closing: set[asyncio.Task[None]] = set()
        self._rewriters = {role: rtp.Rewriter(self._sent_by(role), self._received_by(role)) for role in ROLES}

    # -- negotiation -----------------------------------------------------------------------------------------------

    async def join(self, role: str) -> tuple[str, str]:
        """A new connection for ``role``: its id and our offer. It replaces the old one once it is connected."""
        peer = Peer(
            role,
            self._certificate,
            allow_private=self._allow_private,
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
        return peer.id, await peer.offer(plan)

    async def answer(self, peer_id: str, sdp: str) -> None:
        """Take a peer's answer; raises ``NotFound`` for an unknown peer, ``Invalid`` for a bad description."""
        await self._find(peer_id).answer(sdp)

    async def candidate(self, peer_id: str, candidate: dict[str, object] | None) -> None:
        """Take a trickled candidate; None and the empty one mean the end, which we need not know."""
        peer = self._find(peer_id)
        line = (candidate or {}).get("candidate")
        if isinstance(line, str) and line:
            await peer.candidate(line)

    async def leave(self, peer_id: str) -> None:
        """Close one connection; unknown ids are gone already."""
        for table in (self._peers, self._pending):
            for role, peer in list(table.items()):
                if peer.id == peer_id:
                    del table[role]
                    await peer.close()

    def has_peer(self, peer_id: str) -> bool:
        """Whether this connection is ours."""
        return any(peer.id == peer_id for table in (self._peers, self._pending) for peer in table.values())

    def role_of(self, peer_id: str) -> str | None:
        """Whose connection this is."""
        for table in (self._peers, self._pending):
            for role, peer in table.items():
                if peer.id == peer_id:
                    return role
        return None

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

    def quality(self) -> dict[str, object]:
        """Counts per direction, by the side that sent."""
        return {role: direction.as_dict() for role, direction in self._directions.items()}

    async def close(self) -> None:
        """Free everything."""
        peers = [*self._peers.values(), *self._pending.values()]
        self._peers.clear()
        self._pending.clear()
        await asyncio.gather(*(peer.close() for peer in peers), *self._closing, return_exceptions=True)

    # -- packets ---------------------------------------------------------------------------------------------------

    def _on_packet(self, peer: Peer, packet: bytes) -> None:
        plain = peer.unprotect(packet)
        if plain is None:
            self._directions[peer.role].refused += 1
        elif rtp.is_rtcp(plain):
            self._forward_rtcp(peer, plain)
        elif len(plain) >= rtp.HEADER:
            now = time.monotonic()
            self._on_media(peer.role, now)
            self._forward_rtp(peer, plain, now)

    def _forward_rtp(self, peer: Peer, packet: bytes, now: float) -> None:
        seq, timestamp, ssrc = _read.unpack_from(packet, 2)
        route = peer.routes.get(ssrc) or self._learn(peer, packet, ssrc)
        direction = self._directions[peer.role]
        if route is None:
            direction.unforwarded += 1
            return
        source, is_rtx = route
        self._count(direction, source, is_rtx=is_rtx).add(ssrc, len(packet), seq, timestamp, now)
        other = self._peers.get(OTHER[peer.role])
        if other is None or not self._forward_to[other.role] or self._peers.get(peer.role) is not peer:
            direction.unforwarded += 1
            return
        pair = self._streams[peer.role][source]
        if is_rtx:
            self._forward_rtx(pair, other, packet, now)
            return
        stream = pair.main
        if stream.source_ssrc != ssrc:
            stream.attach(ssrc, seq, timestamp, now)
            if source in VIDEO_SOURCES:
                self._ask_keyframe(peer.role)
        out_seq, out_ts = stream.renumber(seq, timestamp, now)
        other.send_rtp(rtp.rewrite(packet, ssrc=stream.ssrc, seq=out_seq, timestamp=out_ts))

    def _forward_rtx(self, pair: StreamPair, other: Peer, packet: bytes, now: float) -> None:
        if pair.rtx is None or pair.main.source_ssrc is None:
            return  # nothing of this source was forwarded yet that could be repeated
        seq, timestamp, ssrc = _read.unpack_from(packet, 2)
        if pair.rtx.source_ssrc != ssrc:
            pair.rtx.attach(ssrc, seq, timestamp, now)
        out_seq, _ = pair.rtx.renumber(seq, timestamp, now)
        out_ts = (timestamp + pair.main.ts_offset) & 0xFFFFFFFF
        try:
            shifted = rtp.rewrite_osn(packet, pair.main.seq_offset)
        except ValueError:
            return
        other.send_rtp(rtp.rewrite(shifted, ssrc=pair.rtx.ssrc, seq=out_seq, timestamp=out_ts))

    def _forward_rtcp(self, peer: Peer, compound: bytes) -> None:
        other = self._peers.get(OTHER[peer.role])
        if other is None or not self._forward_to[other.role] or self._peers.get(peer.role) is not peer:
            return
        try:
            rewritten = self._rewriters[peer.role].rewrite(compound)
        except (ValueError, struct.error):
            self._directions[peer.role].refused += 1
            return
        if rewritten:
            other.send_rtcp(rewritten)

    def _learn(self, peer: Peer, packet: bytes, ssrc: int) -> tuple[Source, bool] | None:
        """Find out what an unannounced SSRC carries, by its mid extension (RFC 8843 §9.2)."""
        if len(peer.routes) >= MOST_ROUTES:
            return None
        mid = rtp.extension(packet, EXT_MID)
        try:
            source = Source((mid or b"").decode("ascii"))
        except ValueError:
            return None
        peer.routes[ssrc] = (source, packet[1] & 0x7F in RTX_TYPES)
        return peer.routes[ssrc]

    def _count(self, direction: Direction, source: Source, *, is_rtx: bool) -> StreamCount:
        name = source.name.lower() + ("_rtx" if is_rtx else "")
        found = direction.streams.get(name)
        if found is None:
            found = direction.streams[name] = StreamCount(CLOCK_RATE[source])
        return found

    # -- key frames and RTCP identities ----------------------------------------------------------------------------

    def _ask_keyframe(self, role: str) -> None:
        peer, now = self._peers.get(role), time.monotonic()
        if peer is None or not peer.connected or now - self._keyframe_at[role] < KEYFRAME_EVERY_S:
            return
        self._keyframe_at[role] = now
        for source in VIDEO_SOURCES:
            ssrc = peer.source_ssrc(source)
            if ssrc is not None:
                peer.send_rtcp(rtp.pli(1, ssrc))

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
            self._close_later(old)
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
