"""Receipt lines that add up, and marks that are each passed once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.metering.bill import bill, cap_ms
from billing.metering.intervals import Interval, closed_ms, connected_ms
from billing.metering.lines import lines
from billing.metering.marks import MarkKind, marks, next_deadline, passed
from billing.metering.terms import Policy, Price
from core.money import Currency

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PRICE = Price(Currency.EUR, 9_000, Policy.WHOLE_CALL, 600_000, 4_500, 1_500)
prices = st.builds(
    Price,
    currency=st.sampled_from(Currency),
    rate_minor_per_hour=st.integers(1, 200_000),
    policy=st.sampled_from(Policy),
    threshold_ms=st.just(600_000),
    cap_minor=st.integers(1, 100_000),
    commission_bps=st.just(1_500),
)


def talk(*spans: tuple[int, int]) -> list[Interval]:
    """Intervals from (gap before, duration) pairs in milliseconds."""
    found, at = [], START
    for n, (gap, duration) in enumerate(spans):
        at += timedelta(milliseconds=gap)
        found.append(Interval(n, at, duration, cause="customer_unseen"))
        at += timedelta(milliseconds=duration)
    return found


calls = st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 1_200_000)), min_size=1, max_size=8).map(
    lambda spans: talk(*spans)
)


@given(prices, calls)
def test_the_lines_sum_to_the_gross(price: Price, intervals: list[Interval]) -> None:
    due = bill(price, closed_ms(intervals))
    found = lines(price, intervals)
    assert sum(line.amount_minor for line in found) == due.gross_minor
    assert sum(line.duration_ms for line in found if line.kind == "talk") == due.billed_ms
    assert all(line.amount_minor >= 0 for line in found)


@given(prices, calls)
def test_every_observed_millisecond_is_in_one_line(price: Price, intervals: list[Interval]) -> None:
    found = lines(price, intervals)
    assert sum(line.duration_ms for line in found if line.kind != "unbilled") == closed_ms(intervals)


def test_a_gap_is_itemised_with_its_cause_and_costs_nothing() -> None:
    found = lines(PRICE, talk((0, 600_000), (20_000, 60_000)))
    assert [(line.kind, line.duration_ms, line.amount_minor, line.cause) for line in found] == [
        ("talk", 600_000, 1_500, None),
        ("unbilled", 20_000, 0, "customer_unseen"),
        ("talk", 60_000, 150, None),
    ]


def test_after_the_threshold_the_first_ten_minutes_are_shown_as_free() -> None:
    found = lines(replace(PRICE, policy=Policy.AFTER_THRESHOLD), talk((0, 700_000)))
    assert [(line.kind, line.duration_ms) for line in found] == [("free", 600_000), ("talk", 100_000)]


def test_each_warning_is_given_at_its_time() -> None:
    assert [(mark.at_ms, mark.kind) for mark in marks(PRICE)] == [
        (480_000, MarkKind.THRESHOLD_IN_2_MIN),
        (570_000, MarkKind.THRESHOLD_IN_30_S),
        (600_000, MarkKind.THRESHOLD_PASSED),
        (1_620_000, MarkKind.CAP_IN_3_MIN),
        (1_770_000, MarkKind.CAP_IN_30_S),
        (1_800_000, MarkKind.CAP_REACHED),
    ]


@given(prices, st.lists(st.integers(0, 4_000_000), min_size=1, max_size=10))
def test_however_often_the_meter_looks_each_mark_is_passed_once(price: Price, looks: list[int]) -> None:
    seen, before = [], 0
    for now in sorted(looks):
        seen += passed(price, before, now)
        before = now
    assert seen == list(passed(price, 0, max(looks)))


def test_the_deadline_is_where_the_running_interval_reaches_the_next_mark() -> None:
    intervals = [*talk((0, 100_000)), Interval(1, START + timedelta(seconds=130), 0, open=True)]
    due = next_deadline(PRICE, intervals, 0)
    assert due == START + timedelta(seconds=130 + 480 - 100)
    assert due is not None
    assert connected_ms(intervals, due) == 480_000
    assert next_deadline(PRICE, intervals[:1], 0) is None
    assert next_deadline(PRICE, intervals, cap_ms(PRICE)) is None
