"""From packet times to intervals: when each side was seen, and when both were. Pure; seconds of a monotonic clock.

A side is seen from its first packet on, until none came for ``silence_s``; its interval then ends at its *last* packet.
Connected time runs while both are seen and no pause is agreed; it ends at the last packet of the side that is missing,
so that nothing is ever counted that the server did not see.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

# A side not seen for 3 s has its meter paused (decisions §2): noticed early enough for that to be written by then.
SILENCE_S = 2.7
ROLES = ("customer", "consultant")


class Side(StrEnum):
    """Whose interval it is."""

    CUSTOMER = "customer"
    CONSULTANT = "consultant"
    BOTH = "both"


class Cause(StrEnum):
    """Why an interval ended."""

    CUSTOMER_UNSEEN = "customer_unseen"
    CONSULTANT_UNSEEN = "consultant_unseen"
    AGREED_PAUSE = "agreed_pause"
    ENDED = "ended"
    DEMO_SKIP = "demo_skip"
    NODE_LOST = "node_lost"


@dataclass(slots=True)
class Interval:
    """A stretch of time; ``end`` grows while it is open. ``extra_ms`` was added by the demo clock."""

    side: Side
    n: int
    start: float
    end: float
    open: bool = True
    cause: Cause | None = None
    extra_ms: int = 0

    @property
    def duration_ms(self) -> int:
        """Whole milliseconds, rounded down: never more than was seen."""
        return int((self.end - self.start) * 1000) + self.extra_ms


@dataclass(frozen=True, slots=True)
class Seen:
    """A side's media arrives (again) since ``at``."""

    role: str
    at: float


@dataclass(frozen=True, slots=True)
class Unseen:
    """A side was last seen ``at``."""

    role: str
    at: float


@dataclass(frozen=True, slots=True)
class Opened:
    """Connected time runs."""

    interval: Interval


@dataclass(frozen=True, slots=True)
class Closed:
    """Connected time has stopped; the interval is final."""

    interval: Interval


Change = Seen | Unseen | Opened | Closed


@dataclass(slots=True)
class _Watch:
    last: float | None = None  # the last packet, set by the relay's hot path
    lost_at: float | None = None  # the last packet before a silence that nobody looked at in time
    first: float | None = None  # the first packet since the side was last unseen
    current: Interval | None = None


