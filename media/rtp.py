"""RTP and RTCP on the wire: reading and rewriting just what a forwarding relay must (RFC 3550, 4585, 4588). Pure."""

import struct
from collections.abc import Callable

SR, RR, SDES, BYE, APP, RTPFB, PSFB = 200, 201, 202, 203, 204, 205, 206
NACK, TRANSPORT_CC = 1, 15
PLI, FIR, ALFB = 1, 4, 15
HEADER = 12
_ONE_BYTE = 0xBEDE

_u16 = struct.Struct("!H")
_u32 = struct.Struct("!I")
_header = struct.Struct("!BBHII")

_REPLY = struct.Struct("!II")  # the last sender report, and the delay since it came
_SR_BODY = struct.Struct("!IIII")  # SSRC, both halves of the sender's clock, RTP timestamp

Map = Callable[[int], int | None]


def is_rtcp(packet: bytes) -> bool:
    """Whether a packet of the muxed transport is RTCP (RFC 5761 §4: payload types 64-95 on the wire)."""
    return len(packet) > 1 and 192 <= packet[1] <= 223  # noqa: PLR2004 - the RFC's numbers


def sender_reports(compound: bytes) -> list[tuple[int, float, int]]:
    """Of each sender report: SSRC, the sender's clock in seconds, and the RTP timestamp of that moment (RFC 3550)."""
    found, position = [], 0
    while position + 4 <= len(compound):
        end = position + 4 * (_u16.unpack_from(compound, position + 2)[0] + 1)
        if compound[position + 1] == SR and end <= len(compound) and end - position >= 4 + _SR_BODY.size:
            ssrc, seconds, fraction, timestamp = _SR_BODY.unpack_from(compound, position + 4)
            found.append((ssrc, seconds + fraction / (1 << 32), timestamp))
        position = end
    return found


def round_trips(compound: bytes) -> list[tuple[int, int]]:
    """Of each block that answers a sender report: which one (the middle of its clock), and how late (1/65536 s)."""
    found, position = [], 0
    while position + 4 <= len(compound):
        end = position + 4 * (_u16.unpack_from(compound, position + 2)[0] + 1)
        if compound[position + 1] in (SR, RR) and end <= len(compound):
            block = position + (28 if compound[position + 1] == SR else 8)
            for _ in range(compound[position] & 0x1F):
                if block + 24 > end:
                    break
                last, delay = _REPLY.unpack_from(compound, block + 16)
                if last:
                    found.append((last, delay))
                block += 24
        position = end
    return found


def payload_offset(packet: bytes) -> int:
    """Where the payload of an RTP packet begins; raises ``ValueError`` when it is truncated."""
    offset = HEADER + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if len(packet) < offset + 4:
            raise ValueError("truncated header extension")
        offset += 4 + 4 * _u16.unpack_from(packet, offset + 2)[0]
    if len(packet) < offset:
        raise ValueError("truncated packet")
    return offset


def extension(packet: bytes, wanted: int) -> bytes | None:
    """The value of a one-byte header extension (RFC 8285), or None."""
    if not packet[0] & 0x10:
        return None
    start = HEADER + 4 * (packet[0] & 0x0F)
    if len(packet) < start + 4:
        return None
    profile, words = struct.unpack_from("!HH", packet, start)
    position, end = start + 4, min(start + 4 + 4 * words, len(packet))
    if profile != _ONE_BYTE:
        return None
    while position < end:
        head = packet[position]
        position += 1
        if head == 0:
            continue
        length = (head & 0x0F) + 1
        if head >> 4 == wanted:
            return packet[position : position + length]
        position += length
    return None


def rewrite(packet: bytes, *, ssrc: int, seq: int, timestamp: int) -> bytes:
    """The same packet under another SSRC, sequence number and timestamp."""
    return _header.pack(packet[0], packet[1], seq, timestamp, ssrc) + packet[HEADER:]


def rewrite_osn(packet: bytes, seq_offset: int) -> bytes:
    """Shift the original sequence number that a retransmission carries first in its payload (RFC 4588 §4)."""
    at = payload_offset(packet)
    if len(packet) < at + 2:
        return packet  # padding only: bandwidth probing
    osn = (_u16.unpack_from(packet, at)[0] + seq_offset) & 0xFFFF
    return packet[:at] + _u16.pack(osn) + packet[at + 2 :]


def pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """A Picture Loss Indication, in a compound packet with an empty receiver report."""
    report = struct.pack("!BBHI", 0x80, RR, 1, sender_ssrc)
    return report + struct.pack("!BBHII", 0x80 | PLI, PSFB, 2, sender_ssrc, media_ssrc)


