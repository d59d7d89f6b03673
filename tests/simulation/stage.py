"""The stage: lets one actor move at a time, from one boundary to the next, in an order drawn from the seed.

A boundary lies before every statement, before every commit, and on both sides of every request to Stripe: whatever
happens between two of them cannot be seen from outside. At each the process may be killed, or stall while time passes.
An actor whose statement waits for a row that another actor has locked is set aside until PostgreSQL lets it go on.
"""

import asyncio
import random
import traceback
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from tests.simulation.entropy import VirtualClock

_LOOK_AFTER_S = 0.02  # no arrival for so long: perhaps it waits for a lock
_PATIENCE_S = 20.0


class Crash(BaseException):
    """The process was killed here; nothing of it goes on."""


class Stuck(Exception):
    """The simulation itself does not go on: actors wait for one another."""


@dataclass(eq=False, slots=True)
class Process:
    """Something that does things; ``life`` counts how often it was started. What is not ``ours`` is never killed."""

    name: str
    up: bool = True
    life: int = 1
    ours: bool = True


@dataclass(eq=False, slots=True)
class Actor:
    """One thing a process does: a job, a tick, a request."""

    name: str
    process: Process
    life: int
    where: str = "start"
    gate: asyncio.Future[None] | None = None
    stalled_until: datetime | None = None
    backend: int | None = None
    blocked: bool = False
    waits: bool = False
    error: Exception | None = None
    crashed: bool = False
    done: bool = False
    after: Callable[["Actor"], None] | None = None
    task: asyncio.Task[None] | None = None

    @property
    def killed(self) -> bool:
        """Whether its process has been killed since it began."""
        return self.life != self.process.life or not self.process.up


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


@dataclass(slots=True)
class Perils:
    """How often something happens to an actor at a boundary."""

    crash: float = 0.0
    crashes: int = 0
    stall: float = 0.0
    drift: float = 0.15


