"""Chance and time of a simulated world: the same seed gives the same ids, the same jitter and the same moments."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)


class VirtualClock:
    """A clock that the simulation moves: ``steady`` only goes forward, ``now`` (the wall clock) may jump."""

    def __init__(self, start: datetime = START) -> None:
        self._start = self._steady = start
        self._jumped = timedelta(0)

    def now(self) -> datetime:
        """The virtual moment as our code reads it."""
        return self._steady + self._jumped

    def steady(self) -> datetime:
        """The virtual moment as it really is."""
        return self._steady

    @property
    def offset(self) -> timedelta:
        """How far the wall clock is from where it would be had nobody set it."""
        return self._jumped

    def steadily(self, wall: datetime | None) -> datetime | None:
        """When the wall clock, as it goes now, will show this moment."""
        return None if wall is None else wall.astimezone(UTC) - self._jumped  # rows come in the session's zone

    def jump(self, span: timedelta) -> None:
        """Somebody sets the wall clock."""
        self._jumped += span

    def reset(self) -> None:
        """Back to the beginning, for the next seed."""
        self._steady, self._jumped = self._start, timedelta(0)

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self._steady += span

    def reach(self, moment: datetime) -> None:
        """Let time pass until ``moment``, if that lies ahead."""
        self._steady = max(self._steady, moment)


@contextmanager
def seeded(seed: int, clock: VirtualClock) -> Iterator[None]:
    """Draw every random byte of this process from ``seed`` and read the time of day off ``clock``.

    Ids, the sender's jitter, the sandbox's ids and times and the signatures of webhooks all come from there.
    """
    source = random.Random(f"entropy {seed}")  # noqa: S311 - a simulation that must replay, no secret
    kept = os.urandom, random._urandom, time.time  # type: ignore[attr-defined]
    os.urandom = random._urandom = source.randbytes  # type: ignore[attr-defined, assignment]
    time.time = lambda: clock.now().timestamp()  # type: ignore[assignment]
    try:
        yield
    finally:
        os.urandom, random._urandom, time.time = kept  # type: ignore[attr-defined, assignment]
