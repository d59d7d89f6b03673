"""Every private name of aiortc and aioice we touch, in one file: ICE and DTLS-SRTP of one peer, without a media engine.

We use aiortc's ICE gatherer, ICE transport and DTLS transport directly and write the session description ourselves
(``media/sdp.py``): no sender, receiver, decoder, encoder or RTCP task ever exists. A canary test names each attribute.
"""

from collections.abc import Callable
from typing import Any

from aioice.ice import CandidatePair
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp

Datagram = Callable[[bytes], None]
Address = tuple[str, int]

_DTLS = range(20, 64)  # first byte of a DTLS record (RFC 7983)
_STUN = range(4)
_SRTP = range(128, 192)
_COMPONENT = 1


def new_certificate() -> RTCCertificate:
    """A DTLS certificate; one per node, because making one takes time that forwarding does not have."""
    return RTCCertificate.generateCertificate()


class SecureTransport:
    """ICE and DTLS-SRTP of one peer: ``on_srtp`` is called synchronously for each protected packet.

    Guard: aioice hands any non-STUN datagram to DTLS without looking at its source, so that one forged packet kills a
    call being set up. We drop what does not come from an address whose connectivity check has succeeded.
    """

    def __init__(self, certificate: RTCCertificate, on_srtp: Datagram) -> None:
        self._gatherer = RTCIceGatherer(iceServers=[])  # the default would ask a public STUN server
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._connection = self._ice._connection  # noqa: SLF001
        self._on_srtp = on_srtp
        self._trusted: set[tuple[int, Address]] = set()

    async def gather(self) -> None:
        """Open a socket on every address of this machine and put the guard before each."""
        self._connection.ice_controlling = True
        await self._gatherer.gather()
        for protocol in self._connection._protocols:  # noqa: SLF001
            # A bound attribute on the instance: asyncio looks the callback up at every datagram.
            setattr(protocol, "datagram_received", self._guard(protocol))  # noqa: B010 - an instance attribute, on purpose

    @property
    def ice_parameters(self) -> tuple[str, str]:
        """Our user name fragment and password."""
        found = self._gatherer.getLocalParameters()
        return found.usernameFragment or "", found.password or ""

    @property
    def candidates(self) -> list[str]:
        """Our candidates as SDP attribute values."""
        return [candidate_to_sdp(candidate) for candidate in self._gatherer.getLocalCandidates()]

    @property
    def fingerprint(self) -> str:
        """Our certificate's SHA-256 fingerprint."""
        for found in self._dtls.getLocalParameters().fingerprints:
            if found.algorithm == "sha-256":
                return found.value
        raise RuntimeError("aiortc offers no sha-256 fingerprint")

    @property
    def connected(self) -> bool:
        """Whether packets can be sent and received."""
        return self._dtls.state == "connected"

    async def add_candidate(self, line: str) -> None:
        """Add a remote candidate given as an SDP attribute value; raises ``ValueError`` when it is malformed."""
        candidate = candidate_from_sdp(line)
        candidate.sdpMid = "0"
        await self._ice.addRemoteCandidate(candidate)

    async def connect(self, *, username: str, password: str, fingerprint: tuple[str, str], we_are_server: bool) -> None:
        """Run ICE, then DTLS. Returns when connected; raises ``ConnectionError`` when the handshake fails.

        End-of-candidates is never signalled: a browser may come from an address it did not announce (mDNS), and its
        own check teaches us that address. The caller sets the time limit.
        """
        await self._ice.start(RTCIceParameters(usernameFragment=username, password=password))
        self._dtls._set_role("server" if we_are_server else "client")  # noqa: SLF001
        algorithm, value = fingerprint
        parameters = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(algorithm=algorithm, value=value)])
        if self._ice.state != "completed":
            raise ConnectionError("ICE found no path")
        await self._dtls.start(parameters)
        if not self.connected:
            raise ConnectionError("The DTLS handshake failed")

    def unprotect(self, packet: bytes) -> bytes:
        """Authenticate and decrypt an SRTP packet; raises ``pylibsrtp.Error``."""
        plain: bytes = self._dtls._rx_srtp.unprotect(packet)  # noqa: SLF001
        return plain

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Authenticate and decrypt an SRTCP packet; raises ``pylibsrtp.Error``."""
        plain: bytes = self._dtls._rx_srtp.unprotect_rtcp(packet)  # noqa: SLF001
        return plain

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send at once; raises ``pylibsrtp.Error``. Without a nominated pair the packet is dropped."""
        self._send(self._dtls._tx_srtp.protect(packet))  # noqa: SLF001

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send a compound RTCP packet at once; raises ``pylibsrtp.Error``."""
        self._send(self._dtls._tx_srtp.protect_rtcp(packet))  # noqa: SLF001

    async def close(self) -> None:
        """Close sockets and tasks; the peer is told by a DTLS alert when it can be reached."""
        await self._dtls.stop()
        await self._ice.stop()

    def _send(self, packet: bytes) -> None:
        pair = self._connection._nominated.get(_COMPONENT)  # noqa: SLF001 - read at every send: the path may move
        if pair is not None and not pair.protocol.transport.is_closing():
            pair.protocol.transport.sendto(packet, pair.remote_addr)

    def _guard(self, protocol: Any) -> Callable[[bytes, Any], None]:
        original = type(protocol).datagram_received.__get__(protocol)

        def datagram_received(data: bytes, addr: Any) -> None:
            if not data:
                return
            first = data[0]
            if first in _STUN:
                original(data, addr)
            elif first in _SRTP:
                if self._dtls._rx_srtp is not None and self._trusts(protocol, addr):  # noqa: SLF001
                    self._on_srtp(data)
            elif first in _DTLS and self._trusts(protocol, addr):
                self._connection.data_received(data, _COMPONENT)

        return datagram_received

    def _trusts(self, protocol: Any, addr: Any) -> bool:
        key = (protocol.id, (addr[0], addr[1]))
        if key in self._trusted:
            return True
        for pair in self._connection._check_list:  # noqa: SLF001
            if pair.protocol is protocol and pair.remote_addr == key[1] and pair.state is CandidatePair.State.SUCCEEDED:
                self._trusted.add(key)
                return True
        return False
