"""Marks on the meter, PURE: at which connected time what must be said, and when that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from billing.metering.bill import cap_ms
from billing.metering.intervals import Connected
from billing.metering.terms import LATE_HOLD_MS, Price


class MarkKind(StrEnum):
    """What happens at a mark; also the kind of the evidence row."""

    THRESHOLD_IN_2_MIN = "threshold_in_2_min"
    THRESHOLD_IN_30_S = "threshold_in_30_s"
    THRESHOLD_PASSED = "threshold_passed"
    CAP_IN_3_MIN = "cap_in_3_min"
    CAP_IN_30_S = "cap_in_30_s"
    CAP_REACHED = "cap_reached"
    HOLD_DUE = "hold_due"
    HOLD_MISSED = "hold_missed"


# What changes something, or is evidence, is passed only when that much was observed; a warning may be an estimate.
CONFIRMED = frozenset({MarkKind.THRESHOLD_PASSED, MarkKind.CAP_REACHED, MarkKind.HOLD_DUE, MarkKind.HOLD_MISSED})
LOOK_AGAIN = timedelta(milliseconds=500)  # the observation is written each second


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to say when connected time reaches ``at_ms``."""

    at_ms: int
    kind: MarkKind


def marks(price: Price) -> tuple[Mark, ...]:
    """Every mark of a call at this price, in order; what would lie before the start is left out.

    While no hold stands the threshold is where the call ends: nothing lies behind it.
    """
    end = cap_ms(price)
    every: tuple[Mark, ...] = (
        Mark(price.threshold_ms - 120_000, MarkKind.THRESHOLD_IN_2_MIN),
        Mark(price.threshold_ms - 30_000, MarkKind.THRESHOLD_IN_30_S),
        Mark(price.threshold_ms, MarkKind.THRESHOLD_PASSED),
        Mark(end - 180_000, MarkKind.CAP_IN_3_MIN),
        Mark(end - 30_000, MarkKind.CAP_IN_30_S),
        Mark(end, MarkKind.CAP_REACHED),
    )
    if not price.secured:
        before = (mark for mark in every if mark.at_ms < price.threshold_ms)
        # First of all at its time: a warning beside it is an estimate, and must wait for what is observed.
        every = (Mark(LATE_HOLD_MS, MarkKind.HOLD_DUE), *before, Mark(price.threshold_ms, MarkKind.HOLD_MISSED))
    return tuple(sorted((mark for mark in every if mark.at_ms > 0), key=lambda mark: mark.at_ms))


def passed(price: Price, after_ms: int, known: Connected) -> tuple[Mark, ...]:
    """The marks after ``after_ms`` that are reached, in order: each is passed once, however often this is asked."""
    found: list[Mark] = []
    for mark in marks(price):
        if mark.at_ms > after_ms:
            if not _reached(mark, known):
                break
            found.append(mark)
    return tuple(found)


def marked_ms(price: Price, after_ms: int, known: Connected) -> int:
    """Up to where marks are passed by now: as far as the call has come, but short of a mark that is not reached."""
    ahead = next((mark for mark in marks(price) if mark.at_ms > after_ms and not _reached(mark, known)), None)
    return max(after_ms, known.ms if ahead is None else min(known.ms, ahead.at_ms - 1))


def next_deadline(price: Price, known: Connected, marked_ms: int, now: datetime) -> datetime | None:
    """When to look for the next mark while the call runs on; None when no mark is left."""
    ahead = next((mark for mark in marks(price) if mark.at_ms > marked_ms), None)
    if ahead is None:
        return None
    missing = timedelta(milliseconds=ahead.at_ms - known.ms)
    return now + (missing if missing > timedelta(0) else LOOK_AGAIN)


def _reached(mark: Mark, known: Connected) -> bool:
    return mark.at_ms <= (known.observed_ms if mark.kind in CONFIRMED else known.ms)
