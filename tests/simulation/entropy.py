"""Chance and time of a simulated world: the same seed gives the same ids, the same jitter and the same moments."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)


class VirtualClock:
    """A clock that the simulation moves, forward only."""

    def __init__(self) -> None:
        self._now = START

    def now(self) -> datetime:
        """The virtual moment."""
        return self._now

    def reset(self) -> None:
        """Back to the beginning, for the next seed."""
        self._now = START

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self._now += span

    def reach(self, moment: datetime) -> None:
        """Let time pass until ``moment``, if that lies ahead."""
        self._now = max(self._now, moment)


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
