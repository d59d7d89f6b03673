"""Marks on the meter, PURE: at which connected time what must be said, and when that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing.metering.bill import cap_ms
from billing.metering.intervals import Interval, closed_ms, running
from billing.metering.terms import Price


class MarkKind(StrEnum):
    """What happens at a mark; also the kind of the evidence row."""

    THRESHOLD_IN_2_MIN = "threshold_in_2_min"
    THRESHOLD_IN_30_S = "threshold_in_30_s"
    THRESHOLD_PASSED = "threshold_passed"
    CAP_IN_3_MIN = "cap_in_3_min"
    CAP_IN_30_S = "cap_in_30_s"
    CAP_REACHED = "cap_reached"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to say when connected time reaches ``at_ms``."""

    at_ms: int
    kind: MarkKind


def marks(price: Price) -> tuple[Mark, ...]:
    """Every mark of a call at this price, in order; what would lie before the start is left out."""
    end = cap_ms(price)
    every = (
        Mark(price.threshold_ms - 120_000, MarkKind.THRESHOLD_IN_2_MIN),
        Mark(price.threshold_ms - 30_000, MarkKind.THRESHOLD_IN_30_S),
        Mark(price.threshold_ms, MarkKind.THRESHOLD_PASSED),
        Mark(end - 180_000, MarkKind.CAP_IN_3_MIN),
        Mark(end - 30_000, MarkKind.CAP_IN_30_S),
        Mark(end, MarkKind.CAP_REACHED),
    )
    return tuple(sorted((mark for mark in every if mark.at_ms > 0), key=lambda mark: mark.at_ms))


def passed(price: Price, after_ms: int, up_to_ms: int) -> tuple[Mark, ...]:
    """The marks in ``(after_ms, up_to_ms]``: each is passed once, however often this is asked."""
    return tuple(mark for mark in marks(price) if after_ms < mark.at_ms <= up_to_ms)


def next_deadline(price: Price, intervals: Sequence[Interval], marked_ms: int) -> datetime | None:
    """When the next mark is reached if the running interval runs on; None when nothing runs or nothing is left."""
    current = running(intervals)
    if current is None:
        return None
    ahead = next((mark for mark in marks(price) if mark.at_ms > marked_ms), None)
    if ahead is None:
        return None
    return current.started_at + timedelta(milliseconds=ahead.at_ms - closed_ms(intervals))
