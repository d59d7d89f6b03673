"""What a participant sends and counts: paced pre-packed media, and the RTCP of a browser."""

import random
import struct
import time
from dataclasses import dataclass, field

import pylibsrtp

from tests.bench.participant import AUDIO, RTX, TRANSPORT_CC, VIDEO, Participant

VIDEO_EVERY_S, VIDEO_BYTES = 1 / 139, 1_160
AUDIO_EVERY_S, AUDIO_BYTES = 1 / 50, 80
REPORT_EVERY_S, FEEDBACK_EVERY_S = 1.0, 0.1
SAMPLE = 16  # one packet in so many is decrypted and compared
MASK = 0xFFFF
HALF = 1 << 15
RECENT = 1_024  # how far back a NACK is answered

_header = struct.Struct("!BBHIIHHBHx")  # RTP with one extension word: transport-cc
_index = struct.Struct("!I")


@dataclass(slots=True)
class Sending:
    """One outgoing stream."""

    ssrc: int
    payload: int
    every_s: float
    ticks: int
    filler: bytes
    due: float = 0.0
    count: int = 0
    sent_at: list[float] = field(default_factory=lambda: [0.0] * (MASK + 1))

    def payload_of(self, index: int) -> bytes:
        """What packet ``index`` carries."""
        return _index.pack(index) + self.filler


@dataclass(slots=True)
class Receiving:
    """One incoming stream; numbers are ours of the sender, whatever the server made of them.

    ``came`` marks packets the server delivered, ``kept`` those not dropped on purpose, or repeated.
    """

    source: Sending
    is_video: bool
    offset: int | None = None
    highest: int = -1
    came: bytearray = field(default_factory=lambda: bytearray(1 << 17))
    kept: bytearray = field(default_factory=lambda: bytearray(1 << 17))
    wrong: int = 0


@dataclass(slots=True)
class Fate:
    """Of the packets sent: ``lost`` never came, ``not_repaired`` are video packets that no repetition replaced."""

    sent: int = 0
    lost: int = 0
    not_repaired: int = 0