class Observer:
    """Watches one call. ``packet`` is called for every packet and only takes note; ``step`` draws the conclusions."""

    def __init__(self, numbers: dict[Side, int] | None = None, silence_s: float = SILENCE_S) -> None:
        """``numbers`` are the last used interval numbers of this call, when another node watched it before."""
        self._silence = silence_s
        self._watch = {role: _Watch() for role in ROLES}
        self._numbers = dict.fromkeys(Side, 0) | (numbers or {})
        self._both: Interval | None = None
        self._paused = False
        self._stopped_by: Cause | None = None
        self._dirty: dict[tuple[Side, int], Interval] = {}

    def packet(self, role: str, at: float) -> bool:
        """Take note of a packet; True when the side was not seen before (``step`` should run soon)."""
        watch = self._watch[role]
        if watch.last is not None and at - watch.last >= self._silence and watch.current is not None:
            # A stalled process must not count what it did not see: the silence is drawn in by the next step.
            watch.lost_at = watch.lost_at if watch.lost_at is not None else watch.last
            watch.last = watch.first = at
            return True
        watch.last = at
        if watch.first is None:
            watch.first = at
            return True
        return False

    @property
    def paused(self) -> bool:
        """Whether a pause is agreed."""
        return self._paused

    def seen(self, role: str) -> bool:
        """Whether this side is seen, as of the last ``step``."""
        return self._watch[role].current is not None

    def step(self, now: float) -> list[Change]:
        """What has changed by ``now``."""
        changes: list[Change] = []
        for role, watch in self._watch.items():
            if watch.current is None or watch.last is None:
                continue
            if watch.lost_at is not None:
                back = watch.last
                watch.last, watch.lost_at = watch.lost_at, None
                changes += self._lose(role, watch)
                watch.first = watch.last = back
            elif now - watch.last >= self._silence:
                changes += self._lose(role, watch)
        for role, watch in self._watch.items():
            if watch.current is None and watch.first is not None:
                watch.current = self._start(Side(role), watch.first)
                changes.append(Seen(role, watch.first))
            if watch.current is not None and watch.last is not None:
                watch.current.end = watch.last
                self._note(watch.current)
        changes += self._connect(now)
        return changes

    def pause(self, paused: bool, now: float) -> list[Change]:
        """Begin or end an agreed pause."""
        changes = self.step(now) if paused != self._paused else []
        if paused and not self._paused and self._both is not None:
            changes.append(self._close_both(Cause.AGREED_PAUSE))
        self._paused = paused
        return changes + (self._connect(now) if not paused else [])

    def skip(self, ms: int, now: float) -> list[Change]:
        """The demo clock: let the running interval count ``ms`` more, and go on with the next at once."""
        changes = self.step(now)
        if self._both is None:
            return changes
        self._both.extra_ms += ms
        changes.append(self._close_both(Cause.DEMO_SKIP))
        return changes + self._connect(now)

    def end(self, now: float, cause: Cause = Cause.ENDED) -> list[Change]:
        """The call, or this node's part in it, is over: everything ends at its last packet."""
        changes = self.step(now)
        if self._both is not None:
            changes.append(self._close_both(cause))
        for watch in self._watch.values():
            if watch.current is not None:
                self._finish(watch.current, cause)
            watch.current = watch.first = None
        return changes

    def dirty(self) -> list[Interval]:
        """The intervals that changed since they were last saved."""
        return list(self._dirty.values())

    def saved(self, closed: Iterable[tuple[Side, int]]) -> None:
        """These were *written as closed*; what closed while its open row was under way is still to be written."""
        for key in closed:
            self._dirty.pop(key, None)

    def _connect(self, now: float) -> list[Change]:
        sides = [watch.current for watch in self._watch.values()]
        customer, consultant = sides
        if customer is None or consultant is None:
            return []
        end = min(customer.end, consultant.end)
        if self._both is not None:
            self._both.end = max(self._both.end, end)
            self._note(self._both)
            return []
        if self._paused:
            return []
        start = max(customer.start, consultant.start, self._last_end(now))
        self._both = self._start(Side.BOTH, start)
        self._both.end = max(start, end)
        return [Opened(self._both)]

    def _last_end(self, now: float) -> float:
        """After a pause or a skip the sides were seen all along: connected time begins anew now, not back then."""
        return now if self._stopped_by in (Cause.AGREED_PAUSE, Cause.DEMO_SKIP) else 0.0

    def _lose(self, role: str, watch: _Watch) -> list[Change]:
        assert watch.current is not None
        assert watch.last is not None
        watch.current.end = watch.last
        changes: list[Change] = []
        if self._both is not None:
            self._both.end = max(self._both.start, min(self._both_limit(), watch.last))
            changes.append(self._close_both(Cause(f"{role}_unseen")))
        self._finish(watch.current, Cause(f"{role}_unseen"))
        watch.current = watch.first = None
        changes.append(Unseen(role, watch.last))
        return changes

    def _both_limit(self) -> float:
        return min((watch.last for watch in self._watch.values() if watch.last is not None), default=0.0)

    def _close_both(self, cause: Cause) -> Closed:
        assert self._both is not None
        closed = self._both
        self._finish(closed, cause)
        self._both = None
        self._stopped_by = cause
        return Closed(closed)

    def _start(self, side: Side, at: float) -> Interval:
        self._numbers[side] += 1
        interval = Interval(side, self._numbers[side], at, at)
        self._note(interval)
        return interval

    def _finish(self, interval: Interval, cause: Cause) -> None:
        interval.open, interval.cause = False, cause
        self._note(interval)

    def _note(self, interval: Interval) -> None:
        self._dirty[interval.side, interval.n] = interval
