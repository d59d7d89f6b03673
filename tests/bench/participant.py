"""One participant of a bench call: a real ICE agent and DTLS-SRTP of aiortc, then bare packets on its socket."""

import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
)
from aiortc.rtcicetransport import RTCIceParameters
from aiortc.sdp import candidate_from_sdp, candidate_to_sdp
from pylibsrtp import Session

PROFILES = {"gcm": SRTP_AEAD_AES_128_GCM, "cm80": SRTP_AES128_CM_SHA1_80}
AUDIO, VIDEO, RTX = 111, 96, 97
TRANSPORT_CC = 3
_CODECS = {
    "audio": ["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc"],
    "video": [
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 transport-cc",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
    ],
}
_EXTENSION = f"a=extmap:{TRANSPORT_CC} http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"


@dataclass(frozen=True, slots=True)
class Ssrcs:
    """The streams a participant sends."""

    audio: int
    video: int
    rtx: int


class Participant:
    """Connects to whatever server sent an SDP; then ``send`` protects packets and ``on_packet`` gets protected ones."""

    def __init__(self, certificate: RTCCertificate, profile: str, ssrcs: Ssrcs) -> None:
        self.ssrcs = ssrcs
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])
        self._dtls._srtp_profiles = [PROFILES[profile]]
        self._socket: socket.socket | None = None
        self._server: Any = None
        self.protect: Callable[[bytes], bytes]
        self.session_in: Session

    async def offer(self) -> str:
        """Our offer, audio and video."""
        await self._gatherer.gather()
        return self._describe([("audio", "0"), ("video", "1")], "actpass")

    async def answer(self, offer: str) -> str:
        """Our answer to a server's offer, section by section; we will be the DTLS client."""
        await self._gatherer.gather()
        kinds = re.findall(r"^m=(audio|video) ", offer, re.MULTILINE)
        mids = re.findall(r"^a=mid:(\S+)", offer, re.MULTILINE)
        return self._describe(list(zip(kinds, mids, strict=True)), "active")

    async def connect(self, remote: str, *, offered: bool) -> None:
        """ICE and DTLS with what the server's description says; ``offered`` when ours was the offer."""
        found = dict(re.findall(r"^a=(ice-ufrag|ice-pwd|fingerprint|setup):(.+?)\r?$", remote, re.MULTILINE))
        lite = "a=ice-lite" in remote
        self._ice._connection.ice_controlling = offered or lite
        for line in re.findall(r"^a=candidate:(.+?)\r?$", remote, re.MULTILINE):
            candidate = candidate_from_sdp(line)
            candidate.sdpMid = "0"
            if candidate.protocol == "udp" and candidate.component == 1:
                await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        await self._ice.start(RTCIceParameters(found["ice-ufrag"], found["ice-pwd"], iceLite=lite))
        self._dtls._set_role("server" if found["setup"] == "active" else "client")
        algorithm, value = found["fingerprint"].split()
        await self._dtls.start(RTCDtlsParameters([RTCDtlsFingerprint(algorithm, value)]))
        if self._dtls.state != "connected":
            raise ConnectionError(f"not connected: ICE {self._ice.state}, DTLS {self._dtls.state}")
        self.protect = self._dtls._tx_srtp.protect
        self.protect_rtcp = self._dtls._tx_srtp.protect_rtcp
        self.session_in = self._dtls._rx_srtp

    def take_over(self, on_packet: Callable[[bytes], None]) -> None:
        """From now on (S)RTP and (S)RTCP bypass aiortc; STUN and DTLS still go to it."""
        pair = self._ice._connection._nominated[1]
        protocol, self._server = pair.protocol, pair.remote_addr
        self._socket = socket.socket(fileno=os.dup(protocol.transport.get_extra_info("socket").fileno()))
        original = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            if 128 <= data[0] < 192:
                on_packet(data)
            else:
                original(data, address)

        protocol.datagram_received = received

    def send(self, protected: bytes) -> None:
        """Out, or lost when the socket is full."""
        if self._socket is not None:
            try:
                self._socket.sendto(protected, self._server)
            except BlockingIOError:
                return

    async def close(self) -> None:
        """Free the sockets."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        await self._dtls.stop()
        await self._ice.stop()

    def _describe(self, sections: list[tuple[str, str]], setup: str) -> str:
        local = self._gatherer.getLocalParameters()
        print_ = next(f.value for f in self._dtls.getLocalParameters().fingerprints if f.algorithm == "sha-256")
        mids = " ".join(mid for _, mid in sections)
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}"]
        sent: set[str] = set()
        for kind, mid in sections:
            payloads = f"{AUDIO}" if kind == "audio" else f"{VIDEO} {RTX}"
            lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF {payloads}", "c=IN IP4 0.0.0.0", "a=rtcp-mux", "a=sendrecv"]
            lines += [f"a=ice-ufrag:{local.usernameFragment}", f"a=ice-pwd:{local.password}"]
            lines += [f"a=fingerprint:sha-256 {print_}", f"a=setup:{setup}", f"a=mid:{mid}", _EXTENSION]
            lines += _CODECS[kind]
            if kind not in sent:
                lines += self._streams(kind)
            sent.add(kind)
            lines += [f"a=candidate:{candidate_to_sdp(c)}" for c in self._gatherer.getLocalCandidates()]
            lines += ["a=end-of-candidates"]
        return "\r\n".join(lines) + "\r\n"

    def _streams(self, kind: str) -> list[str]:
        if kind == "audio":
            return [f"a=ssrc:{self.ssrcs.audio} cname:bench"]
        video, rtx = self.ssrcs.video, self.ssrcs.rtx
        return [f"a=ssrc-group:FID {video} {rtx}", f"a=ssrc:{video} cname:bench", f"a=ssrc:{rtx} cname:bench"]
