"""Event limits and the cap of what waits for a slow reader."""

from uuid import uuid4

import pytest
from engineio.packet import MESSAGE, Packet

from core.errors import TooMany
from core.ids import UserId
from signaling.limits import EventLimits
from signaling.protocol import CLIENT_EVENTS
from signaling.transport import MAX_UNREAD_BYTES, CappedQueue

JOIN = CLIENT_EVENTS["media.join"]


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_is_taken_and_the_next_one_told_when_to_come_back() -> None:
    watch = Watch()
    limits, user = EventLimits(watch), UserId(uuid4())
    for _ in range(JOIN.burst):
        limits.spend(user, JOIN)
    with pytest.raises(TooMany) as refused:
        limits.spend(user, JOIN)
    watch.at += refused.value.retry_after_s
    limits.spend(user, JOIN)


def test_one_user_or_event_does_not_use_up_another() -> None:
    limits, user = EventLimits(Watch()), UserId(uuid4())
    for _ in range(JOIN.burst):
        limits.spend(user, JOIN)
    limits.spend(UserId(uuid4()), JOIN)
    limits.spend(user, CLIENT_EVENTS["sync"])


def test_forgetting_gives_nobody_a_second_burst_early() -> None:
    watch = Watch()
    limits, user = EventLimits(watch), UserId(uuid4())
    for _ in range(JOIN.burst):
        limits.spend(user, JOIN)
    watch.at += 1
    limits.prune()
    with pytest.raises(TooMany):
        limits.spend(user, JOIN)


async def test_a_queue_nobody_reads_stops_growing_below_a_megabyte() -> None:
    queue = CappedQueue()
    for _ in range(10_000):
        await queue.put(Packet(MESSAGE, "x" * 10_000))
    assert queue.overflowed
    assert queue.qsize() * 10_000 <= MAX_UNREAD_BYTES < 1_000_000


async def test_a_queue_that_is_read_takes_any_amount() -> None:
    queue = CappedQueue()
    for _ in range(1_000):
        await queue.put(Packet(MESSAGE, "x" * 10_000))
        await queue.get()
    assert not queue.overflowed


async def test_the_end_of_a_connection_always_fits_into_its_queue() -> None:
    queue = CappedQueue()
    while not queue.overflowed:
        await queue.put(Packet(MESSAGE, "x" * 100_000))
    before = queue.qsize()
    await queue.put(None)
    assert queue.qsize() == before + 1
