"""Receipt lines that add up, and marks that are each passed once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.metering.bill import bill, cap_ms
from billing.metering.intervals import Connected, Interval, closed_ms, connected
from billing.metering.lines import lines
from billing.metering.marks import LOOK_AGAIN, MarkKind, marked_ms, marks, next_deadline, passed
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
    secured=st.booleans(),
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


def test_without_its_hold_a_call_ends_where_it_would_begin_to_cost() -> None:
    late = replace(PRICE, secured=False)
    assert [(mark.at_ms, mark.kind) for mark in marks(late)] == [
        (480_000, MarkKind.HOLD_DUE),
        (480_000, MarkKind.THRESHOLD_IN_2_MIN),
        (570_000, MarkKind.THRESHOLD_IN_30_S),
        (600_000, MarkKind.HOLD_MISSED),
    ]
    assert bill(late, 600_000).gross_minor == bill(late, 3_000_000).gross_minor == 0
    assert [(line.kind, line.amount_minor) for line in lines(late, talk((0, 600_412)))] == [("free", 0)]


def test_a_hold_is_asked_for_when_eight_minutes_were_observed_and_the_warning_beside_it_is_given_once() -> None:
    late = replace(PRICE, secured=False)
    assert passed(late, 0, Connected(480_300, 479_900)) == ()
    before = marked_ms(late, 0, Connected(480_300, 479_900))
    found = passed(late, before, Connected(480_800, 480_100))
    assert [mark.kind for mark in found] == [MarkKind.HOLD_DUE, MarkKind.THRESHOLD_IN_2_MIN]


def test_once_the_hold_stands_the_call_goes_on_like_any_other() -> None:
    found = passed(PRICE, 599_999, Connected(600_200, 600_000))
    assert [mark.kind for mark in found] == [MarkKind.THRESHOLD_PASSED]


@given(prices, st.lists(st.tuples(st.integers(0, 4_000_000), st.integers(0, 5_000)), min_size=1, max_size=10))
def test_however_often_the_meter_looks_each_mark_is_passed_once(price: Price, looks: list[tuple[int, int]]) -> None:
    seen, before = [], 0
    for ms, behind in sorted(looks):
        known = Connected(ms, max(0, ms - behind))
        seen += passed(price, before, known)
        before = marked_ms(price, before, known)
    last = max(ms for ms, _ in looks)
    seen += passed(price, before, Connected(last, last))
    assert seen == list(passed(price, 0, Connected(last, last)))


def test_the_cap_is_reached_when_it_was_observed_and_a_warning_when_the_clock_says_so() -> None:
    """A second may lie between two observations; no call is ended for a second nobody saw."""
    assert passed(PRICE, 1_770_000, Connected(1_800_400, 1_799_900)) == ()
    assert marked_ms(PRICE, 1_770_000, Connected(1_800_400, 1_799_900)) == 1_799_999
    assert next_deadline(PRICE, Connected(1_800_400, 1_799_900), 1_799_999, START) == START + LOOK_AGAIN
    assert [mark.kind for mark in passed(PRICE, 1_799_999, Connected(1_800_900, 1_800_100))] == [MarkKind.CAP_REACHED]
    assert [mark.kind for mark in passed(PRICE, 0, Connected(480_000, 479_100))] == [MarkKind.THRESHOLD_IN_2_MIN]


def test_the_deadline_is_where_the_running_interval_reaches_the_next_mark() -> None:
    now = START + timedelta(seconds=140)
    assert next_deadline(PRICE, Connected(110_000, 109_500), 0, now) == now + timedelta(seconds=480 - 110)
    assert next_deadline(PRICE, Connected(1_800_000, 1_800_000), cap_ms(PRICE), now) is None


@pytest.mark.parametrize("jump_s", [3_600, -3_600, 6, -1])
def test_a_clock_that_was_set_counts_nothing_what_was_observed_does(jump_s: int) -> None:
    intervals = [*talk((0, 100_000)), Interval(1, START + timedelta(seconds=130), 0, open=True)]
    now = START + timedelta(seconds=150)
    assert connected(intervals, now, 119_300) == Connected(120_000, 119_300)
    assert connected(intervals, now + timedelta(seconds=jump_s), 119_300) == Connected(119_300, 119_300)
    assert connected(intervals[:1], now + timedelta(seconds=jump_s), 100_000) == Connected(100_000, 100_000)
