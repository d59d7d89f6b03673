"""Observed intervals as values, PURE: how much connected time they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# The media plane writes each second and waits 2.7 s before it calls a side missing: more than this the wall clock
# cannot be ahead of it unless somebody set it.
AGREES_MS = 5_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Connected time from ``started_at``; ``duration_ms`` is final unless ``open``. ``cause`` is why it ended."""

    n: int
    started_at: datetime
    duration_ms: int
    open: bool = False
    cause: str | None = None

    @property
    def ended_at(self) -> datetime:
        """The label of its last packet (durations are monotonic, wall-clock times are labels)."""
        return self.started_at + timedelta(milliseconds=self.duration_ms)


@dataclass(frozen=True, slots=True)
class Connected:
    """Connected time at a moment: ``ms`` is the best estimate, ``observed_ms`` of it is written down already."""

    ms: int
    observed_ms: int


def closed(intervals: Iterable[Interval]) -> list[Interval]:
    """Those that are final."""
    return [interval for interval in intervals if not interval.open]


def closed_ms(intervals: Iterable[Interval]) -> int:
    """Connected time that is final."""
    return sum(interval.duration_ms for interval in closed(intervals))


def running(intervals: Sequence[Interval]) -> Interval | None:
    """The interval that runs now, if any."""
    return next((interval for interval in reversed(intervals) if interval.open), None)


def connected(intervals: Sequence[Interval], now: datetime, observed_ms: int) -> Connected:
    """Connected time as of ``now``; ``observed_ms`` is what the media plane has written of the call so far.

    The wall clock counts on between two writes. One that was set meanwhile counts nothing: then it is as observed.
    """
    final_ms = closed_ms(intervals)
    current = running(intervals)
    if current is None:
        return Connected(final_ms, final_ms)
    seen_ms = max(final_ms, observed_ms)
    counted_ms = final_ms + (now - current.started_at) // timedelta(milliseconds=1)
    return Connected(counted_ms if 0 <= counted_ms - seen_ms <= AGREES_MS else seen_ms, seen_ms)