class Rewriter:
    """Rewrites the RTCP of one peer for the other.

    ``sent(ssrc)`` gives (new ssrc, timestamp offset) of a stream this peer sends; ``received(ssrc)`` gives
    (original ssrc, sequence offset that was added) of a stream it receives; None for streams we do not know.
    """

    def __init__(
        self,
        sent: Callable[[int], tuple[int, int] | None],
        received: Callable[[int], tuple[int, int] | None],
    ) -> None:
        self._sent = sent
        self._received = received

    def rewrite(self, compound: bytes) -> bytes:
        """The compound packet for the other side; parts that concern unknown streams are left out."""
        parts = bytearray()
        position = 0
        while position + 4 <= len(compound):
            end = position + 4 * (_u16.unpack_from(compound, position + 2)[0] + 1)
            if end > len(compound):
                raise ValueError("truncated RTCP packet")
            part = self._part(bytearray(compound[position:end]))
            if part:
                parts += part
            position = end
        return bytes(parts)

    def _part(self, part: bytearray) -> bytearray | None:
        kind = part[1]
        if kind in (SR, RR):
            return self._report(part)
        if kind in (RTPFB, PSFB) and len(part) >= HEADER:
            return self._feedback(part)
        if kind == SDES:
            return self._description(part)
        return None  # BYE and APP end at this leg: a peer that left may come back under the same stream

    def _report(self, part: bytearray) -> bytearray | None:
        start = 8
        if part[1] == SR:
            if len(part) < 28:  # noqa: PLR2004 - header and sender information
                raise ValueError("truncated sender report")
            start = 28
        sender = self._sent(_u32.unpack_from(part, 4)[0])
        if sender is None and part[1] == SR:
            return None
        if sender is not None:
            _u32.pack_into(part, 4, sender[0])
            if part[1] == SR:
                stamp = _u32.unpack_from(part, 16)[0]
                _u32.pack_into(part, 16, (stamp + sender[1]) & 0xFFFFFFFF)
        blocks = bytearray()
        for at in range(start, min(start + 24 * (part[0] & 0x1F), len(part) - 23), 24):
            block = part[at : at + 24]
            known = self._received(_u32.unpack_from(block, 0)[0])
            if known is not None:
                _u32.pack_into(block, 0, known[0])
                cycles, highest = struct.unpack_from("!HH", block, 8)
                struct.pack_into("!HH", block, 8, cycles, (highest - known[1]) & 0xFFFF)
                blocks += block
        head = part[:start]
        head[0] = 0x80 | len(blocks) // 24
        _u16.pack_into(head, 2, (start + len(blocks)) // 4 - 1)
        return head + blocks

    def _feedback(self, part: bytearray) -> bytearray | None:
        sender = self._sent(_u32.unpack_from(part, 4)[0])
        if sender is not None:
            _u32.pack_into(part, 4, sender[0])
        kind, form = part[1], part[0] & 0x1F
        if kind == RTPFB and form == TRANSPORT_CC:
            known = self._received(_u32.unpack_from(part, 8)[0])
            if known is not None:
                _u32.pack_into(part, 8, known[0])
            return part
        if kind == PSFB and form == ALFB and part[12:16] == b"REMB":
            return self._remb(part)
        if kind == PSFB and form == FIR:
            return self._fir(part)
        known = self._received(_u32.unpack_from(part, 8)[0])
        if known is None:
            return None
        _u32.pack_into(part, 8, known[0])
        if kind == RTPFB and form == NACK:
            for at in range(12, len(part) - 3, 4):
                _u16.pack_into(part, at, (_u16.unpack_from(part, at)[0] - known[1]) & 0xFFFF)
        return part

    def _remb(self, part: bytearray) -> bytearray | None:
        count = part[16] if len(part) > 16 else 0  # noqa: PLR2004 - position in draft-alvestrand-rmcat-remb
        if len(part) < 20 + 4 * count:
            raise ValueError("truncated REMB")
        ssrcs = [self._received(_u32.unpack_from(part, 20 + 4 * n)[0]) for n in range(count)]
        known = [found[0] for found in ssrcs if found is not None]
        if not known:
            return None
        head = part[:20]
        head[16] = len(known)
        _u16.pack_into(head, 2, 4 + len(known))
        return head + b"".join(_u32.pack(ssrc) for ssrc in known)

    def _fir(self, part: bytearray) -> bytearray | None:
        for at in range(12, len(part) - 7, 8):
            known = self._received(_u32.unpack_from(part, at)[0])
            if known is None:
                return None
            _u32.pack_into(part, at, known[0])
        return part

    def _description(self, part: bytearray) -> bytearray | None:
        if part[0] & 0x1F != 1 or len(part) < 8:  # noqa: PLR2004 - browsers send one chunk
            return None
        sender = self._sent(_u32.unpack_from(part, 4)[0])
        if sender is None:
            return None
        _u32.pack_into(part, 4, sender[0])
        return part
