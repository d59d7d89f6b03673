"""Event limits: one token bucket per user and event, in this process."""

import time
from collections.abc import Callable

from core.errors import TooMany
from core.ids import UserId
from signaling.protocol import ClientEvent


class EventLimits:
    """Counts per user, not per socket: a second tab gives nobody a second allowance."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[UserId, dict[str, tuple[float, float]]] = {}

    def spend(self, user: UserId, event: ClientEvent) -> None:
        """Take one token, or raise ``TooMany``."""
        now = self._monotonic()
        mine = self._buckets.setdefault(user, {})
        tokens, at = mine.get(event.name, (float(event.burst), now))
        tokens = min(float(event.burst), tokens + (now - at) * event.per_second)
        if tokens < 1:
            mine[event.name] = (tokens, now)
            raise TooMany(max(1, round((1 - tokens) / event.per_second)), f"Too many {event.name}; wait a little.")
        mine[event.name] = (tokens - 1, now)

    def prune(self) -> None:
        """Forget every user whose buckets have all been left alone for a while (they are full again)."""
        now = self._monotonic()
        for user, mine in list(self._buckets.items()):
            if all(now - at > 120 for _, at in mine.values()):  # noqa: PLR2004 (longer than any refill)
                del self._buckets[user]
