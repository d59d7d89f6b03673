"""From packets to frames and files: every codec of the offer, in any order, with losses and repairs."""

import io
import itertools
import random
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from hypothesis import given
from hypothesis import strategies as st

from media.recording.clock import Report, SenderClock
from media.recording.frames import WAIT_S, Frame, Packet, Pictures, Sound, parse, repeated
from media.recording.webm import WebmFile, mend
from media.sdp import OPUS, RED

VP8, VP9, H264, AV1 = 96, 98, 102, 104
ENCODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9", "h264": "libx264"}
MTU = 400


def encoded(codec: str, count: int = 24) -> list[tuple[bytes, bool]]:
    """Real frames: (bytes, is a key frame)."""
    encoder: Any = av.CodecContext.create(ENCODERS[codec], "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 160, 120, "yuv420p", Fraction(1, 30)
    encoder.options = (
        {"preset": "ultrafast", "tune": "zerolatency"}
        if codec == "h264"
        else {"deadline": "realtime", "lag-in-frames": "0"}
    )
    packets = []
    for n in range(count):
        picture = np.full((120, 160, 3), 10 * n % 256, dtype=np.uint8)
        picture[:, 5 * n : 5 * n + 20] = 250
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts = n
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [(bytes(packet), packet.is_keyframe) for packet in packets]


def pack_vp8(data: bytes) -> list[bytes]:
    parts = [data[at : at + MTU] for at in range(0, len(data), MTU)]
    return [bytes([0x90 if n == 0 else 0x80, 0x80, 0x81, 0x23]) + part for n, part in enumerate(parts)]


def pack_vp9(data: bytes, *, key: bool) -> list[bytes]:
    parts = [data[at : at + MTU] for at in range(0, len(data), MTU)]
    out = []
    for n, part in enumerate(parts):
        flags = 0x80 | (0 if key else 0x40) | (0x08 if n == 0 else 0) | (0x04 if n == len(parts) - 1 else 0)
        out.append(bytes([flags, 0x81, 0x23]) + part)
    return out


def pack_h264(data: bytes) -> list[bytes]:
    return list(H264Encoder._packetize(H264Encoder._split_bitstream(data)))


def packed(codec: str, frames: Iterable[tuple[bytes, bool]], payload_type: int) -> list[Packet]:
    seq, packets = 65_500, []  # it wraps around on the way
    for n, (data, key) in enumerate(frames):
        payloads = {
            "vp8": lambda d, _k: pack_vp8(d),
            "vp9": lambda d, k: pack_vp9(d, key=k),
            "h264": lambda d, _k: pack_h264(d),
        }[codec](data, key)
        for position, payload in enumerate(payloads):
            last = position == len(payloads) - 1
            packets.append(Packet(seq & 0xFFFF, 3000 * n, last, payload_type, payload, n / 30))
            seq += 1
    return packets


@pytest.mark.parametrize(("codec", "payload_type"), [("vp8", VP8), ("vp9", VP9), ("h264", H264)])
def test_what_was_packed_is_joined_and_its_file_can_be_decoded(codec: str, payload_type: int, tmp_path: Path) -> None:
    frames = encoded(codec)
    pictures = Pictures()
    joined = [frame for packet in packed(codec, frames, payload_type) for frame in pictures.put(packet)]
    assert len(joined) == len(frames)
    assert [frame.key for frame in joined] == [key for _, key in frames]
    if codec != "h264":  # there the start codes may be longer
        assert [frame.data for frame in joined] == [data for data, _ in frames]
    file = WebmFile(tmp_path / "a.webm", joined[0])
    for n, frame in enumerate(joined):
        file.write(frame, 33 * n)
    file.close()
    with av.open(str(file.path)) as opened:
        assert sum(1 for _ in opened.decode(video=0)) == len(frames)
        assert opened.duration is not None


@given(seed=st.integers(0, 10_000))
def test_a_shuffled_stream_with_losses_yields_only_what_can_be_decoded(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - it can be repeated
    data = [
        (bytes([0x10 if n % 8 == 0 else 0x11]) + bytes([n]) * chance.randrange(10, 1500), n % 8 == 0) for n in range(40)
    ]
    sent = packed("vp8", data, VP8)
    kept = [packet for packet in sent if chance.random() > 0.1]
    late = sorted(kept, key=lambda packet: packet.at + chance.random() * 0.2)
    pictures = Pictures()
    frames = [frame for packet in late for frame in pictures.put(packet)]
    frames += pictures.due(1e9)
    originals = {3000 * n: one for n, (one, _) in enumerate(data)}
    assert all(originals[frame.timestamp] == frame.data for frame in frames), "no frame with a hole"
    assert [frame.timestamp for frame in frames] == sorted(frame.timestamp for frame in frames)
    for before, frame in itertools.pairwise(frames):
        assert frame.key or frame.timestamp == before.timestamp + 3000, "after a hole comes a key frame"
    assert not frames or frames[0].key


def test_a_hole_is_waited_for_then_given_up() -> None:
    sound = Sound()
    packets = [Packet(n, 960 * n, False, OPUS, bytes([n]), n * 0.02) for n in range(4)]
    assert [frame.data for frame in sound.put(packets[0])] == [b"\x00"]
    assert sound.put(packets[2]) == []
    assert sound.due(packets[2].at + WAIT_S - 0.01) == []
    assert [frame.data for frame in sound.due(packets[2].at + WAIT_S + 0.01)] == [b"\x02"]
    assert sound.put(packets[1]) == [], "too late"
    assert [frame.data for frame in sound.put(packets[3])] == [b"\x03"]


def test_a_retransmission_fills_the_hole() -> None:
    sound = Packet(7, 100, True, 97, b"\x00\x05payload", 1.0)
    assert repeated(sound) == Packet(5, 100, True, VP8, b"payload", 1.0)
    assert repeated(Packet(7, 100, True, 97, b"\x00\x05", 1.0)) is None, "padding"
    assert repeated(Packet(7, 100, True, VP8, b"\x00\x05payload", 1.0)) is None


def test_of_red_the_newest_block_is_taken() -> None:
    older, newest = b"older", b"newest"
    header = bytes([0x80 | OPUS]) + ((960 << 10) | len(older)).to_bytes(3) + bytes([OPUS])
    (frame,) = Sound().put(Packet(1, 0, False, RED, header + older + newest, 0.0))
    assert frame.data == newest
    assert Sound().put(Packet(1, 0, False, RED, b"\x80", 0.0)) == []


def test_av1_is_joined_over_packets_and_given_sizes() -> None:
    sequence, picture = b"\x08" + b"S" * 10, b"\x30" + bytes(range(200)) * 2  # without size fields
    first = bytes([0x40 | 0x20 | 0x08]) + bytes([len(sequence)]) + sequence + picture[:300]  # Y, W = 2, N
    second = bytes([0x80 | 0x10]) + picture[300:]  # Z, W = 1
    pictures = Pictures()
    assert pictures.put(Packet(1, 0, False, AV1, first, 0.0)) == []
    (frame,) = pictures.put(Packet(2, 0, True, AV1, second, 0.0))
    assert frame.key
    size = len(picture) - 1
    assert frame.data == b"\x0a\x0a" + b"S" * 10 + bytes([0x32, size & 0x7F | 0x80, size >> 7]) + picture[1:]


@given(
    payload=st.binary(max_size=80),
    payload_type=st.sampled_from([VP8, VP9, H264, AV1, OPUS, RED, 0]),
    marker=st.booleans(),
)
def test_nonsense_is_dropped(payload: bytes, payload_type: int, *, marker: bool) -> None:
    packet = Packet(1, 0, marker, payload_type, payload, 0.0)
    Pictures().put(packet)
    Sound().put(packet)


@given(st.binary(min_size=12, max_size=60))
def test_any_header_is_read_or_refused(data: bytes) -> None:
    parse(bytes([data[0] & 0x3F | 0x80]) + data[1:], 0.0)


def test_a_file_that_was_cut_off_is_mended(tmp_path: Path) -> None:
    frames = encoded("vp8", 60)
    path = tmp_path / "cut.webm"
    file = WebmFile(path, Frame(0, "vp8", *frames[0], 0.0))
    for n, (data, key) in enumerate(frames):
        file.write(Frame(0, "vp8", data, key, 0.0), 100 * n)
    whole = path.read_bytes()
    file.close()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    assert mend(path) > 1_000
    with av.open(io.BytesIO(path.read_bytes())) as opened:
        assert opened.duration is not None
        assert sum(1 for _ in opened.decode(video=0)) > 10


def test_sound_and_picture_are_laid_on_the_senders_clock() -> None:
    clock, offset = SenderClock(), 1_000_000.0  # the sender's clock is far ahead of ours
    clock.report(1, Report(offset + 10.0, 480_000, 10.050))  # sound: 50 ms under way
    clock.report(2, Report(offset + 10.5, 90_000, 10.520))  # picture: 20 ms
    assert clock.time(1, 480_000, 48_000, 10.05) == pytest.approx(10.02)
    assert clock.time(2, 90_000, 90_000, 10.52) == pytest.approx(10.52)
    assert clock.time(1, 480_000 + 24_000, 48_000, 0) == pytest.approx(clock.time(2, 90_000, 90_000, 0))
    assert clock.time(1, (480_000 - 960) & 0xFFFFFFFF, 48_000, 0) == pytest.approx(10.0)


def test_before_a_report_the_first_packet_is_the_anchor() -> None:
    clock = SenderClock()
    assert clock.time(1, 0xFFFFFF00, 48_000, 5.0) == 5.0
    assert clock.time(1, 0x2C0 - 0x100, 48_000, 9.9) == pytest.approx(5.0 + 0x2C0 / 48_000)
