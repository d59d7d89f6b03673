"""Observed intervals as values, PURE: how much connected time they make."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


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


def closed_ms(intervals: Iterable[Interval]) -> int:
    """Connected time that is final."""
    return sum(interval.duration_ms for interval in intervals if not interval.open)


def running(intervals: Sequence[Interval]) -> Interval | None:
    """The interval that runs now, if any."""
    return next((interval for interval in reversed(intervals) if interval.open), None)


def connected_ms(intervals: Sequence[Interval], now: datetime) -> int:
    """Connected time as of ``now``: what is final, and what runs."""
    current = running(intervals)
    extra = 0 if current is None else max(0, (now - current.started_at) // timedelta(milliseconds=1))
    return closed_ms(intervals) + extra
