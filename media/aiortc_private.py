"""Every private name of aiortc and pylibsrtp we touch, in one file: DTLS-SRTP of one peer above our own ICE agent.

No sender, receiver, decoder, encoder or RTCP task of aiortc ever exists. A canary test names each attribute.

Packets are decrypted, renumbered and encrypted again in one buffer that all calls of the process share: forwarding is
synchronous, so that nobody else can come between, and nothing is allocated but the datagram itself.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

from aiortc import RTCCertificate, RTCDtlsTransport
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, State
from aiortc.rtcicetransport import RTCIceTransport
from OpenSSL import SSL
from pylibsrtp import _binding

from media.ice import Datagram, IceLite, Network

LONGEST = 2048
_QUEUED_RECORDS = 32
_RECORD_BYTES = 1500
_ALERT = 21
_FIRST_EPOCH = bytes(2)

_library: Any = _binding.lib
_memory = _binding.ffi.new(f"char[{LONGEST}]")
_length = _binding.ffi.new("int *")
PLAIN = _binding.ffi.buffer(_memory)  # the packet that was decrypted last; written to by ``struct.pack_into``

# Elliptic-curve arithmetic of a handshake takes milliseconds: it runs beside the loop, which forwards meanwhile.
_handshakes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="dtls")


def new_certificate() -> RTCCertificate:
    """A DTLS certificate; one per node, because making one takes time that forwarding does not have."""
    return RTCCertificate.generateCertificate()


class _Records:
    """What aiortc's DTLS transport takes for its ICE transport: records in, records out."""

    role = "controlled"

    def __init__(self, send: Datagram) -> None:
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUED_RECORDS)
        self._out = send

    def put(self, record: bytes) -> None:
        """Take a record from the network. DTLS repeats what is lost; an endless queue would be a gift to a flooder."""
        if record[0] == _ALERT and record[3:5] == _FIRST_EPOCH:
            return  # not authenticated: whoever can forge an address could end a handshake with it
        if not self._queue.full():
            self._queue.put_nowait(record)

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, record: bytes) -> None:
        self._out(record)


class _Dtls(RTCDtlsTransport):
    """aiortc's DTLS transport with its handshake beside the loop."""

    _ssl: SSL.Connection

    async def _do_handshake(self) -> None:
        while True:
            try:
                await _beside(self._ssl.do_handshake)
            except SSL.WantReadError:
                await self._flush()
                await self._next_record()
            except SSL.Error:
                self._set_state(State.FAILED)
                return
            else:
                self.encrypted = True
                await self._flush()
                return

    async def _next_record(self) -> None:
        try:
            async with asyncio.timeout(self._ssl.DTLSv1_get_timeout()):
                record = await self.transport._recv()  # noqa: SLF001
        except TimeoutError:
            self._ssl.DTLSv1_handle_timeout()
            await self._flush()
        else:
            self._ssl.bio_write(record)

    async def _flush(self) -> None:
        while True:
            try:
                record = self._ssl.bio_read(_RECORD_BYTES)
            except SSL.WantReadError:
                return
            await self.transport._send(record)  # noqa: SLF001


async def _beside(work: Any) -> None:
    """Run in the handshake thread; a cancelled caller waits for it, for the connection must not be used by two."""
    running = asyncio.get_running_loop().run_in_executor(_handshakes, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        running.exception()
        raise


class SecureTransport:
    """ICE and DTLS-SRTP of one peer: ``on_srtp`` is called synchronously for each packet of a validated address."""

    def __init__(self, certificate: RTCCertificate, network: Network, on_srtp: Datagram) -> None:
        self.ice = IceLite(network, on_srtp, self._on_dtls)
        self._records = _Records(self.ice.send)
        self._dtls = _Dtls(cast("RTCIceTransport", self._records), [certificate])
        self._in: Any = None
        self._out: Any = None

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

    async def connect(self, fingerprint: tuple[str, str], *, we_are_server: bool) -> None:
        """Wait for the peer, then run DTLS; ``ConnectionError`` when it fails. The caller sets the time limit."""
        await self.ice.reachable()
        self._dtls._set_role("server" if we_are_server else "client")  # noqa: SLF001
        algorithm, value = fingerprint
        await self._dtls.start(RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(algorithm=algorithm, value=value)]))
        if not self.connected:
            raise ConnectionError("The DTLS handshake failed")
        self._in = self._dtls._rx_srtp._srtp[0]  # noqa: SLF001
        self._out = self._dtls._tx_srtp._srtp[0]  # noqa: SLF001

    def unprotect(self, packet: bytes) -> int:
        """Authenticate and decrypt an SRTP packet into ``PLAIN``; its length there, or 0 when it is not authentic."""
        return self._process(_library.srtp_unprotect, self._in, packet)

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """Authenticate and decrypt an SRTCP packet; None when it is not authentic."""
        size = self._process(_library.srtp_unprotect_rtcp, self._in, packet)
        return PLAIN[:size] if size else None

    def send_plain(self, size: int) -> bool:
        """Protect the first ``size`` bytes of ``PLAIN`` and send them at once; False when they cannot be protected."""
        if self._out is None:
            return False
        _length[0] = size
        if _library.srtp_protect(self._out, _memory, _length):
            return False
        self.ice.send(PLAIN[: _length[0]])
        return True

    def send_rtp(self, packet: bytes) -> bool:
        """Protect and send an RTP packet at once; False when it cannot be protected."""
        PLAIN[: len(packet)] = packet
        return self.send_plain(len(packet))

    def send_rtcp(self, packet: bytes) -> bool:
        """Protect and send a compound RTCP packet at once; False when it cannot be protected."""
        size = self._process(_library.srtp_protect_rtcp, self._out, packet)
        if size:
            self.ice.send(PLAIN[:size])
        return bool(size)

    async def close(self) -> None:
        """Close sockets and tasks; the peer is told by a DTLS alert when it can be reached."""
        await self._dtls.stop()
        self._in = self._out = None
        self.ice.close()

    def _process(self, function: Any, session: Any, packet: bytes) -> int:
        size = len(packet)
        if session is None or size > LONGEST - 256:
            return 0
        PLAIN[:size] = packet
        _length[0] = size
        if function(session, _memory, _length):
            return 0
        done: int = _length[0]
        return done

    def _on_dtls(self, record: bytes) -> None:
        self._records.put(record)
