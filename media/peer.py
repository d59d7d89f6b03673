"""One participant's connection to this node: negotiated once, replaced by a new one when they come back."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc import RTCCertificate

from core import logs
from core.errors import Conflict
from core.tasks import finish
from media.aiortc_private import SecureTransport
from media.ice import Network
from media.quality import StreamCount
from media.recording.clock import Report
from media.sdp import Leg, Source, StreamPlan, offer, parse_answer
from media.stream import StreamPair

log = logs.get(__name__)

CONNECT_S = 15.0
ANSWER_S = 30.0
MOST_ROUTES = 16


@dataclass(slots=True)
class Track:
    """One incoming SSRC: what it carries, where it is counted, the streams it goes out under, its newest report."""

    source: Source
    is_rtx: bool
    count: StreamCount
    pair: StreamPair
    report: Report | None = None


class Peer:
    """Offer out, answer in, then packets both ways.

    ``routes`` maps each announced SSRC to (source, is_rtx); ``tracks`` those that were heard. ``target`` is the peer
    that receives what this one sends, None while nobody may.
    """

    def __init__(
        self,
        role: str,
        certificate: RTCCertificate,
        *,
        network: Network,
        on_packet: Callable[["Peer", bytes], None],
        on_connected: Callable[["Peer"], None],
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.role = role
        self.routes: dict[int, tuple[Source, bool]] = {}
        self.tracks: dict[int, Track] = {}
        self.target: Peer | None = None
        self.closed = False
        self.transport = SecureTransport(certificate, network, lambda packet: on_packet(self, packet))
        self._on_connected = on_connected
        self._created_at = time.monotonic()
        self._answered = False
        self._connecting: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether packets flow."""
        return self.transport.connected and not self.closed

    def offer(self, plan: dict[Source, StreamPlan]) -> str:
        """Open the sockets and describe our side; raises ``Upstream`` when no port is left."""
        ice = self.transport.ice
        ice.open()
        leg = Leg(ice.username, ice.password, self.transport.fingerprint, tuple(ice.candidates))
        return offer(secrets.randbelow(1 << 62), leg, plan)

    def answer(self, sdp: str) -> None:
        """Take the answer and connect in the background; raises ``Invalid`` or, the second time, ``Conflict``."""
        answer = parse_answer(sdp)
        if self._answered:
            raise Conflict("This connection was answered already; join anew.")
        self._answered = True
        self.routes.update(answer.sources)
        connect = self._connect(answer.fingerprint, we_are_server=answer.we_are_server)
        self._connecting = asyncio.create_task(connect, name=f"connect {self.role}")

    def alive(self, now: float) -> bool:
        """Whether it is worth keeping: connected with the peer's consent, or still within its time to connect."""
        if self.connected:
            return self.transport.ice.watch(now)
        return now - self._created_at < ANSWER_S + CONNECT_S

    def source_ssrc(self, source: Source) -> int | None:
        """The SSRC under which this peer sends ``source`` (not its retransmissions)."""
        for ssrc, track in self.tracks.items():
            if track.source is source and not track.is_rtx:
                return ssrc
        for ssrc, (known, is_rtx) in self.routes.items():
            if known is source and not is_rtx:
                return ssrc
        return None

    async def close(self) -> None:
        """Free sockets and tasks."""
        self.closed = True
        self.target = None
        if self._connecting is not None:
            await finish(self._connecting)
        await self.transport.close()

    async def _connect(self, fingerprint: tuple[str, str], *, we_are_server: bool) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await self.transport.connect(fingerprint, we_are_server=we_are_server)
        except (ConnectionError, TimeoutError) as error:
            log.info("peer.not_connected", role=self.role, error=type(error).__name__)
            return
        self._on_connected(self)
