import struct

from media import rtp
from media.quality import Direction, StreamCount
from media.samples import Sampler


def test_a_sample_is_what_happened_since_the_last() -> None:
    direction = Direction(
        {"audio": StreamCount(48_000), "camera": StreamCount(90_000), "camera_rtx": StreamCount(90_000)}
    )
    sampler = Sampler()
    assert sampler.sample(direction, None, 10.0) is None, "the first only sets the mark"
    for n in range(200):
        if n % 10:  # one in ten is lost
            direction.streams["audio"].add(1, 100, n, 960 * n, 10 + n / 100)
    direction.streams["camera_rtx"].add(3, 1_000, 1, 0, 11.0)
    sample = sampler.sample(direction, 0.0421, 12.0)
    assert sample is not None
    assert 90 <= sample.loss_permille <= 110
    assert sample.rtt_ms == 42
    assert sample.kbps == round(8 * (180 * 100 + 1_000) / 2_000), "repairs use the line, too"
    assert sampler.sample(direction, None, 14.0) is None, "nothing came"


def test_a_late_packet_is_taken_back_without_a_negative_loss() -> None:
    direction, sampler = Direction({"audio": StreamCount(48_000)}), Sampler()
    audio = direction.streams["audio"]
    audio.add(1, 100, 1, 0, 0.0)
    sampler.sample(direction, None, 0.0)
    audio.add(1, 100, 4, 0, 0.1)
    first = sampler.sample(direction, None, 2.0)
    audio.add(1, 100, 2, 0, 2.1)
    audio.add(1, 100, 3, 0, 2.1)
    second = sampler.sample(direction, None, 4.0)
    assert (first and first.loss_permille, second and second.loss_permille) == (667, 0)


def test_reports_tell_the_senders_clock_and_who_answers_them() -> None:
    block = struct.pack("!IIIIII", 7, 0, 100, 5, 0xABCD1234, 6_553)
    report = struct.pack("!BBHIIIIII", 0x81, rtp.SR, 12, 9, 100, 1 << 31, 90_000, 10, 1_000) + block
    answer = struct.pack("!BBHI", 0x81, rtp.RR, 7, 9) + block
    assert rtp.sender_reports(report + answer) == [(9, 100.5, 90_000)]
    assert rtp.round_trips(report + answer) == [(0xABCD1234, 6_553)] * 2
    for size in range(len(report)):
        rtp.sender_reports(report[:size])
        rtp.round_trips(report[:size])
