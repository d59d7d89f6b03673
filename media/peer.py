"""One participant's connection to this node: negotiated once, replaced by a new one when they come back."""

import asyncio
import secrets
from collections.abc import Callable
from ipaddress import ip_address, ip_network

import pylibsrtp
from aiortc import RTCCertificate

from core import logs
from core.errors import Conflict, Invalid
from core.tasks import finish
from media import rtp
from media.aiortc_private import SecureTransport
from media.sdp import MAX_CANDIDATES, Leg, Source, StreamPlan, offer, parse_answer

log = logs.get(__name__)

CONNECT_S = 15.0
TRANSLATED = (ip_network("2002::/16"), ip_network("64:ff9b::/96"))
MOST_ROUTES = 16
CANDIDATE_CHARS = 512


class Peer:
    """Offer out, answer in, then packets both ways. ``routes`` maps each known incoming SSRC to (source, is_rtx)."""

    def __init__(
        self,
        role: str,
        certificate: RTCCertificate,
        *,
        allow_private: bool,
        on_packet: Callable[["Peer", bytes], None],
        on_connected: Callable[["Peer"], None],
    ) -> None:
        self.id = secrets.token_urlsafe(12)
        self.role = role
        self.routes: dict[int, tuple[Source, bool]] = {}
        self.closed = False
        self._allow_private = allow_private
        self._on_connected = on_connected
        self._transport = SecureTransport(certificate, lambda packet: on_packet(self, packet))
        self._candidates = 0
        self._answered = False
        self._connecting: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether packets flow."""
        return self._transport.connected and not self.closed

    async def offer(self, plan: dict[Source, StreamPlan]) -> str:
        """Open the sockets and describe our side."""
        await self._transport.gather()
        username, password = self._transport.ice_parameters
        leg = Leg(username, password, self._transport.fingerprint, tuple(self._transport.candidates))
        return offer(secrets.randbelow(1 << 62), leg, plan)

    async def answer(self, sdp: str) -> None:
        """Take the answer and connect in the background; raises ``Invalid`` or, the second time, ``Conflict``."""
        answer = parse_answer(sdp)
        if self._answered:
            raise Conflict("This connection was answered already; join anew.")
        self._answered = True
        self.routes.update(answer.sources)
        for line in answer.candidates:
            await self._add(line)
        connect = self._transport.connect(
            username=answer.username,
            password=answer.password,
            fingerprint=answer.fingerprint,
            we_are_server=answer.we_are_server,
        )
        self._connecting = asyncio.create_task(self._connect(connect), name=f"connect {self.role}")

    async def candidate(self, line: str) -> None:
        """Take a trickled candidate; raises ``Invalid`` when it is malformed or one too many."""
        await self._add(line.removeprefix("candidate:"))

    def unprotect(self, packet: bytes) -> bytes | None:
        """The plain packet, or None when it does not authenticate."""
        try:
            return self._transport.unprotect_rtcp(packet) if rtp.is_rtcp(packet) else self._transport.unprotect(packet)
        except pylibsrtp.Error:
            return None

    def send_rtp(self, packet: bytes) -> None:
        """Send a plain RTP packet, protected."""
        try:
            self._transport.send_rtp(packet)
        except pylibsrtp.Error as error:
            log.warning("relay.protect_failed", role=self.role, error=str(error))

    def send_rtcp(self, packet: bytes) -> None:
        """Send a plain compound RTCP packet, protected."""
        try:
            self._transport.send_rtcp(packet)
        except pylibsrtp.Error as error:
            log.warning("relay.protect_failed", role=self.role, error=str(error))

    def source_ssrc(self, source: Source) -> int | None:
        """The SSRC under which this peer sends ``source`` (not its retransmissions)."""
        for ssrc, (known, is_rtx) in self.routes.items():
            if known is source and not is_rtx:
                return ssrc
        return None

    async def close(self) -> None:
        """Free sockets and tasks."""
        self.closed = True
        if self._connecting is not None:
            await finish(self._connecting)
        await self._transport.close()

    async def _connect(self, connect: object) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                await connect  # type: ignore[misc]
        except (ConnectionError, TimeoutError) as error:
            log.info("peer.not_connected", role=self.role, error=type(error).__name__)
            return
        self._on_connected(self)

    async def _add(self, line: str) -> None:
        self._candidates += 1
        if self._candidates > MAX_CANDIDATES:
            raise Invalid(f"A connection may have {MAX_CANDIDATES} candidates at most.")
        if len(line) > CANDIDATE_CHARS:
            raise Invalid("This candidate is too long.")
        words = line.split()
        if len(words) < 8:  # noqa: PLR2004 - foundation component transport priority address port typ TYPE
            raise Invalid("This candidate is malformed.")
        if words[2].lower() != "udp" or words[1] != "1" or not self._acceptable(words[4]):
            return  # TCP, RTCP and hidden addresses cannot be used; the browser's own check tells us its address
        try:
            await self._transport.add_candidate(line)
        except (ValueError, AssertionError) as error:
            raise Invalid("This candidate is malformed.") from error

    def _acceptable(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False  # an mDNS name
        if address.is_multicast or address.is_unspecified or any(address in net for net in TRANSLATED):
            return False  # what a translator would turn into an address we refuse
        return self._allow_private or address.is_global
