import contextlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from media.stream import Stream

IN, OUT, BACK_IN, BACK_OUT = 11, 22, 33, 44
REWRITER = rtp.Rewriter(
    sent=lambda ssrc: (OUT, 1_000) if ssrc == IN else None,
    received=lambda ssrc: (BACK_IN, 100) if ssrc == BACK_OUT else None,
)


def packet(seq: int, timestamp: int, ssrc: int, payload: bytes = b"x", first: int = 0x80) -> bytes:
    return struct.pack("!BBHII", first, 96, seq, timestamp, ssrc) + payload


def rtcp(kind: int, form: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | form, kind, len(body) // 4) + body


def test_a_rewritten_packet_keeps_everything_else() -> None:
    before = packet(7, 8, 9, b"payload")
    after = rtp.rewrite(before, ssrc=1, seq=2, timestamp=3)
    assert after == packet(2, 3, 1, b"payload")


def test_a_retransmission_names_the_renumbered_original() -> None:
    before = packet(1, 2, 3, struct.pack("!H", 65_535) + b"rest")
    assert rtp.rewrite_osn(before, 2)[12:14] == struct.pack("!H", 1)


def test_a_sender_report_speaks_of_the_outgoing_stream() -> None:
    body = struct.pack("!IIIIII", IN, 1, 2, 0xFFFFFFFF, 5, 6)
    out = REWRITER.rewrite(rtcp(rtp.SR, 0, body))
    assert struct.unpack_from("!I", out, 4)[0] == OUT
    assert struct.unpack_from("!I", out, 16)[0] == 999  # wrapped around


def test_a_receiver_report_speaks_of_the_original_stream_and_numbers() -> None:
    block = struct.pack("!IIHHIII", BACK_OUT, 0, 3, 50, 0, 0, 0)
    unknown = struct.pack("!IIHHIII", 99, 0, 0, 0, 0, 0, 0)
    out = REWRITER.rewrite(rtcp(rtp.RR, 2, struct.pack("!I", IN) + block + unknown))
    assert out[0] & 0x1F == 1
    assert struct.unpack_from("!I", out, 8)[0] == BACK_IN
    assert struct.unpack_from("!HH", out, 16) == (3, (50 - 100) & 0xFFFF)


def test_a_nack_asks_for_the_original_numbers() -> None:
    out = REWRITER.rewrite(rtcp(rtp.RTPFB, rtp.NACK, struct.pack("!IIHH", IN, BACK_OUT, 150, 7)))
    assert struct.unpack_from("!IIHH", out, 4) == (OUT, BACK_IN, 50, 7)


def test_key_frame_requests_and_bandwidth_estimates_reach_the_right_stream() -> None:
    picture = rtcp(rtp.PSFB, rtp.PLI, struct.pack("!II", IN, BACK_OUT))
    assert struct.unpack_from("!II", REWRITER.rewrite(picture), 4) == (OUT, BACK_IN)
    remb = rtcp(rtp.PSFB, rtp.ALFB, struct.pack("!II4sBBHII", IN, 0, b"REMB", 2, 1, 2, BACK_OUT, 99))
    out = REWRITER.rewrite(remb)
    assert out[16] == 1
    assert struct.unpack_from("!I", out, 20)[0] == BACK_IN
    assert len(out) == 24


def test_feedback_on_streams_we_do_not_know_is_left_out() -> None:
    assert REWRITER.rewrite(rtcp(rtp.PSFB, rtp.PLI, struct.pack("!II", IN, 99))) == b""


def test_our_own_key_frame_request_is_well_formed() -> None:
    compound = rtp.pli(1, 0xDEADBEEF)
    assert rtp.is_rtcp(compound)
    assert len(compound) == 8 + 12
    assert compound[8:] == struct.pack("!BBHII", 0x81, rtp.PSFB, 2, 1, 0xDEADBEEF)


def test_the_mid_is_found_among_the_extensions() -> None:
    extensions = bytes([0x22, 1, 2, 3, 0x40, ord("1"), 0, 0])
    data = packet(1, 2, 3, struct.pack("!HH", 0xBEDE, 2) + extensions, first=0x90)
    assert rtp.extension(data, 4) == b"1"
    assert rtp.extension(data, 2) == bytes([1, 2, 3])
    assert rtp.extension(data, 5) is None
    assert rtp.payload_offset(data) == len(data)


@given(st.binary(max_size=200))
def test_no_bytes_from_outside_break_the_rewriting(data: bytes) -> None:
    with contextlib.suppress(ValueError, struct.error):
        REWRITER.rewrite(data)
    if len(data) >= rtp.HEADER:
        rtp.extension(data, 4)
        with contextlib.suppress(ValueError):
            rtp.rewrite_osn(data, 5)


@given(st.integers(0, 65_535), st.integers(0, 65_535), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_new_source_continues_right_after_the_old_one(first: int, second: int, ts1: int, ts2: int) -> None:
    stream = Stream(ssrc=1, clock_rate=90_000)
    stream.attach(10, first, ts1, 0.0)
    assert stream.renumber(first, ts1, 0.0) == (first, ts1)
    stream.attach(11, second, ts2, 2.0)
    seq, timestamp = stream.renumber(second, ts2, 2.0)
    assert seq == (first + 1) & 0xFFFF
    assert timestamp == (ts1 + 180_000) & 0xFFFFFFFF
    assert stream.renumber((second + 1) & 0xFFFF, ts2, 2.0)[0] == (first + 2) & 0xFFFF
