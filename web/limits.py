"""Rate limits: counted in Redis for all processes; without Redis, log-in counts per process, the rest lets pass."""

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import logs
from core.errors import TooMany
from core.settings import Settings

log = logs.get(__name__)

WINDOW_S = 60
REDIS_TIMEOUT_S = 0.5
REDIS_REST_S = 2.0  # after a failure, ask again only then: a dead Redis must not slow every request down
MAX_KEYS = 10_000

# The window starts with the first hit and ends by itself; one round trip, atomic.
_HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """``count`` hits per minute. ``strict`` limits are still counted, per process, when Redis is away."""

    name: str
    count: int
    strict: bool = False


def limits(settings: Settings) -> Mapping[str, Limit]:
    """Every limit by name. One address may hold many people, so its log-in limit is wider than an account's."""
    login, api = settings.rate_limit_login_per_min, settings.rate_limit_api_per_min
    table = (
        Limit("login", login, strict=True),
        Limit("login_address", login * 10, strict=True),
        Limit("register", login * 10, strict=True),
        Limit("password", login, strict=True),
        Limit("api", api),
        Limit("typing", max(1, api * 3 // 5)),  # of all a minute's requests: whoever typed can still post the question
        Limit("preview", max(1, api // 5)),
        Limit("upload", max(1, api // 5)),
    )
    return {limit.name: limit for limit in table}


@dataclass(slots=True)
class _LocalWindows:
    """The per-process stand-in: the same windows in a dictionary of bounded size."""

    windows: dict[str, tuple[int, float]] = field(default_factory=dict)

    def hit(self, key: str) -> tuple[int, int]:
        """Count a hit; the count and the milliseconds until the window ends."""
        now = time.monotonic()
        if len(self.windows) >= MAX_KEYS:
            self.windows = {name: window for name, window in self.windows.items() if window[1] > now}
        count, ends = self.windows.get(key, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + WINDOW_S
        self.windows[key] = (count + 1, ends)
        return count + 1, round((ends - now) * 1000)


class Limiter:
    """Counts hits and refuses the one too many."""

    def __init__(self, redis: Redis, table: Mapping[str, Limit]) -> None:
        self._redis = redis
        self._table = table
        self._local = _LocalWindows()
        self._rest_until = 0.0

    async def hit(self, name: str, who: str) -> None:
        """Use up one hit of the limit ``name`` for ``who``; raise TooMany when none is left."""
        limit = self._table[name]
        key = f"limit:{name}:{who}"
        counted = await self._shared(key)
        if counted is None:
            if not limit.strict:
                return
            counted = self._local.hit(key)
        count, left_ms = counted
        if count > limit.count:
            seconds = max(1, math.ceil(left_ms / 1000))
            raise TooMany(seconds, f"Too many attempts. Try again in {seconds} seconds.")

    async def _shared(self, key: str) -> tuple[int, int] | None:
        if time.monotonic() < self._rest_until:
            return None
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                count, left_ms = await self._redis.eval(_HIT, 1, key, str(WINDOW_S * 1000))
        except (RedisError, OSError, TimeoutError) as error:
            self._rest_until = time.monotonic() + REDIS_REST_S
            log.warning("limits.redis_unavailable", kind=type(error).__name__)
            return None
        return int(count), int(left_ms)
