"""The receipt's lines, PURE: every observed second in exactly one line, and amounts that sum to the gross."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from billing.metering.bill import bill_of, cap_ms, free_ms
from billing.metering.intervals import Interval
from billing.metering.terms import Price
from core.money import price_minor

TALK, FREE, CAP, UNBILLED = "talk", "free", "cap", "unbilled"
CONTINUES = "demo_skip"  # the next interval follows at once: there is no gap to itemise


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch of the call: ``talk`` is paid, ``free`` and ``cap`` are connected but not, ``unbilled`` is a gap."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    duration_ms: int
    cause: str | None
    amount_minor: int


def lines(price: Price, intervals: Sequence[Interval]) -> tuple[Line, ...]:
    """The lines of a finished call, in order."""
    ordered = sorted(intervals, key=lambda interval: interval.n)
    charged = bill_of(price, ordered).gross_minor > 0
    found: list[Line] = []
    before = 0
    for interval, following in pairwise([*ordered, None]):
        if interval is None:
            continue
        found += _pieces(price, interval, before, charged=charged)
        before += interval.duration_ms
        gap = None if following is None else _gap(interval, following)
        if gap is not None:
            found.append(gap)
    return tuple(found)


def _gap(interval: Interval, following: Interval) -> Line | None:
    span_ms = (following.started_at - interval.ended_at) // timedelta(milliseconds=1)
    if span_ms <= 0 or interval.cause == CONTINUES:
        return None
    return Line(UNBILLED, interval.ended_at, following.started_at, span_ms, interval.cause, 0)


def _pieces(price: Price, interval: Interval, before: int, *, charged: bool) -> Iterator[Line]:
    """Cut an interval where it stops being free and where the cap is used up."""
    after = before + interval.duration_ms
    free_until = free_ms(price) if charged else after
    edges = sorted({before, after, *(edge for edge in (free_until, cap_ms(price)) if before < edge < after)})
    for start, end in pairwise(edges):
        kind = FREE if start < free_until else CAP if start >= cap_ms(price) else TALK
        # Differences of running totals: rounding never makes the lines disagree with the sum.
        amount = _total(price, end) - _total(price, start) if kind == TALK else 0
        yield Line(
            kind,
            interval.started_at + timedelta(milliseconds=start - before),
            interval.started_at + timedelta(milliseconds=end - before),
            end - start,
            None,
            amount,
        )


def _total(price: Price, connected_ms: int) -> int:
    """The running total of a call known to be charged: time before the threshold counts too (whole call)."""
    counted = max(0, min(connected_ms, cap_ms(price)) - free_ms(price))
    return min(price_minor(price.rate_minor_per_hour, counted), price.cap_minor)