class Traffic:
    """Both directions of one participant. ``other`` is who sends what this one receives."""

    def __init__(self, participant: Participant, *, rtcp: bool, loss: float) -> None:
        self.participant = participant
        self._rtcp, self._loss = rtcp, loss
        ssrcs = participant.ssrcs
        self.video = Sending(ssrcs.video, VIDEO, VIDEO_EVERY_S, 647, bytes(VIDEO_BYTES - 4))
        self.audio = Sending(ssrcs.audio, AUDIO, AUDIO_EVERY_S, 960, bytes(AUDIO_BYTES - 4))
        self._transport_seq = self._rtx_seq = 0
        self._report_at = self._feedback_at = 0.0
        self.delays_ms: list[float] = []
        self.measuring = False
        self.received = self.dropped = self.rtcp_in = self.rtx_in = self.nacks = 0
        self._streams: dict[int, Receiving] = {}
        self._arrived: list[int] = []
        self._feedbacks = 0
        self._seen_ssrc = 1

    def pair_with(self, other: "Traffic") -> None:
        """Receive what ``other`` sends."""
        self._from_audio = Receiving(other.audio, is_video=False)
        self._from_video = Receiving(other.video, is_video=True)
        self.participant.take_over(self._on_packet)

    def begin(self, now: float) -> None:
        """Start somewhere in the first interval, for the load of many to spread."""
        at = now + random.random()  # noqa: S311
        self.video.due = now + (at - now) * VIDEO_EVERY_S
        self.audio.due = now + (at - now) * AUDIO_EVERY_S
        self._report_at = now + (at - now) * REPORT_EVERY_S
        self._feedback_at = now + (at - now) * FEEDBACK_EVERY_S

    def tick(self, now: float) -> None:
        """Send what is due."""
        for stream in (self.video, self.audio):
            while stream.due <= now:
                self._send(stream, stream.count, stream.payload, stream.ssrc, stream.count & MASK, b"")
                stream.sent_at[stream.count & MASK] = time.monotonic()
                stream.count += 1
                stream.due += stream.every_s
        if self._rtcp:
            if now >= self._feedback_at:
                self._feedback_at += FEEDBACK_EVERY_S
                self._feedback()
            if now >= self._report_at:
                self._report_at += REPORT_EVERY_S
                self._report(now)

    def fate(self, first: dict[int, int], last: dict[int, int]) -> Fate:
        """What became of the packets between two readings of the sender's counts by payload type."""
        fate = Fate()
        for stream in (self._from_audio, self._from_video):
            begin, end = first[stream.source.payload], last[stream.source.payload]
            mask = len(stream.came) - 1
            fate.sent += end - begin
            fate.lost += sum(1 for n in range(begin, end) if not stream.came[n & mask])
            if stream.is_video:
                fate.not_repaired += sum(1 for n in range(begin, end) if not stream.kept[n & mask])
        return fate

    @property
    def counts(self) -> dict[int, int]:
        """How many packets of each payload type were sent."""
        return {VIDEO: self.video.count, AUDIO: self.audio.count}

    @property
    def wrong(self) -> int:
        """Samples that did not hold what was sent."""
        return self._from_audio.wrong + self._from_video.wrong

    def _send(self, stream: Sending, index: int, payload: int, ssrc: int, seq: int, osn: bytes) -> None:
        stamp = (index * stream.ticks) & 0xFFFFFFFF
        self._transport_seq = (self._transport_seq + 1) & MASK
        head = _header.pack(0x90, payload, seq, stamp, ssrc, 0xBEDE, 1, TRANSPORT_CC << 4 | 1, self._transport_seq)
        self.participant.send(self.participant.protect(head + osn + stream.payload_of(index)))

    # -- in ------------------------------------------------------------------------------------------------------

    def _on_packet(self, packet: bytes) -> None:
        now = time.monotonic()
        kind = packet[1]
        if 192 <= kind <= 223:
            self._on_rtcp(packet)
            return
        payload = kind & 0x7F
        if payload == RTX:
            self._on_rtx(packet)
            return
        stream = self._from_video if payload == VIDEO else self._from_audio
        seq, _, ssrc = struct.unpack_from("!HII", packet, 2)
        self._seen_ssrc = ssrc if stream.is_video else self._seen_ssrc
        sample = stream.offset is None or seq % SAMPLE == 0
        if sample and not self._compare(stream, packet, seq):
            return
        assert stream.offset is not None
        number = (seq - stream.offset) & MASK
        index = self._index_of(stream, number)
        stream.came[index & (len(stream.came) - 1)] = 1
        if self._loss and random.random() < self._loss:  # noqa: S311 - as a bad network would
            self.dropped += 1
            return
        if packet[0] & 0x10 and len(self._arrived) < 60:
            self._arrived.append(struct.unpack_from("!H", packet, 17)[0])
        stream.kept[index & (len(stream.kept) - 1)] = 1
        self.received += 1
        if self.measuring and stream.is_video and number & 3 == 0:
            self.delays_ms.append(1_000 * (now - stream.source.sent_at[number]))
        if index > stream.highest:
            if stream.is_video and self._rtcp and 0 < index - stream.highest - 1 < 50 and stream.highest >= 0:
                self._nack(stream, range(stream.highest + 1, index), ssrc)
            stream.highest = index

    def _index_of(self, stream: Receiving, number: int) -> int:
        ahead = (number - stream.highest) & MASK
        if stream.highest < 0:
            return number
        return stream.highest + ahead if ahead < HALF else stream.highest + ahead - MASK - 1

    def _compare(self, stream: Receiving, packet: bytes, seq: int) -> bool:
        try:
            plain = self.participant.session_in.unprotect(packet)
        except pylibsrtp.Error:
            stream.wrong += 1
            return False
        at = 12 + (4 + 4 * struct.unpack_from("!H", plain, 14)[0] if plain[0] & 0x10 else 0)
        (index,) = _index.unpack_from(plain, at)
        if stream.offset is None:
            stream.offset = (seq - index) & MASK
        if (seq - index) & MASK != stream.offset or plain[at:] != stream.source.payload_of(index):
            stream.wrong += 1
        return True

    def _on_rtx(self, packet: bytes) -> None:
        if self._loss and random.random() < self._loss:  # noqa: S311
            return
        try:
            plain = self.participant.session_in.unprotect(packet)
        except pylibsrtp.Error:
            return
        at = 12 + (4 + 4 * struct.unpack_from("!H", plain, 14)[0] if plain[0] & 0x10 else 0)
        (index,) = _index.unpack_from(plain, at + 2)
        self.rtx_in += 1
        self._from_video.kept[index & (len(self._from_video.kept) - 1)] = 1

    def _on_rtcp(self, packet: bytes) -> None:
        try:
            plain = self.participant.session_in.unprotect_rtcp(packet)
        except pylibsrtp.Error:
            return
        self.rtcp_in += 1
        at = 0
        while at + 4 <= len(plain):
            end = at + 4 * (struct.unpack_from("!H", plain, at + 2)[0] + 1)
            if plain[at + 1] == 205 and plain[at] & 0x1F == 1:
                self._repeat(plain[at + 12 : end])
            at = end

    def _repeat(self, entries: bytes) -> None:
        for first, mask in struct.iter_unpack("!HH", entries):
            for step in (0, *(n + 1 for n in range(16) if mask >> n & 1)):
                number = (first + step) & MASK
                index = self.video.count - ((self.video.count - number) & MASK)
                if 0 <= index < self.video.count and self.video.count - index < RECENT:
                    self._rtx_seq = (self._rtx_seq + 1) & MASK
                    osn = struct.pack("!H", number)
                    self._send(self.video, index, RTX, self.participant.ssrcs.rtx, self._rtx_seq, osn)

    # -- RTCP out ------------------------------------------------------------------------------------------------

    def _say(self, compound: bytes) -> None:
        self.participant.send(self.participant.protect_rtcp(compound))

    def _nack(self, stream: Receiving, missing: range, ssrc: int) -> None:
        assert stream.offset is not None
        self.nacks += 1
        entries = b""
        for first in range(missing.start, missing.stop, 17):
            mask = (1 << (min(missing.stop, first + 17) - first - 1)) - 1
            entries += struct.pack("!HH", (first + stream.offset) & MASK, mask)
        own = self.participant.ssrcs.video
        self._say(struct.pack("!BBHII", 0x81, 205, 2 + len(entries) // 4, own, ssrc) + entries)

    def _feedback(self) -> None:
        """Transport-wide feedback: a run of received packets with a delta of 250 µs each."""
        arrived, self._arrived = self._arrived, []
        if not arrived:
            return
        self._feedbacks = (self._feedbacks + 1) & 0xFF
        count = len(arrived)
        body = struct.pack("!HHI", arrived[0], count, self._feedbacks) + struct.pack("!H", 1 << 13 | count)
        body += bytes(1 for _ in arrived)
        body += bytes(-len(body) % 4)
        own = self.participant.ssrcs.video
        self._say(struct.pack("!BBHII", 0x8F, 205, 2 + len(body) // 4, own, self._seen_ssrc) + body)

    def _report(self, now: float) -> None:
        """A sender report for each stream, with a reception block, and a description."""
        for stream, heard in ((self.video, self._from_video), (self.audio, self._from_audio)):
            stamp = (stream.count * stream.ticks) & 0xFFFFFFFF
            report = struct.pack(
                "!BBHIIIIII", 0x81, 200, 12, stream.ssrc, int(now), 0, stamp, stream.count, stream.count * 1000
            )
            report += struct.pack("!IIIIII", self._seen_ssrc, 0, max(heard.highest, 0), 10, 0, 0)
            description = struct.pack("!BBHI", 0x81, 202, 3, stream.ssrc) + b"\x01\x05bench\x00"
            self._say(report + description)
