"""The load generator: real DTLS-SRTP participants that send packed packets and time those that come back."""

import asyncio
import random
import struct
import time

import pylibsrtp
from aiortc import RTCCertificate

from media import rtp
from media.aiortc_private import SecureTransport, new_certificate
from media.sdp import Source

VIDEO_EVERY_S, VIDEO_BYTES = 1 / 139, 1_160
AUDIO_EVERY_S, AUDIO_BYTES = 1 / 50, 80
STAMP = struct.Struct("!d?")  # when it was sent, and whether it counts


class Leg:
    """One participant: answers the relay's offer without a media engine, sends at a fixed pace, counts."""

    def __init__(self, certificate: RTCCertificate) -> None:
        self._transport = SecureTransport(certificate, self._on_packet)
        self.sent = self.received = 0
        self.delays_ms: list[float] = []
        self.measuring = False

    async def answer(self, offer: str) -> str:
        """The answer to ``offer``; ``connect`` completes it."""
        await self._transport.gather()
        self._connection_is_controlled()
        username, password = self._transport.ice_parameters
        lines = ["v=0", "a=group:BUNDLE 0 1 2"]
        for n, source in enumerate(Source):
            kind = "audio" if source is Source.AUDIO else "video"
            lines += [f"m={kind} 9 UDP/TLS/RTP/SAVPF 96", f"a=ice-ufrag:{username}", f"a=ice-pwd:{password}"]
            lines += [f"a=fingerprint:sha-256 {self._transport.fingerprint}", "a=setup:active", f"a=mid:{source}"]
            lines += [f"a=ssrc:{1_000 + n} cname:bench"]
            if source is Source.AUDIO:
                lines += [f"a=candidate:{candidate}" for candidate in self._transport.candidates]
        self._offer = offer
        return "\r\n".join(lines) + "\r\n"

    def _connection_is_controlled(self) -> None:
        self._transport._connection.ice_controlling = False  # the relay controls

    async def connect(self) -> None:
        """Run ICE and DTLS with what the offer said."""
        values = dict(
            line[2:].split(":", 1) for line in self._offer.splitlines() if line.startswith("a=") and ":" in line
        )
        for line in self._offer.splitlines():
            if line.startswith("a=candidate:"):
                await self._transport.add_candidate(line.removeprefix("a=candidate:"))
        algorithm, fingerprint = values["fingerprint"].split()
        await self._transport.connect(
            username=values["ice-ufrag"],
            password=values["ice-pwd"],
            fingerprint=(algorithm, fingerprint),
            we_are_server=False,
        )

    async def send(self, seconds: float) -> None:
        """Send video and audio at their pace, beginning anywhere in the interval."""
        loop = asyncio.get_running_loop()
        began = loop.time() + random.random() * VIDEO_EVERY_S  # noqa: S311 - spreading load, no secret
        streams = [
            [1_001, began, VIDEO_EVERY_S, bytes(VIDEO_BYTES), 0, 96],
            [1_000, began, AUDIO_EVERY_S, bytes(AUDIO_BYTES), 0, 111],
        ]
        while loop.time() < began + seconds:
            due = min(streams, key=lambda stream: stream[1])
            await asyncio.sleep(max(0.0, due[1] - loop.time()))
            ssrc, at, every, filler, number, payload = due
            header = struct.pack("!BBHII", 0x80, payload, number & 0xFFFF, number * 960 & 0xFFFFFFFF, ssrc)
            self._transport.send_rtp(header + STAMP.pack(time.monotonic(), self.measuring) + filler)
            self.sent += self.measuring
            due[1], due[4] = at + every, number + 1

    def _on_packet(self, packet: bytes) -> None:
        now = time.monotonic()
        if rtp.is_rtcp(packet):
            return
        try:
            plain = self._transport.unprotect(packet)
        except pylibsrtp.Error:
            return
        sent_at, counts = STAMP.unpack_from(plain, 12)
        if counts:
            self.received += 1
            self.delays_ms.append(1_000 * (now - sent_at))

    async def close(self) -> None:
        """Free the sockets."""
        await self._transport.close()


def certificate() -> RTCCertificate:
    """One certificate for every leg."""
    return new_certificate()
