"""A participant without codecs: real ICE, DTLS and SRTP, and small packets of made-up sound. Hundreds fit one test."""

import asyncio
import itertools
import struct
import time
from typing import Any

from media.nodes import NodeDirectory
from media.relay import new_certificate
from tests.bench.participant import AUDIO, Participant, Ssrcs

_certificate = new_certificate()
_numbers = itertools.count(1_000, 10)
EVERY_S = 0.02


class LightPeer:
    """Joins through the directory, then sends 50 packets a second (or as told) and counts what comes."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        n = next(_numbers)
        self._every_s = every_s
        self.participant = Participant(_certificate, "gcm", Ssrcs(n, n + 1, n + 2))
        self.received: list[int] = []  # sequence numbers, as the relay numbers them
        self.sent = 0
        self.first_sent_at = self.last_sent_at = self.last_received_at = 0.0
        self._sending: asyncio.Task[None] | None = None

    async def join(self, nodes: NodeDirectory, call_id: Any, role: str, user: Any) -> str:
        """Connect; the peer's id."""
        reply = await nodes.join(call_id, role, user)
        await nodes.answer(call_id, reply.peer_id, await self.participant.answer(reply.sdp))
        await self.connect(reply.sdp)
        return reply.peer_id

    async def connect(self, offer: str) -> None:
        """ICE and DTLS with the node that made ``offer``, once it has our answer."""
        async with asyncio.timeout(20):
            await self.participant.connect(offer, offered=False)
        self.participant.take_over(self._on_packet)

    def packet(self) -> bytes:
        """The next packet of sound, protected."""
        header = struct.pack("!BBHII", 0x80, AUDIO, self.sent & 0xFFFF, self.sent * 960, self.participant.ssrcs.audio)
        self.sent += 1
        return self.participant.protect(header + bytes(60))

    def send(self) -> bytes:
        """Send the next packet; what went over the wire."""
        data = self.packet()
        self.participant.send(data)
        self.last_sent_at = time.monotonic()
        self.first_sent_at = self.first_sent_at or self.last_sent_at
        return data

    def start(self) -> None:
        """Send until ``stop``."""
        self._sending = asyncio.create_task(self._send())

    async def stop(self) -> None:
        """Fall silent."""
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None

    async def close(self) -> None:
        """Fall silent and free the sockets."""
        await self.stop()
        await self.participant.close()

    async def _send(self) -> None:
        while True:
            self.send()
            await asyncio.sleep(self._every_s)

    def _on_packet(self, data: bytes) -> None:
        self.last_received_at = time.monotonic()
        if data[1] & 0x7F == AUDIO:
            self.received.append(int.from_bytes(data[2:4]))
