"""The play: makes a script happen to the real code, one boundary at a time, until nothing is left to do."""

import heapq
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from billing.events import CapReached, ChargeSettled, HoldFailed, HoldPlaced, PayoutAccountChanged
from core.db import Tx
from core.errors import Conflict, NotFound, Refused, Upstream
from core.events import Event, Flow
from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from media.events import IntervalClosed, IntervalOpened, SessionClosed
from signaling.events import CallEnded, CallOpened
from tests.simulation.bank import Bank
from tests.simulation.entropy import seeded
from tests.simulation.evidence import Found, Story, gather
from tests.simulation.house import House
from tests.simulation.node import Node
from tests.simulation.oracle import judge
from tests.simulation.script import TICKS, Call, Extend, Lapse, Script
from tests.simulation.stage import Actor, Perils, Process, Stage, Stuck

_AT_ONCE = 4  # jobs a worker runs at a time
_AT_THE_DOOR, _QUEUE = 8, timedelta(milliseconds=200)
_RETRY = timedelta(seconds=2)
_LONGEST = timedelta(days=20)
_MOST_STEPS = 60_000
_NO_SHOW = timedelta(seconds=60)
_SUBSCRIBED = ("payment_intent.", "charge.")
_DUE = (
    "SELECT (SELECT min(next_deadline_at) FROM charge), least((SELECT min(expires_at) FROM hold), "
    "(SELECT min(due_at) FROM command), (SELECT min(due_at) FROM stripe_event))"
)

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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to; no violations is as it should be."""

    violations: list[str]
    trace: list[str]
    captured: int
    calls: int


@dataclass(frozen=True, slots=True, order=True)
class _Job:
    id: int
    name: str = field(compare=False)
    arguments: dict[str, Any] = field(compare=False)


class Play:
    """One seed on a studio."""

    def __init__(self, script: Script, studio: Any) -> None:
        self._script = script
        self._studio = studio
        self._clock = studio.clock
        self._chance = random.Random(f"play {script.seed}")  # noqa: S311 - a simulation that must replay, no secret
        trouble = script.trouble
        self._perils = Perils(crash=trouble.crash, crashes=trouble.crashes, stall=trouble.stall)
        self._stage = Stage(self._chance, studio.clock, studio.database, self._perils)
        self._stage.on_kill = self._on_kill
        self._houses: dict[str, House] = studio.houses
        self._workers = [self._houses[name] for name in ("w1", "w2")[: trouble.workers]]
        self._agenda: list[tuple[datetime, int, str, Callable[[], None]]] = []
        self._number = 0
        self._jobs: list[_Job] = []
        self._heard = 0
        self._ticking: set[str] = set()
        self._down_s = trouble.down_s
        self._back = studio.clock.steady()  # when web is there again
        self._violations: list[str] = []
        self._healed = False
        self.scenes: list[Scene] = []
        self.delivered = 0
        self.found: Found | None = None  # of the last call
        self.story: Story | None = None

    async def run(self) -> Outcome:
        """Play it to its end and judge it."""
        self._clock.reset()
        with seeded(self._script.seed, self._clock):
            self._bank = Bank(self._clock, self._studio.boundaries)
            await self._bank.open()
            try:
                await self._prepare()
                self._studio.boundaries.stage = self._stage
                await self._go()
                captured = await self._judge()
            except Stuck as error:
                self._violations.append(f"stuck: {error}")
                captured = 0
            finally:
                self._studio.boundaries.stage = None
                await self._stage.close()
                await self._bank.close()
        return Outcome(self._violations, self._stage.trace, captured, len(self.scenes))

    # ── before ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _prepare(self) -> None:
        self.customer, self.consultant = UserId(new_id()), UserId(new_id())
        self._customer_id = await self._bank.customer()
        account = await self._bank.consultant()
        database, now = self._studio.database, self._clock.now()
        database.execute(
            "INSERT INTO customer_payment (user_id, provider_customer_id, updated_at) VALUES (%s, %s, %s)",
            (self.customer, self._customer_id, now),
        )
        database.execute(
            "INSERT INTO payout_account (user_id, provider_account_id, can_receive, updated_at) "
            "VALUES (%s, %s, true, %s)",
            (self.consultant, account, now),
        )
        await self._bank.new_events()
        self._heard = database.execute("SELECT coalesce(max(id), 0) FROM heard").fetchone()[0]
        for house in self._houses.values():
            house.start(self._bank, self._script.calls[0].policy, self._flow)
        trouble = self._script.trouble
        for rule in trouble.rules:
            await self._bank.misbehave(rule.kind, rule.operation, rule.times)
        for outage in trouble.outages:
            begin = now + timedelta(seconds=outage.at_s)
            self._bank.outages.append((begin, begin + timedelta(seconds=outage.span_s)))
        for absence in trouble.absences:
            self._at(
                timedelta(seconds=absence.at_s),
                "no worker is left",
                lambda span=absence.span_s: self._leave_alone(span),
            )  # type: ignore[misc]
        for at_s, span_s in trouble.jumps:
            self._at(timedelta(seconds=at_s), "the wall clock is set", lambda span=span_s: self._jump(span))  # type: ignore[misc]
        for call in self._script.calls:
            scene = Scene(call, CallId(new_id()))
            self.scenes.append(scene)
            self._at(timedelta(seconds=call.begins_s), "accept", lambda scene=scene: self._accept(scene))  # type: ignore[misc]

    def _jump(self, span_s: float) -> None:
        self._clock.jump(timedelta(seconds=span_s))

    def _flow(self, house: House) -> Flow:
        """``app/flow.py`` as far as money goes: what the other rooms do is written down where no crash loses it."""

        async def placed(tx: Tx, event: HoldPlaced) -> None:
            await self._note(tx, event.call_id, "placed")

        async def failed(tx: Tx, event: HoldFailed) -> None:
            await house.charges.on_call_ended(tx, self._ended(event.call_id, event.reason))
            await self._note(tx, event.call_id, event.reason)

        async def capped(tx: Tx, event: CapReached) -> None:
            await house.charges.on_call_ended(tx, self._ended(event.call_id, "cap_reached"))
            await self._note(tx, event.call_id, "cap_reached")

        async def settled(tx: Tx, event: ChargeSettled) -> None:
            await self._note(tx, event.call_id, "settled")

        return {
            HoldPlaced: (placed,),
            HoldFailed: (failed,),
            CapReached: (capped,),
            ChargeSettled: (settled,),
            PayoutAccountChanged: (),
            IntervalOpened: (house.meter.on_interval_opened,),
            IntervalClosed: (house.meter.on_interval_closed,),
            SessionClosed: (house.charges.on_session_closed,),
        }

    @staticmethod
    async def _note(tx: Tx, call_id: UUID, kind: str) -> None:
        connection = await tx.session.connection()
        await connection.exec_driver_sql(
            "INSERT INTO heard (call_id, kind, at) VALUES (%s, %s, %s)", (call_id, kind, tx.now)
        )

    def _ended(self, call_id: UUID, reason: str) -> CallEnded:
        return CallEnded(
            call_id=CallId(call_id),
            request_id=RequestId(call_id),
            question_id=QuestionId(call_id),
            customer_id=self.customer,
            consultant_id=self.consultant,
            reason=reason,
            went_live=True,
        )

    # ── the loop ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _go(self) -> None:
        last = self._clock.steady() + _LONGEST
        for _ in range(_MOST_STEPS):
            if self._violations:
                return
            self._begin_what_is_due()
            if await self._stage.step():
                continue
            await self._look()
            if self._begin_what_is_due():
                continue
            deadline, due = self._due()
            moment = self._next_moment(deadline, due)
            if moment is None:
                if not self._stage.actors:
                    return
                moment = self._clock.steady() + timedelta(seconds=1)
            if moment > last:
                break
            self._clock.reach(moment)
            await self._heal()
            self._tick(deadline, due)
        self._violations.append("it never comes to rest: " + ", ".join(actor.name for actor in self._stage.actors))

    def _begin_what_is_due(self) -> bool:
        begun = False
        while self._agenda and self._agenda[0][0] <= self._clock.steady():
            _, _, label, begin = heapq.heappop(self._agenda)
            self._stage.note(f"· {label}")
            begin()
            begun = True
        return self._start_jobs() or begun

    def _due(self) -> tuple[datetime | None, datetime | None]:
        """When the meter, and when the charges have something to look at, by the wall clock."""
        row: tuple[datetime | None, datetime | None] = self._studio.database.execute(_DUE).fetchone()
        return row

    def _next_moment(self, deadline: datetime | None, due: datetime | None) -> datetime | None:
        times = [self._agenda[0][0] if self._agenda else None, self._stage.next_wake()]
        if any(house.process.up for house in self._workers):
            times += [self._clock.steadily(deadline), self._clock.steadily(due)]
        return min((moment for moment in times if moment is not None), default=None)

    def _at(self, span: timedelta, label: str, begin: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._agenda, (self._clock.steady() + span, self._number, label, begin))

    async def _heal(self) -> None:
        """Once every call is over and closed, Stripe and the machines behave: what is left must now be finished."""
        if self._healed or not all(scene.over and scene.closed_at for scene in self.scenes):
            return
        ended = max(scene.closed_at for scene in self.scenes if scene.closed_at)
        if self._clock.now() - ended < timedelta(seconds=90):
            return
        self._healed = True
        self._stage.note("everything behaves again")
        await self._bank.behave()
        self._perils.crashes, self._perils.stall = 0, 0.0

    # ── processes ────────────────────────────────────────────────────────────────────────────────────────────

    def _leave_alone(self, span_s: float) -> None:
        self._down_s = span_s
        for house in self._up():
            self._stage.kill(house.process)
        self._down_s = self._script.trouble.down_s

    def _on_kill(self, process: Process) -> None:
        house = self._houses[process.name]
        self._ticking.discard(process.name)
        span = timedelta(seconds=self._down_s)
        if house is self._houses["web"]:
            self._back = self._clock.steady() + span
        self._at(span, f"{process.name} starts again", house.restart)

    def _up(self) -> list[House]:
        return [house for house in self._workers if house.process.up]

    def _tick(self, deadline: datetime | None, due: datetime | None) -> None:
        """The workers look at what is due (a tick at which nothing is due changes nothing, and is left out)."""
        now = self._clock.now()
        for house in self._up():
            name = house.process.name
            if name in self._ticking or (len(self._workers) > 1 and self._chance.random() < 0.6):
                continue
            looks: list[tuple[str, Work]] = []
            if deadline is not None and deadline <= now:
                looks.append(("meter", lambda house=house: house.meter.run_due(house.db)))  # type: ignore[misc]
            if due is not None and due <= now:
                looks.append(("charges", lambda house=house: house.charges.run_due(house.db)))  # type: ignore[misc]
            for label, look in looks:
                self._ticking.add(name)
                self._stage.spawn(f"tick {label}", house.process, look, self._ticked)

    def _ticked(self, actor: Actor) -> None:
        if not any(other.process is actor.process and other.name.startswith("tick") for other in self._stage.actors):
            self._ticking.discard(actor.process.name)
        self._check(actor)

    def _check(self, actor: Actor) -> None:
        if actor.error is not None:
            self._violations.append(f"{actor.name} failed: {actor.error!r}")

    # ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_jobs(self) -> None:
        taken = self._studio.database.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING id, task_name, args"
        )
        self._jobs += sorted(_Job(*row) for row in taken)

    def _start_jobs(self) -> bool:
        begun = False
        for house in self._up():
            running = sum(
                actor.process is house.process and actor.name.startswith("job") for actor in self._stage.actors
            )
            while self._jobs and running < _AT_ONCE:
                self._start(house, self._jobs.pop(self._chance.randrange(len(self._jobs))))
                running += 1
                begun = True
        return begun

    def _start(self, house: House, job: _Job) -> None:
        task = house.queue.tasks[job.name]

        def after(actor: Actor) -> None:
            if actor.crashed:  # a killed worker's jobs are given to another once its heart is not heard
                self._at(timedelta(seconds=8), f"job {job.name} is rescued", lambda: self._jobs.append(job))
            elif actor.error is not None and task.again:
                self._at(_RETRY, f"job {job.name} again", lambda: self._jobs.append(job))
            else:
                self._check(actor)
            self._take_jobs()

        name = f"job {job.name.removeprefix('billing.')} {max(job.arguments.values())[:8]}"
        self._stage.spawn(name, house.process, lambda: task.run(**job.arguments), after)

    # ── requests ─────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(
        self, label: str, work: Work, *, then: Callable[[], None] | None = None, no: Callable[[], None] | None = None
    ) -> None:
        """Have ``web`` do something; whoever asked asks again when it was killed meanwhile."""
        house = self._houses["web"]

        def again() -> None:
            self._ask(label, work, then=then, no=no)

        def after(actor: Actor) -> None:
            if actor.crashed:
                self._at(_RETRY, f"{label} again", again)
            elif isinstance(actor.error, Refused | Conflict | NotFound | Upstream) and no is not None:
                no()
            elif actor.error is not None:
                self._check(actor)
            elif then is not None:
                then()
            self._take_jobs()

        if not house.process.up:
            self._at(self._back - self._clock.steady() + _RETRY, f"{label} again", again)
            return
        if sum(actor.process is house.process for actor in self._stage.actors) >= _AT_THE_DOOR:
            self._at(_QUEUE, f"{label} waits", again)  # more would wait for a connection of the pool
            return
        self._stage.spawn(label, house.process, work, after)

    async def _look(self) -> None:
        """What people and machines outside see now: events of Stripe, the bank's question, what was announced."""
        self._take_jobs()
        rows = self._studio.database.execute(
            "SELECT id, call_id, kind FROM heard WHERE id > %s ORDER BY id", (self._heard,)
        ).fetchall()
        for number, call_id, kind in rows:
            self._heard = number
            self._on_heard(next(scene for scene in self.scenes if scene.call_id == call_id), kind)
        if any(self._secure(scene) for scene in self.scenes):
            self._answer_the_bank()
        if self._script.trouble.webhooks:
            await self._post_events()

    @staticmethod
    def _secure(scene: Scene) -> bool:
        cards = [scene.script.card, *(step.card for step in scene.script.steps if isinstance(step, Extend))]
        return any(card.customer for card in cards)

    # ── a call ───────────────────────────────────────────────────────────────────────────────────────────────

    def _accept(self, scene: Scene) -> None:
        scene.opened_at = self._clock.now()
        script = scene.script
        event = CallOpened(
            call_id=scene.call_id,
            reference=f"CC-{scene.call_id}",
            request_id=RequestId(scene.call_id),
            question_id=QuestionId(scene.call_id),
            customer_id=self.customer,
            consultant_id=self.consultant,
            rate_minor_per_hour=script.rate_minor_per_hour,
            max_rate_minor_per_hour=script.rate_minor_per_hour,
            currency=script.currency,
            cap_minor=script.cap_minor,
            terms_version="2026-1",
            consented_at_iso=self._clock.now().isoformat(),
        )
        house = self._houses["web"]

        async def accept() -> None:
            method = await self._bank.card(self._customer_id, script.card.token)
            async with house.db.begin() as tx:
                await self._use(tx, method)
                await house.charges.on_call_opened(tx, event)

        def leave() -> None:
            self._leave(scene, "customer_left")

        def opened() -> None:
            if script.leaves_after_s is not None:
                self._at(timedelta(seconds=script.leaves_after_s), "the customer leaves", leave)

        self._ask("accept", accept, then=opened)

    async def _use(self, tx: Tx, method: str) -> None:
        """The card that this, and whatever comes later, is paid with."""
        connection = await tx.session.connection()
        await connection.exec_driver_sql(
            "UPDATE customer_payment SET payment_method_id = %s WHERE user_id = %s", (method, self.customer)
        )

    def _on_heard(self, scene: Scene, kind: str) -> None:
        if kind == "placed" and scene.node is None and not scene.over:
            self._at(timedelta(seconds=1), "both may join", lambda: self._begin_media(scene))
        elif kind not in {"placed", "settled"} and not scene.over:
            scene.because = kind
            self._finish_media(scene)

    def _begin_media(self, scene: Scene) -> None:
        if scene.over:
            return
        script = scene.script
        node = scene.node = Node(scene.call_id, script, self._clock.steady(), self._clock.now())
        for tick in node.moments():
            self._at(node.moment(tick) - self._clock.steady(), "media", lambda tick=tick: self._observe(scene, tick))  # type: ignore[misc]
        nobody = not any(script.presence.values()) or script.ends == 0
        leaves = _NO_SHOW if nobody else node.moment(script.ends) - self._clock.steady()
        why = "no_show" if nobody else "customer_left"
        self._at(leaves, "somebody leaves", lambda: self._leave(scene, why))
        for step in script.steps:
            self._at(timedelta(seconds=step.at_s), type(step).__name__, lambda step=step: self._step(scene, step))  # type: ignore[misc]

    def _step(self, scene: Scene, step: Extend | Lapse) -> None:
        if isinstance(step, Extend):
            key = new_id()
            for _ in range(step.clicks):
                self._extend(scene, step, key)
        else:
            self._stage.spawn("lapse", Process("bank"), lambda: self._lapse(scene), self._check)

    def _extend(self, scene: Scene, step: Extend, key: UUID) -> None:
        house = self._houses["web"]

        async def click() -> None:
            method = await self._bank.card(self._customer_id, step.card.token)
            async with house.db.begin() as tx:
                await self._use(tx, method)
                await house.charges.extend(tx, self.customer, scene.call_id, key)

        def counted() -> None:
            scene.clicks += 1

        self._ask("extend", click, then=counted, no=lambda: None)

    async def _lapse(self, scene: Scene) -> None:
        for intent in (await self._bank.call("GET", "/_sandbox/state")).get("payment_intent", []):
            if intent["status"] == "requires_capture" and intent["transfer_group"] == str(self._charge_id(scene)):
                await self._bank.call("POST", f"/_sandbox/lapse/{intent['id']}")
                scene.lapsed.append(intent["id"])

    def _charge_id(self, scene: Scene) -> UUID | None:
        row = self._studio.database.execute("SELECT id FROM charge WHERE call_id = %s", (scene.call_id,)).fetchone()
        return row[0] if row else None

    def _answer_the_bank(self) -> None:
        rows = self._studio.database.execute(
            "SELECT charge.call_id, hold.n, hold.provider_id FROM hold JOIN charge ON charge.id = charge_id "
            "WHERE hold.state = 'needs_action' AND customer_id = %s ORDER BY hold.created_at, hold.id",
            (self.customer,),
        ).fetchall()
        for call_id, n, intent in rows:
            scene = next(scene for scene in self.scenes if scene.call_id == call_id)
            if intent in scene.asked:
                continue
            scene.asked.add(intent)
            extensions = [step for step in scene.script.steps if isinstance(step, Extend)]
            card = scene.script.card if n == 1 else extensions[min(n - 2, len(extensions) - 1)].card
            says = card.customer or "succeeded"
            if says != "leaves":
                think = timedelta(seconds=self._chance.choice((1, 5, 40)))
                self._at(think, f"3-D Secure {says}", lambda s=scene, i=intent, o=says: self._say(s, i, o))  # type: ignore[misc]

    def _say(self, scene: Scene, intent: str, outcome: str) -> None:
        house = self._houses["web"]
        browser_returns = self._script.trouble.webhooks < 1 or self._chance.random() < 0.7

        async def say() -> None:
            await self._bank.call("POST", f"/_sandbox/authenticate/{intent}", {"outcome": outcome})
            if browser_returns:
                await house.charges.authenticated(house.db, self.customer, scene.call_id)

        self._ask("3-D Secure", say, no=lambda: None)

    # ── media ────────────────────────────────────────────────────────────────────────────────────────────────

    def _observe(self, scene: Scene, tick: int) -> None:
        if scene.node is not None:
            self._publish(scene, scene.node.advance(tick))

    def _leave(self, scene: Scene, reason: str) -> None:
        if scene.over:
            return
        house = self._houses["web"]

        async def leave() -> None:
            async with house.db.begin() as tx:
                await house.charges.on_call_ended(tx, self._ended(scene.call_id, reason))

        scene.because = scene.because or reason
        self._finish_media(scene, then=leave)

    def _finish_media(self, scene: Scene, *, then: Work | None = None) -> None:
        """The call is over: the node closes its books once its end is written down."""
        scene.over = True
        if scene.node is not None:
            node = scene.node
            events = node.end(min(node.tick(self._clock.steady()), scene.script.ends))
        else:
            events = []

        def close() -> None:
            self._publish(scene, [*events, SessionClosed(scene.call_id)])

        if then is None:
            close()
        else:
            self._ask("end", then, then=close)

    def _publish(self, scene: Scene, events: list[Event]) -> None:
        """The node writes in order, perhaps late; what it wrote is perhaps told once more."""
        scene.outbox += events
        if scene.outbox and not scene.publishing:
            scene.publishing = True
            late = self._chance.uniform(0, self._script.trouble.media_late_s)
            self._at(timedelta(seconds=late), "the node writes", lambda: self._write(scene))

    def _write(self, scene: Scene) -> None:
        events, house = [*scene.outbox], self._houses["web"]

        async def write() -> None:
            async with house.db.begin() as tx:
                for event in events:
                    await tx.publish(event)

        def written() -> None:
            scene.publishing = False
            del scene.outbox[: len(events)]
            if any(isinstance(event, SessionClosed) for event in events):
                scene.closed_at = self._clock.now()
            if self._chance.random() < self._script.trouble.media_twice:
                twice = timedelta(seconds=self._chance.choice((0, 1, 30, 4_000)))
                self._at(twice, "media told again", lambda: self._ask("media again", write))
            self._publish(scene, [])

        self._ask("media", write, then=written)

    # ── webhooks ─────────────────────────────────────────────────────────────────────────────────────────────

    async def _post_events(self) -> None:
        trouble = self._script.trouble
        for event in await self._bank.new_events():
            if not event["type"].startswith(_SUBSCRIBED) or self._chance.random() >= trouble.webhooks:
                continue
            copies = trouble.copies if trouble.exactly else self._chance.randint(1, trouble.copies)
            for _ in range(copies):
                late = timedelta(seconds=self._chance.uniform(0, trouble.late_s))
                self._at(late, f"webhook {event['type']}", lambda event=event: self._deliver(event))  # type: ignore[misc]

    def _deliver(self, event: dict[str, Any]) -> None:
        house = self._houses["web"]

        async def receive() -> None:
            raw, signature = self._bank.letter(event)
            async with house.db.begin() as tx:
                await house.webhooks.receive(tx, raw, signature)
            self.delivered += 1

        self._ask(f"webhook {event['type']}", receive)

    # ── after ────────────────────────────────────────────────────────────────────────────────────────────────

    async def _judge(self) -> int:
        captured = 0
        for number, scene in enumerate(self.scenes):
            found = await gather(self._studio.database, self._bank, scene.call_id)
            if found is None:
                self._violations.append(f"call {number}: there is no charge")
                continue
            assert scene.opened_at is not None
            ended = None if scene.node is None else scene.node.ended
            story = Story(scene.opened_at, ended, scene.because, scene.closed_at, tuple(scene.lapsed), scene.clicks)
            self.found, self.story = found, story
            self._violations += [
                f"call {number}: {wrong}" for wrong in judge(scene.script, self._script.trouble, story, found)
            ]
            captured += found.charge["captured_minor"]
        return captured


def describe(script: Script) -> str:
    """The script in a few lines, for who reads a trace."""
    calls = [f"  call: {call}\n    ends after {call.ends / TICKS:.3f} s" for call in script.calls]
    return f"seed {script.seed}\n  {script.trouble}\n" + "\n".join(calls)
