"""The network test: a connection that belongs to no call and sends back the sound it gets, for some seconds."""

import secrets
import struct
import time

from aiortc import RTCCertificate

from core import logs
from core.errors import NotFound, Upstream
from media import rtp
from media.aiortc_private import PLAIN
from media.ice import Network
from media.peer import Peer
from media.sdp import Source, StreamPlan

log = logs.get(__name__)

MOST = 32  # at once on this node
LASTS_S = 10.0
MOST_PACKETS = 1_000  # of one probe: ten seconds of sound, twice over

_ssrc = struct.Struct("!I")


class Probes:
    """The probes of one node. ``watch`` must be called every now and then."""

    def __init__(self, certificate: RTCCertificate, network: Network) -> None:
        self._certificate, self._network = certificate, network
        self._open: dict[str, _Probe] = {}

    def open(self) -> tuple[str, str]:
        """A new probe: its id and our offer. Raises ``Upstream`` when there are too many, or no port is left."""
        if len(self._open) >= MOST:
            raise Upstream("Too many network tests run just now; try again in a moment.")
        probe = _Probe(self._certificate, self._network)
        offer = probe.offer()
        self._open[probe.peer.id] = probe
        return probe.peer.id, offer

    def answer(self, probe_id: str, sdp: str) -> None:
        """Take the browser's answer; raises ``NotFound``, ``Invalid``, or ``Conflict`` the second time."""
        probe = self._open.get(probe_id)
        if probe is None:
            raise NotFound("This network test is over; start another one.")
        probe.peer.answer(sdp)

    async def watch(self, now: float) -> None:
        """Close what is over."""
        for probe_id, probe in list(self._open.items()):
            if now - probe.since > LASTS_S:
                del self._open[probe_id]
                await probe.peer.close()

    async def close(self) -> None:
        """Close all."""
        await self.watch(float("inf"))


class _Probe:
    def __init__(self, certificate: RTCCertificate, network: Network) -> None:
        self.since = time.monotonic()
        self.peer = Peer("probe", certificate, network=network, on_packet=self._echo, on_connected=lambda _peer: None)
        self._ssrc = secrets.randbelow(1 << 30) + 1
        self._left = MOST_PACKETS

    def offer(self) -> str:
        plan = {source: StreamPlan(self._ssrc + 2 * n, self._ssrc + 2 * n + 1) for n, source in enumerate(Source)}
        return self.peer.offer(plan)

    def _echo(self, peer: Peer, packet: bytes) -> None:
        """Sound comes back under our own number; all else ends here."""
        if rtp.is_rtcp(packet) or len(packet) < rtp.HEADER or self._left <= 0:
            return
        size = peer.transport.unprotect(packet)
        route = peer.routes.get(_ssrc.unpack_from(packet, 8)[0])
        if size < rtp.HEADER or route is None or route[0] is not Source.AUDIO:
            return
        self._left -= 1
        _ssrc.pack_into(PLAIN, 8, self._ssrc)
        peer.transport.send_plain(size)
