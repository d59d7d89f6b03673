"""From packets to frames: put into order, repaired by retransmissions, joined per codec (RFC 7741, 9628, 6184, AV1).

Pure. A frame with a hole is dropped, and of pictures everything until the next key frame with it: what is written can
be decoded.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.codecs.vpx import VpxPayloadDescriptor

from media import rtp
from media.sdp import OPUS, RED, VIDEO_CODECS

HALF = 1 << 15
WAIT_S = 0.6  # for a missing packet: longer than a retransmission takes, shorter than anybody notices in a file
MOST_WAITING = 2_000

PAYLOAD_NAMES = {OPUS: "opus", RED: "opus"} | {codec.payload: codec.name.lower() for codec in VIDEO_CODECS}
REPEATS = {codec.rtx: codec.payload for codec in VIDEO_CODECS}


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet without its header. ``seq`` and ``timestamp`` are the sender's; ``at`` is monotonic."""

    seq: int
    timestamp: int
    marker: bool
    payload_type: int
    payload: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Frame:
    """One encoded picture, or 20 ms or so of sound."""

    timestamp: int
    codec: str
    data: bytes
    key: bool
    at: float


def parse(packet: bytes, at: float) -> Packet | None:
    """Read a decrypted RTP packet; None when it is malformed."""
    try:
        offset = rtp.payload_offset(packet)
    except ValueError:
        return None
    end = len(packet)
    if packet[0] & 0x20:  # padding; its last byte says how much
        end -= packet[-1]
    if end < offset:
        return None
    seq, timestamp = int.from_bytes(packet[2:4]), int.from_bytes(packet[4:8])
    return Packet(seq, timestamp, bool(packet[1] & 0x80), packet[1] & 0x7F, bytes(packet[offset:end]), at)


def repeated(packet: Packet) -> Packet | None:
    """The original packet of a retransmission (RFC 4588 §4); None for padding."""
    payload_type = REPEATS.get(packet.payload_type)
    if payload_type is None or len(packet.payload) <= 2:  # noqa: PLR2004 - the original sequence number
        return None
    seq = int.from_bytes(packet.payload[:2])
    return Packet(seq, packet.timestamp, packet.marker, payload_type, packet.payload[2:], packet.at)


@dataclass(slots=True)
class Order:
    """Packets in the order they were sent in. A gap is waited for, then given up."""

    next: int | None = None
    waiting: dict[int, Packet] = field(default_factory=dict)
    blocked_at: float | None = None  # since when the next one is missing although later ones came

    def put(self, packet: Packet) -> None:
        """Take a packet; repeated and late ones are dropped."""
        if self.next is None:
            self.next = packet.seq
        if (packet.seq - self.next) & 0xFFFF < HALF and len(self.waiting) < MOST_WAITING:
            self.waiting.setdefault(packet.seq, packet)

    def take(self, now: float) -> list[Packet | None]:
        """What can be told in order; None stands for a hole."""
        out: list[Packet | None] = []
        while self.waiting and self.next is not None:
            packet = self.waiting.pop(self.next, None)
            if packet is not None:
                out.append(packet)
                self.next = (self.next + 1) & 0xFFFF
                self.blocked_at = None
            elif self.blocked_at is None:
                self.blocked_at = now
                break
            elif now - self.blocked_at < WAIT_S and len(self.waiting) < MOST_WAITING:
                break
            else:
                out.append(None)
                base = self.next
                self.next = min(self.waiting, key=lambda seq: (seq - base) & 0xFFFF)
        return out


class Sound:
    """Opus packets, out of RED where they come in it (RFC 2198); each is a frame."""

    def __init__(self) -> None:
        self._order = Order()

    def put(self, packet: Packet) -> list[Frame]:
        """The frames that are complete now."""
        self._order.put(packet)
        return self.due(packet.at)

    def due(self, now: float) -> list[Frame]:
        """What need not be waited for any longer."""
        return [
            Frame(packet.timestamp, "opus", data, key=True, at=packet.at)
            for packet in self._order.take(now)
            if packet is not None and (data := _primary(packet))
        ]


class Pictures:
    """Video packets, joined until the marker."""

    def __init__(self) -> None:
        self._order = Order()
        self._parts: list[Packet] = []
        self._whole = True
        self.broken = True  # until a key frame

    def put(self, packet: Packet) -> list[Frame]:
        """The frames that are complete now."""
        self._order.put(packet)
        return self.due(packet.at)

    def due(self, now: float) -> list[Frame]:
        """What need not be waited for any longer."""
        frames = []
        for packet in self._order.take(now):
            if packet is None:
                self._parts, self._whole, self.broken = [], False, True
                continue
            if not packet.payload:
                continue  # padding, for probing
            if self._parts and packet.timestamp != self._parts[0].timestamp:
                # The end of the last one was lost, or its sender sets no marker.
                frames += self._finish()
            self._parts.append(packet)
            if packet.marker:
                frames += self._finish()
        return frames

    def _finish(self) -> list[Frame]:
        parts, self._parts = self._parts, []
        whole, self._whole = self._whole, True
        codec = PAYLOAD_NAMES.get(parts[0].payload_type, "")
        join = JOIN.get(codec)
        if join is None:
            return []
        try:
            found = join([part.payload for part in parts])
        except (ValueError, IndexError):
            found = None
        if found is None or not found[0] or not whole:
            self.broken = True
            return []
        data, key = found
        if key:
            self.broken = False
        elif self.broken:
            return []
        return [Frame(parts[0].timestamp, codec, data, key, parts[-1].at)]


