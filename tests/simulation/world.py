"""The world of one seed: its agenda, its processes, its bank, and whoever asks ``web`` for something."""

import heapq
import random
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from core.db import Tx
from core.errors import Conflict, NotFound, Refused, Upstream
from core.events import Event
from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from signaling.events import CallEnded
from tests.simulation.bank import Bank
from tests.simulation.house import House
from tests.simulation.node import Node
from tests.simulation.script import Call, Card, Script
from tests.simulation.stage import Actor, Perils, Process, Stage
from tests.simulation.studio import Studio

RETRY = timedelta(seconds=2)
# What a node observed is written by ``web`` here. Where it stays away for a day, another node has the call by then.
_ANOTHER_NODE = timedelta(seconds=200)
_AT_THE_DOOR, _QUEUE = 8, timedelta(milliseconds=200)

Work = Callable[[], Coroutine[Any, Any, Any]]


@dataclass(eq=False, slots=True)
class Scene:
    """One call as it is played."""

    script: Call
    call_id: CallId
    opened_at: datetime | None = None
    node: Node | None = None
    outbox: list[Event] = field(default_factory=list)
    publishing: bool = False
    over: bool = False
    because: str = ""
    closed_at: datetime | None = None
    asked: set[str] = field(default_factory=set)
    lapsed: list[str] = field(default_factory=list)
    clicks: int = 0
    following: "Scene | None" = None  # the call that goes on with this one, once somebody came back
    awaits: bool = False  # whether somebody may still come back
    refusals: list[tuple[datetime, str]] = field(default_factory=list)
    further: bool = False  # a call that came after

    def last(self) -> "Scene":
        """The call that goes on with this one in the end, as far as somebody came back."""
        on = self.following
        return self if on is None or on.node is None else on.last()

    def chain(self) -> "Iterator[Scene]":
        """This call and those that went on with it."""
        yield self
        if self.following is not None:
            yield from self.following.chain()


class World:
    """What everybody in a play shares."""

    def __init__(self, script: Script, studio: Studio) -> None:
        self.script, self.trouble = script, script.trouble
        self.clock, self.database, self.houses = studio.clock, studio.database, studio.houses
        self.chance = random.Random(f"play {script.seed}")  # noqa: S311 - a simulation that must replay, no secret
        trouble = script.trouble
        self.perils = Perils(crash=trouble.crash, crashes=trouble.crashes, stall=trouble.stall)
        self.stage = Stage(self.chance, studio.clock, studio.database, self.perils)
        self.stage.on_kill = self._on_kill
        self.bank = Bank(studio.clock, studio.boundaries)
        self.web = studio.houses["web"]
        self.workers = [studio.houses[name] for name in ("w1", "w2")[: trouble.workers]]
        self.violations: list[str] = []
        self.scenes: list[Scene] = []
        self.cards: dict[str, Card] = {}  # how the bank answers for each saved card
        self.customer, self.consultant = UserId(new_id()), UserId(new_id())
        self.customer_id = self.account = ""  # at Stripe
        self._agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self._number = 0
        self._down_s = trouble.down_s
        self._web_back = studio.clock.steady()

    # Time

    def at(self, span: timedelta, label: str, begin: Callable[[], None]) -> None:
        """Have something begin after ``span``."""
        self._number += 1
        heapq.heappush(self._agenda, (self.clock.steady() + span, self._number, label, begin))

    def begin_due(self) -> bool:
        """Begin what the agenda has by now; whether there was anything."""
        begun = False
        while self._agenda and self._agenda[0][0] <= self.clock.steady():
            _, _, label, begin = heapq.heappop(self._agenda)
            self.stage.note(f"· {label}")
            begin()
            begun = True
        return begun

    def next_on_agenda(self) -> datetime | None:
        """When the agenda goes on."""
        return self._agenda[0][0] if self._agenda else None

    def jump(self, span_s: float) -> None:
        """Somebody sets the wall clock."""
        self.clock.jump(timedelta(seconds=span_s))

    # Processes

    def up(self) -> list[House]:
        """The workers that are there."""
        return [house for house in self.workers if house.process.up]

    def leave_alone(self, span_s: float) -> None:
        """Kill every worker, for so long."""
        self._down_s = span_s
        for house in self.up():
            self.stage.kill(house.process)
        self._down_s = self.trouble.down_s

    def _on_kill(self, process: Process) -> None:
        house = self.houses[process.name]
        span = timedelta(seconds=self._down_s)
        if house is self.web:
            span = min(span, _ANOTHER_NODE)
            self._web_back = self.clock.steady() + span
        self.at(span, f"{process.name} starts again", house.restart)

    def check(self, actor: Actor) -> None:
        """An error that nobody expects is a violation."""
        if actor.error is not None:
            self.violations.append(f"{actor.name} failed: {actor.error!r}")

    # Requests

    def ask(
        self, label: str, work: Work, *, then: Callable[[], None] | None = None, no: Callable[[], None] | None = None
    ) -> None:
        """Have ``web`` do something; whoever asked asks again when it was killed meanwhile.

        ``then`` follows when it was done, ``no`` when it was refused (without it a refusal is a violation).
        """
        again = partial(self.ask, label, work, then=then, no=no)

        def after(actor: Actor) -> None:
            if actor.crashed:
                self.at(RETRY, f"{label} again", again)
            elif isinstance(actor.error, Refused | Conflict | NotFound | Upstream) and no is not None:
                no()
            elif actor.error is not None:
                self.check(actor)
            elif then is not None:
                then()

        if not self.web.process.up:
            self.at(self._web_back - self.clock.steady() + RETRY, f"{label} again", again)
        elif sum(actor.process is self.web.process for actor in self.stage.actors) >= _AT_THE_DOOR:
            self.at(_QUEUE, f"{label} waits", again)  # more would wait for a connection of the pool
        else:
            self.stage.spawn(label, self.web.process, work, after)

    # The rooms beside billing

    def scene(self, call_id: UUID) -> Scene:
        """The call with this id."""
        return next(scene for first in self.scenes for scene in first.chain() if scene.call_id == call_id)

    def ended(self, call_id: UUID, reason: str) -> CallEnded:
        """The event of a call's end."""
        return CallEnded(
            call_id=CallId(call_id),
            request_id=RequestId(call_id),
            question_id=QuestionId(call_id),
            customer_id=self.customer,
            consultant_id=self.consultant,
            reason=reason,
            went_live=True,
        )

    async def note(self, tx: Tx, call_id: UUID, kind: str) -> None:
        """Write down what the other rooms do of a call, where no crash loses it."""
        await self.execute(tx, "INSERT INTO heard (call_id, kind, at) VALUES (%s, %s, %s)", call_id, kind, tx.now)

    @staticmethod
    async def execute(tx: Tx, statement: str, *values: object) -> Any:
        """What another room writes, or asks, in a transaction of ours."""
        connection = await tx.session.connection()
        return await connection.exec_driver_sql(statement, values)