class Stage:
    """Actors, whose turn it is, and the trace of what they did."""

    def __init__(
        self, chance: random.Random, clock: VirtualClock, database: psycopg.Connection[Any], perils: Perils
    ) -> None:
        self._chance = chance
        self._clock = clock
        self._database = database
        self._perils = perils
        self._arrived = asyncio.Event()
        self.actors: list[Actor] = []
        self.trace: list[str] = []
        self.on_kill: Callable[[Process], None] = lambda _process: None

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        self.trace.append(f"{self._clock.steady():%d %H:%M:%S.%f} {line}")

    def spawn(
        self,
        name: str,
        process: Process,
        work: Callable[[], Coroutine[Any, Any, Any]],
        after: Callable[[Actor], None] | None = None,
    ) -> None:
        """Let a process begin something; ``after`` is told when it has ended, in whatever way."""
        actor = Actor(name, process, process.life, after=after)
        gate = actor.gate = asyncio.get_running_loop().create_future()
        self.actors.append(actor)
        actor.task = asyncio.get_running_loop().create_task(self._live(actor, gate, work))

    async def _live(
        self, actor: Actor, gate: asyncio.Future[None], work: Callable[[], Coroutine[Any, Any, Any]]
    ) -> None:
        _ACTOR.set(actor)
        try:
            await self._pass(actor, gate)
            await work()
            await boundary(self, "end")
        except Crash:
            actor.crashed = True
        except Exception as error:  # noqa: BLE001 - the play judges it: an unexpected one is a violation
            actor.error = error
            self.note("".join(traceback.format_exception(error)))
        actor.done = True
        self._arrived.set()

    @staticmethod
    async def _pass(actor: Actor, gate: asyncio.Future[None]) -> None:
        await gate
        if actor.killed:
            raise Crash

    async def stop_at(self, actor: Actor, where: str, backend: int | None) -> None:
        """Wait for the next turn."""
        if actor.killed:
            raise Crash
        actor.where, actor.backend = where, backend or actor.backend
        gate = actor.gate = asyncio.get_running_loop().create_future()
        self._arrived.set()
        await self._pass(actor, gate)
        if where == "COMMIT":  # the connection goes back to the pool: whoever takes it may wait for a lock
            actor.backend = None

    async def step(self) -> bool:
        """Let one actor go on to its next boundary; False when none can before time passes."""
        now = self._clock.steady()
        ready = [
            actor
            for actor in self.actors
            if actor.gate is not None and (actor.killed or actor.stalled_until is None or actor.stalled_until <= now)
        ]
        if not ready:
            held = [actor for actor in self.actors if actor.blocked]
            if held and not self._stalled():
                await self._let_go(held)
                return True
            return False
        actor = self._chance.choice(ready)
        if not actor.killed and self._mishap(actor):
            return True
        actor.stalled_until = None
        self.note(f"{actor.process.name} {actor.name}: {actor.where}{' †' if actor.killed else ''}")
        assert actor.gate is not None
        gate = actor.gate
        actor.gate = None
        gate.set_result(None)
        await self._settle(actor)
        self._leave()
        if self._chance.random() < self._perils.drift:
            self._clock.advance(timedelta(milliseconds=self._chance.choice((1, 3, 20, 150, 900))))
        return True

    def next_wake(self) -> datetime | None:
        """When the first stalled actor goes on."""
        return min((actor.stalled_until for actor in self._stalled() if actor.stalled_until), default=None)

    def kill(self, process: Process) -> None:
        """Kill a process: everything it does ends at the boundary where it stands."""
        self.note(f"{process.name} is killed")
        process.up = False
        self.on_kill(process)

    def _stalled(self) -> list[Actor]:
        return [actor for actor in self.actors if actor.gate is not None and actor.stalled_until is not None]

    def _mishap(self, actor: Actor) -> bool:
        perils = self._perils
        if perils.crashes and actor.process.ours and self._chance.random() < perils.crash:
            perils.crashes -= 1
            self.kill(actor.process)
            return True
        if perils.stall and actor.where.startswith(("→", "←")) and self._chance.random() < perils.stall:
            span = self._chance.choice((2, 9, 35, 70))
            actor.stalled_until = self._clock.steady() + timedelta(seconds=span)
            self.note(f"{actor.process.name} {actor.name}: stalls {span} s at {actor.where}")
            return True
        return False

    async def _settle(self, moved: Actor) -> None:
        """Wait until whoever moved, and whoever this lets go on, stands at a boundary, has ended, or is blocked."""
        await self._arrive([moved])
        held = [actor for actor in self.actors if actor.blocked and actor is not moved]
        gone = [moved]
        while gone:  # whoever was let go may have been killed meanwhile, and lets others go by that
            for actor in gone:
                if actor.crashed:
                    await self._rolled_back(actor)
            free = [actor for actor in held if not self._blocked(actor)]  # only now it is certain which locks are left
            await self._arrive(free)
            held = [actor for actor in held if actor not in free]
            gone = [actor for actor in free if actor.crashed]
        for actor in self.actors:
            actor.blocked = actor.blocked and actor.gate is None and not actor.done
            if actor.blocked and not actor.waits:  # for a moment many do, while locks change hands
                self.note(f"{actor.process.name} {actor.name}: waits for a lock")
            actor.waits = actor.blocked

    async def _arrive(self, waiting: list[Actor]) -> None:
        pause = _LOOK_AFTER_S if len(self.actors) > 1 else _PATIENCE_S
        patience = _PATIENCE_S
        while True:
            self._arrived.clear()
            waiting = [actor for actor in waiting if actor.gate is None and not actor.done]
            if not waiting:
                return
            timer = asyncio.get_running_loop().call_later(pause, self._arrived.set)
            began = asyncio.get_running_loop().time()
            await self._arrived.wait()
            timer.cancel()
            if asyncio.get_running_loop().time() - began >= pause:
                patience -= pause
                if patience <= 0:
                    raise Stuck("does not come back: " + ", ".join(f"{actor.name} {actor.where}" for actor in waiting))
                waiting = [actor for actor in waiting if not self._blocked(actor)]

    async def _let_go(self, held: list[Actor]) -> None:
        """Wait until PostgreSQL lets one of these go on; where it never does, they wait for one another."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while not any(actor.gate is not None or actor.done for actor in held):
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck("every actor waits for another: " + ", ".join(actor.name for actor in self.actors))
            await asyncio.sleep(0.002)
        for actor in held:
            actor.blocked = actor.gate is None and not actor.done
            if actor.crashed:
                await self._rolled_back(actor)
        self._leave()

    async def _rolled_back(self, killed: Actor) -> None:
        """Wait until PostgreSQL has noticed: a killed actor's connection is thrown away, its locks go later."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND xact_start IS NOT NULL"
        deadline = asyncio.get_running_loop().time() + _PATIENCE_S
        while True:
            row = self._database.execute(query, (killed.backend,)).fetchone()
            if row == (0,):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise Stuck(f"the transaction of {killed.name} outlives it")
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        """End whatever is still on, so that its transactions are rolled back."""
        tasks = [actor.task for actor in self.actors if actor.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.actors.clear()

    def _blocked(self, actor: Actor) -> bool:
        """Whether PostgreSQL says that this actor waits for another of ours."""
        if actor.backend is None or actor.gate is not None or actor.done:
            return False
        ours = {other.backend for other in self.actors if other is not actor}
        row = self._database.execute("SELECT pg_blocking_pids(%s)", (actor.backend,)).fetchone()
        actor.blocked = bool(row and ours & set(row[0]))
        return actor.blocked

    def _leave(self) -> None:
        ended = [actor for actor in self.actors if actor.done]
        self.actors = [actor for actor in self.actors if not actor.done]
        for actor in ended:
            if actor.after is not None:
                actor.after(actor)


@dataclass(slots=True)
class Boundaries:
    """Where the boundaries of all processes lead: to the stage that is on."""

    stage: Stage | None = None


async def boundary(stage: Stage | None, where: str, backend: int | None = None) -> None:
    """Stand still here until it is this actor's turn again; what no actor does passes at once."""
    actor = _ACTOR.get()
    if stage is not None and actor is not None:
        await stage.stop_at(actor, where, backend)