def _primary(packet: Packet) -> bytes:
    """The newest block of a RED packet, or the payload itself."""
    payload = packet.payload
    if packet.payload_type != RED:
        return payload if packet.payload_type == OPUS else b""
    position, skip = 0, 0
    while position < len(payload) and payload[position] & 0x80:
        if position + 4 > len(payload):
            return b""
        skip += int.from_bytes(payload[position + 2 : position + 4]) & 0x3FF
        position += 4
    return payload[position + 1 + skip :]


Joined = tuple[bytes, bool] | None


def _join_vp8(payloads: list[bytes]) -> Joined:
    """RFC 7741 §4.3: the first byte of a frame says whether it is a key frame."""
    data = bytearray()
    for n, payload in enumerate(payloads):
        descriptor, rest = VpxPayloadDescriptor.parse(payload)
        if n == 0 and not (descriptor.partition_start and descriptor.partition_id == 0):
            return None
        data += rest
    return bytes(data), bool(data) and not data[0] & 1


def _join_vp9(payloads: list[bytes]) -> Joined:
    """RFC 9628 §4.2: descriptor off, layers of one picture one after the other."""
    data = bytearray()
    if not payloads[0][0] & 0x08:
        return None  # the first packet must begin a frame
    for payload in payloads:
        data += payload[_vp9_descriptor(payload) :]
    return bytes(data), not payloads[0][0] & 0x40


def _vp9_descriptor(payload: bytes) -> int:
    flags, position = payload[0], 1
    if flags & 0x80:  # picture id
        position += 2 if payload[position] & 0x80 else 1
    if flags & 0x20:  # layer indices
        position += 1 if flags & 0x10 else 2
    if flags & 0x50 == 0x50:  # noqa: PLR2004 - flexible mode: up to three references
        for _ in range(3):
            position += 1
            if not payload[position - 1] & 1:
                break
    if flags & 0x02:  # scalability structure
        structure = payload[position]
        position += 1 + (4 * ((structure >> 5) + 1) if structure & 0x10 else 0)
        if structure & 0x08:
            pictures = payload[position]
            position += 1
            for _ in range(pictures):
                position += 1 + ((payload[position] >> 2) & 3)
    return position


def _join_h264(payloads: list[bytes]) -> Joined:
    """RFC 6184: NAL units with start codes."""
    data = b"".join(H264PayloadDescriptor.parse(payload)[1] for payload in payloads)
    types = {data[at + 4] & 0x1F for at in _starts(data) if at + 4 < len(data)}
    return data, _IDR in types


_IDR = 5  # the NAL unit type of a key frame's slices


def _starts(data: bytes) -> list[int]:
    found, at = [], data.find(b"\x00\x00\x00\x01")
    while at >= 0:
        found.append(at)
        at = data.find(b"\x00\x00\x00\x01", at + 4)
    return found


_SEQUENCE_HEADER, _TEMPORAL_DELIMITER = 1, 2


def _join_av1(payloads: list[bytes]) -> Joined:
    """The AV1 RTP specification §4: OBU elements joined over packets, each given its size."""
    units: list[bytearray] = []
    for payload in payloads:
        header, position = payload[0], 1
        count, continues = (header >> 4) & 3, bool(header & 0x80)
        n = 0
        while position < len(payload):
            n += 1
            if count and n == count:
                size = len(payload) - position  # the last one has no size of its own
            else:
                size, position = _leb128(payload, position)
            element = payload[position : position + size]
            position += size
            if continues and n == 1:
                if not units:
                    return None
                units[-1] += element
            else:
                units.append(bytearray(element))
    data, key = bytearray(), False
    for unit in units:
        kind = (unit[0] >> 3) & 0x0F
        if kind == _TEMPORAL_DELIMITER:
            continue
        key |= kind == _SEQUENCE_HEADER
        data += _sized(unit)
    return bytes(data), key


def _sized(unit: bytearray) -> bytes:
    """An OBU with its size field (§5.3.2 of the AV1 specification)."""
    if unit[0] & 0x02:
        return bytes(unit)
    head = 2 if unit[0] & 0x04 else 1
    size, rest = len(unit) - head, bytearray()
    if size < 0:
        raise ValueError("truncated OBU header")
    while True:
        rest.append((size & 0x7F) | (0x80 if size > 0x7F else 0))  # noqa: PLR2004
        size >>= 7
        if not size:
            break
    return bytes([unit[0] | 0x02]) + bytes(unit[1:head]) + bytes(rest) + bytes(unit[head:])


def _leb128(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise ValueError("a size has at most five bytes")


JOIN: dict[str, Callable[[list[bytes]], Joined]] = {
    "vp8": _join_vp8,
    "vp9": _join_vp9,
    "h264": _join_h264,
    "av1": _join_av1,
}
