from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from media.intervals import Cause, Closed, Interval, Observer, Opened, Seen, Side, Unseen

OTHER = {"customer": "consultant", "consultant": "customer"}


def play(observer: Observer, packets: list[tuple[float, str]], until: float) -> list[object]:
    """Feed packets in time order, looking every 200 ms as the node does."""
    changes: list[object] = []
    queue = sorted(packets)
    tick = 0.0
    while tick <= until:
        while queue and queue[0][0] <= tick:
            at, role = queue.pop(0)
            observer.packet(role, at)
        changes += observer.step(tick)
        tick = round(tick + 0.2, 3)
    return changes


def stream(role: str, start: float, end: float, every: float = 0.02) -> list[tuple[float, str]]:
    return [(start + n * every, role) for n in range(int((end - start) / every) + 1)]


def closed(changes: list[object]) -> list[Interval]:
    return [change.interval for change in changes if isinstance(change, Closed)]


def test_connected_time_begins_when_the_second_side_is_seen() -> None:
    changes = play(Observer(), stream("customer", 1, 9) + stream("consultant", 5, 9), 8)
    opened = [change.interval for change in changes if isinstance(change, Opened)]
    assert [interval.start for interval in opened] == [5]
    assert [type(change) for change in changes] == [Seen, Seen, Opened]


def test_a_silent_side_ends_the_interval_at_its_last_packet() -> None:
    changes = play(Observer(), stream("customer", 0, 4) + stream("consultant", 0, 20), 12)
    (interval,) = closed(changes)
    assert interval.cause is Cause.CUSTOMER_UNSEEN
    assert interval.duration_ms == 4_000
    assert Unseen("customer", 4.0) in changes


def test_who_listens_without_sending_starts_no_clock() -> None:
    changes = play(Observer(), stream("customer", 0, 60), 60)
    assert not any(isinstance(change, Opened | Closed) for change in changes)


def test_a_gap_below_the_silence_limit_changes_nothing() -> None:
    packets = stream("customer", 0, 5) + stream("customer", 7.6, 15) + stream("consultant", 0, 15)
    observer = Observer()
    assert closed(play(observer, packets, 15)) == []
    (interval,) = closed(list(observer.end(15.0)))
    assert interval.duration_ms >= 14_900


def test_coming_back_opens_the_next_interval_at_the_first_new_packet() -> None:
    packets = stream("customer", 0, 4) + stream("customer", 20, 25) + stream("consultant", 0, 25)
    changes = play(Observer(), packets, 25)
    starts = [change.interval.start for change in changes if isinstance(change, Opened)]
    assert starts == [0, 20]


def test_an_agreed_pause_is_not_counted() -> None:
    observer = Observer()
    packets = stream("customer", 0, 5) + stream("consultant", 0, 5)
    play(observer, packets, 5)
    (first,) = closed(observer.pause(True, 5.0))
    for at, role in stream("customer", 5.02, 9.9) + stream("consultant", 5.02, 9.9):
        observer.packet(role, at)
    assert [change for change in observer.step(10.0) if isinstance(change, Opened | Closed)] == []
    (opened,) = [change for change in observer.pause(False, 10.0) if isinstance(change, Opened)]
    assert first.cause is Cause.AGREED_PAUSE
    assert first.duration_ms == 5_000
    assert opened.interval.start == 10.0


def test_the_demo_clock_adds_to_the_running_interval_and_goes_on() -> None:
    observer = Observer()
    play(observer, stream("customer", 0, 5) + stream("consultant", 0, 5), 5)
    changes = observer.skip(580_000, 5.0)
    (interval,) = closed(changes)
    assert interval.duration_ms == 585_000
    assert isinstance(changes[-1], Opened)
    assert changes[-1].interval.n == interval.n + 1


def test_numbers_go_on_where_another_node_stopped() -> None:
    changes = play(Observer({Side.BOTH: 4}), stream("customer", 0, 2) + stream("consultant", 0, 2), 2)
    assert [change.interval.n for change in changes if isinstance(change, Opened)] == [5]


times = st.lists(
    st.tuples(st.floats(0, 60, allow_nan=False), st.sampled_from(["customer", "consultant"])), max_size=200
)


@given(times)
def test_nothing_is_counted_that_was_not_seen(packets: list[tuple[float, str]]) -> None:
    observer = Observer()
    changes = play(observer, packets, 70)
    changes += observer.end(70.0)
    intervals = closed(changes)
    for role in OTHER:
        seen = [at for at, who in packets if who == role]
        for interval in intervals:
            assert seen
            assert min(seen) <= interval.start
            assert interval.end <= max(seen) or interval.duration_ms == 0
    for before, after in pairwise(intervals):
        assert before.end <= after.start
    assert all(not interval.open and interval.duration_ms >= 0 for interval in intervals)


def test_a_stalled_process_does_not_count_what_it_did_not_see() -> None:
    observer = Observer()
    for role in OTHER:
        observer.packet(role, 0.0)
    observer.step(0.1)
    for role in OTHER:
        observer.packet(role, 60.0)  # nobody looked for a minute
    changes = observer.step(60.1)
    (interval,) = closed(changes)
    assert interval.duration_ms == 0
    assert [change.interval.start for change in changes if isinstance(change, Opened)] == [60.0]


def test_what_closes_while_it_is_written_is_written_again() -> None:
    observer = Observer()
    for role in OTHER:
        observer.packet(role, 0.0)
    observer.step(0.1)
    written_open = [(interval.side, interval.n) for interval in observer.dirty() if not interval.open]
    observer.end(0.2)
    observer.saved(written_open)
    assert {interval.side for interval in observer.dirty() if not interval.open} == set(Side)
