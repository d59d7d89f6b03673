"""The media node of a simulated call: the real observer, given the packets that the script says were sent."""

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta

from core.events import Event
from core.ids import CallId
from media.events import IntervalClosed, IntervalOpened
from media.intervals import Change, Closed, Observer, Opened, Side
from tests.simulation.script import TICKS, Call

_EVERY = 2 * TICKS  # between packets and between looks: less than the observer's patience
_NOTICED = 3 * TICKS  # when a silence has surely been seen


class Node:
    """Carries one call. ``began`` is tick 0 on the steady clock, ``label`` the same on the wall: only labels use it."""

    def __init__(self, call_id: CallId, script: Call, began: datetime, label: datetime) -> None:
        self.began = began
        self._label = label
        self.ended: int | None = None
        self._call_id = call_id
        self._script = script
        self._observer = Observer()
        self._packets = sorted(_packets(script))
        self._next = 0
        self._looked = 0
        self._pauses = [(begin, True) for begin, _ in script.pauses] + [(end, False) for _, end in script.pauses]
        self._pauses.sort()

    def moments(self) -> list[int]:
        """The ticks at which there is something to conclude."""
        edges = [edge for stretches in self._script.presence.values() for stretch in stretches for edge in stretch]
        noticed = [edge + _NOTICED for edge in edges]
        paused = [tick for tick, _ in self._pauses]
        return sorted(tick for tick in {*edges, *noticed, *paused} if tick < self._script.ends)

    def tick(self, moment: datetime) -> int:
        """The tick at a virtual moment."""
        return (moment - self.began) // timedelta(microseconds=1) * TICKS // 1_000_000

    def moment(self, tick: int) -> datetime:
        """The virtual moment of a tick, not before it."""
        return self.began + timedelta(microseconds=-(-tick * 1_000_000 // TICKS))

    def advance(self, tick: int) -> list[Event]:
        """What was observed by ``tick``."""
        if self.ended is not None:
            return []
        changes: list[Change] = []
        for at, paused in [*self._pauses]:
            if at <= tick:
                self._pauses.pop(0)
                changes += self._until(at)
                changes += self._observer.pause(paused, at / TICKS)
        return self._told(changes + self._until(tick))

    def end(self, tick: int) -> list[Event]:
        """The call is over: everything ends at its last packet."""
        if self.ended is not None:
            return []
        found = self.advance(tick)
        for side, stretches in self._script.presence.items():
            if any(begin <= tick <= end for begin, end in stretches):
                self._observer.packet(side, tick / TICKS)
        self.ended = tick
        return found + self._told(self._observer.end(tick / TICKS))

    def written_ms(self, tick: int) -> int:
        """The connected time that stood in the database at ``tick``: it is written at every full second."""
        watched = copy.deepcopy(self)
        watched.advance(tick - tick % TICKS)
        both = [one for one in watched._observer.dirty() if one.side is Side.BOTH]
        return sum(one.duration_ms for one in both)

    def _until(self, tick: int) -> list[Change]:
        changes: list[Change] = []
        while self._next < len(self._packets) and self._packets[self._next][0] <= tick:
            at, side = self._packets[self._next]
            self._next += 1
            while at - self._looked > _EVERY:
                changes += self._look(self._looked + _EVERY)
            if self._observer.packet(side, at / TICKS):
                changes += self._look(at)
        while tick - self._looked > _EVERY:
            changes += self._look(self._looked + _EVERY)
        return changes + self._look(tick)

    def _look(self, tick: int) -> list[Change]:
        self._looked = tick
        return self._observer.step(tick / TICKS)

    def _told(self, changes: list[Change]) -> list[Event]:
        events: list[Event] = []
        for change in changes:
            if isinstance(change, Opened | Closed):
                interval = change.interval
                started = self._label + timedelta(seconds=interval.start)
            if isinstance(change, Opened):
                events.append(IntervalOpened(self._call_id, interval.n, started))
            elif isinstance(change, Closed):
                cause = str(interval.cause)
                events.append(IntervalClosed(self._call_id, interval.n, started, interval.duration_ms, cause))
        return events


def _packets(script: Call) -> Iterator[tuple[int, str]]:
    for side, stretches in script.presence.items():
        for begin, end in stretches:
            yield from ((tick, side) for tick in range(begin, end, _EVERY))
            yield end, side
    for pause in script.pauses:  # both send on through an agreed pause: its edges are seen to the tick
        for tick in pause:
            yield from ((tick, side) for side in script.presence)
