"""The play: makes a script happen to the real code, one boundary at a time, until nothing is left to do."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from billing.events import CapReached, ChargeSettled, HoldDeferred, HoldFailed, HoldPlaced, PayoutAccountChanged
from core.db import Tx
from core.events import Flow
from core.ids import CallId, new_id
from media.events import IntervalClosed, IntervalOpened, SessionClosed
from tests.simulation.entropy import seeded
from tests.simulation.evidence import Account, Found, Part, Played, Story, gather, gather_account
from tests.simulation.house import House
from tests.simulation.later import Office
from tests.simulation.later_oracle import judge_account
from tests.simulation.media import Media
from tests.simulation.oracle import judge
from tests.simulation.people import People
from tests.simulation.script import TICKS, Script
from tests.simulation.stage import Stuck
from tests.simulation.studio import Studio
from tests.simulation.workers import Workers
from tests.simulation.world import Scene, World

_LONGEST = timedelta(days=20)
_MOST_STEPS = 60_000
_HEALS_AFTER = timedelta(seconds=90)
_SUBSCRIBED = ("payment_intent.", "charge.", "refund.")
# Late holds are switched on: whose hold comes late is then a matter of their record.
_TERMS = (
    "INSERT INTO house_terms (version, late_hold, review_window_s, reason, set_by, set_at) "
    "SELECT coalesce(max(version), 0) + 1, true, %s, 'simulated', gen_random_uuid(), %s FROM house_terms"
)
# What the house owes for promises it missed on other days.
_OWED = (
    "INSERT INTO credit (id, customer_id, amount_minor, currency, granted_at) "
    "VALUES (gen_random_uuid(), %s, %s, %s, %s)"
)
# A trusted customer's record: three calls paid for, long ago.
_PAID = (
    "INSERT INTO charge (id, call_id, reference, customer_id, consultant_id, created_at, currency, "
    "rate_minor_per_hour, policy, policy_version, threshold_ms, commission_bps, tax_mode, tax_rate_bps, "
    "snapshot_cap_minor, terms_version, consented_at, state, cap_minor, marked_ms, captured_minor) "
    "SELECT gen_random_uuid(), gen_random_uuid(), n::text, %(customer)s, %(consultant)s, %(at)s, 'eur', 9000, "
    "'whole_call', '2026-1', 600000, 1500, 'inclusive', 1900, 4500, '2026-1', %(at)s, 'captured', 4500, 0, 1650 "
    "FROM generate_series(1, 3) n"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to; no violations is as it should be."""

    violations: list[str]
    trace: list[str]
    captured: int
    calls: int


class Play:
    """One seed on a studio. ``found`` and ``story`` are those of its last call, ``delivered`` counts webhooks."""

    def __init__(self, script: Script, studio: Studio) -> None:
        self.script = script
        self._studio = studio
        self._heard = 0
        self._healed = False
        self.delivered = 0
        self.found: Found | None = None
        self.story: Story | None = None
        self.account: Account | None = None
        self.deeds: list[Played] = []

    async def run(self) -> Outcome:
        """Play it to its end and judge it."""
        self._studio.clock.reset()
        with seeded(self.script.seed, self._studio.clock):
            world = self._world = World(self.script, self._studio)
            self._workers, media = Workers(world), Media(world)
            self._people = People(world, media)
            self._office = Office(world, self._people.accept)
            captured = 0
            await world.bank.open()
            try:
                await self._prepare(media)
                self._studio.boundaries.stage = world.stage
                await self._go()
                captured = await self._judge()
            except Stuck as error:
                world.violations.append(f"stuck: {error}")
            finally:
                self._studio.boundaries.stage = None
                await world.stage.close()
                await world.bank.close()
        return Outcome(world.violations, world.stage.trace, captured, len(world.scenes))

    async def _prepare(self, media: Media) -> None:
        world, trouble = self._world, self.script.trouble
        world.customer_id = await world.bank.customer()
        account, now = await world.bank.consultant(), world.clock.now()
        world.account = account
        world.database.execute(
            "INSERT INTO customer_payment (user_id, provider_customer_id, updated_at) VALUES (%s, %s, %s)",
            (world.customer, world.customer_id, now),
        )
        world.database.execute(
            "INSERT INTO payout_account (user_id, provider_account_id, can_receive, updated_at) "
            "VALUES (%s, %s, true, %s)",
            (world.consultant, account, now),
        )
        world.database.execute(_TERMS, (self.script.calls[0].review_s, now))
        if any(call.late for call in self.script.calls):
            world.database.execute(_PAID, {"customer": world.customer, "consultant": world.consultant, "at": now})
        for call in self.script.calls:
            for days, amount in enumerate(call.owed, start=1):
                granted_at = now - timedelta(days=days)
                world.database.execute(_OWED, (world.customer, amount, call.currency, granted_at))
        await world.bank.new_events()
        self._heard = world.database.execute("SELECT coalesce(max(id), 0) FROM heard").fetchone()[0]  # type: ignore[index]
        for house in world.houses.values():
            house.start(world.bank, self.script.calls[0].policy, self._flow, media.observed_ms)
        for rule in trouble.rules:
            await world.bank.misbehave(rule.kind, rule.operation, rule.times)
        for outage in trouble.outages:
            begin = world.clock.steady() + timedelta(seconds=outage.at_s)
            world.bank.outages.append((begin, begin + timedelta(seconds=outage.span_s)))
        for absence in trouble.absences:
            leave = partial(world.leave_alone, absence.span_s)
            world.at(timedelta(seconds=absence.at_s), "no worker is left", leave)
        for at_s, span_s in trouble.jumps:
            world.at(timedelta(seconds=at_s), "the wall clock is set", partial(world.jump, span_s))
        for call in self.script.calls:
            scene = Scene(call, CallId(new_id()))
            world.scenes.append(scene)
            world.at(timedelta(seconds=call.begins_s), "accept", partial(self._people.accept, scene))

    def _flow(self, house: House) -> Flow:
        """``app/flow.py`` as far as money goes: what the other rooms do is written down where no crash loses it."""
        world = self._world

        async def placed(tx: Tx, event: HoldPlaced | HoldDeferred) -> None:
            await world.note(tx, event.call_id, "placed")

        async def failed(tx: Tx, event: HoldFailed) -> None:
            await house.charges.on_call_ended(tx, world.ended(event.call_id, event.reason))
            await world.note(tx, event.call_id, event.reason)

        async def capped(tx: Tx, event: CapReached) -> None:
            await house.charges.on_call_ended(tx, world.ended(event.call_id, "cap_reached"))
            await world.note(tx, event.call_id, "cap_reached")

        async def settled(tx: Tx, event: ChargeSettled) -> None:
            await world.note(tx, event.call_id, "settled")

        return {
            HoldPlaced: (placed,),
            HoldDeferred: (placed,),
            HoldFailed: (failed,),
            CapReached: (capped,),
            ChargeSettled: (settled,),
            PayoutAccountChanged: (),
            IntervalOpened: (house.meter.on_interval_opened,),
            IntervalClosed: (house.meter.on_interval_closed,),
            SessionClosed: (house.charges.on_session_closed,),
        }

    async def _go(self) -> None:
        world, workers = self._world, self._workers
        last = world.clock.steady() + _LONGEST
        for _ in range(_MOST_STEPS):
            if world.violations:
                return
            actors = len(world.stage.actors)
            self._begin()
            if await world.stage.step():
                if len(world.stage.actors) < actors:
                    workers.take_jobs()
                continue
            await self._look()
            if self._begin():
                continue
            due = workers.due()
            times = [world.next_on_agenda(), world.stage.next_wake(), *workers.next_look(due)]
            moment = min((moment for moment in times if moment is not None), default=None)
            if moment is None and not world.stage.actors:
                if not self._office.waits:
                    return
                self._office.begin()
                last = world.clock.steady() + _LONGEST
                continue
            moment = moment or world.clock.steady() + timedelta(seconds=1)
            if moment > last:
                break
            world.clock.reach(moment)
            await self._heal()
            workers.tick(due)
        names = ", ".join(actor.name for actor in world.stage.actors)
        world.violations.append(f"it never comes to rest: {names}")

    def _begin(self) -> bool:
        begun = self._world.begin_due()
        return self._workers.start_jobs() or begun

    async def _look(self) -> None:
        """What people and machines outside see now: jobs, what was announced, the bank's question, Stripe's events."""
        world = self._world
        self._workers.take_jobs()
        heard = world.database.execute(
            "SELECT id, call_id, kind FROM heard WHERE id > %s ORDER BY id", (self._heard,)
        ).fetchall()
        for number, call_id, kind in heard:
            self._heard = number
            self._people.hear(world.scene(call_id), kind)
            if kind == "settled" and self._office.at_once:
                self._office.begin()
        self._people.answer_the_bank()
        if world.trouble.webhooks or self._office.begun:
            await self._post_events()

    async def _post_events(self) -> None:
        """Stripe posts its events: some never, some more than once, in any order."""
        world, trouble = self._world, self._world.trouble
        for event in await world.bank.new_events():
            if self._office.begun and self._office.takes(event):
                for after_s in self._office.deliveries_s():
                    late = timedelta(seconds=after_s)
                    world.at(late, f"webhook {event['type']}", partial(self._deliver, event))
                continue
            if (
                not trouble.webhooks
                or not event["type"].startswith(_SUBSCRIBED)
                or world.chance.random() >= trouble.webhooks
            ):
                continue
            copies = trouble.copies if trouble.exactly else world.chance.randint(1, trouble.copies)
            for _ in range(copies):
                late = timedelta(seconds=world.chance.uniform(0, trouble.late_s))
                world.at(late, f"webhook {event['type']}", partial(self._deliver, event))

    def _deliver(self, event: dict[str, Any]) -> None:
        web = self._world.web

        async def receive() -> None:
            raw, signature = self._world.bank.letter(event)
            async with web.db.begin() as tx:
                await web.webhooks.receive(tx, raw, signature)
            self.delivered += 1

        self._world.ask(f"webhook {event['type']}", receive)

    async def _heal(self) -> None:
        """Once every call is over and closed, Stripe and the machines behave: what is left must now be finished."""
        world = self._world
        last = [scene.last() for scene in world.scenes]
        closed = [scene.closed_at for scene in last if scene.over and not scene.awaits and scene.closed_at is not None]
        if (
            self._healed
            or self._office.begun
            or len(closed) < len(world.scenes)
            or world.clock.now() - max(closed) < _HEALS_AFTER
        ):
            return
        self._healed = True
        world.stage.note("everything behaves again")
        await world.bank.behave()
        world.perils.crashes, world.perils.stall = 0, 0.0

    async def _judge(self) -> int:
        captured, world, office = 0, self._world, self._office
        gathered: list[Found] = []
        self.deeds = office.played
        worse = world.trouble if world.script.later is None else world.trouble.with_more(world.script.later.trouble)
        for number, scene in enumerate(world.scenes):
            calls = [one.call_id for one in scene.chain()]
            found = await gather(world.database, world.bank, scene.call_id, calls)
            if found is None or scene.opened_at is None:
                world.violations.append(f"call {number}: there is no charge")
                continue
            ended = None if scene.node is None else scene.node.ended
            story = Story(
                opened_at=scene.opened_at,
                began_at=None if scene.node is None else scene.node.moment(0),
                ended_tick=ended,
                ended_because=scene.because,
                closed_at=scene.closed_at,
                lapsed=tuple(scene.lapsed),
                clicks=scene.clicks,
                later=tuple(played for played in office.played if played.call_id == scene.call_id),
                paid_out=any(played.payouts for played in office.played),
                parts=tuple(_part(world, one) for one in scene.chain() if one is scene or one.node is not None),
            )
            self.found, self.story = found, story
            gathered.append(found)
            meanwhile = scene.further or (world.script.later is not None and world.script.later.at_once)
            wrong = judge(scene.script, worse if meanwhile else world.trouble, story, found)
            world.violations += [f"call {number}: {line}" for line in wrong]
            captured += found.charge["captured_minor"]
        if len(gathered) == len(world.scenes):
            self.account = await gather_account(world.database, world.bank, world.consultant, world.account, gathered)
            world.violations += judge_account(office.played, self.account)
        return captured


def _part(world: World, scene: Scene) -> Part:
    """What became of one call of a chain, as the other rooms wrote it down."""
    rows = world.database.execute("SELECT kind, min(at) FROM heard WHERE call_id = %s GROUP BY kind", (scene.call_id,))
    told = dict(rows.fetchall())
    return Part(
        script=scene.script,
        began_at=told.get("continued"),
        ended_at=told.get("ended"),
        media_at=None if scene.node is None else scene.node.moment(0),
        ended_tick=None if scene.node is None else scene.node.ended,
        ended_because=scene.because,
        closed_at=scene.closed_at,
        given_up_at=told.get("given_up"),
        refusals=tuple(scene.refusals),
    )


def describe(script: Script) -> str:
    """The script in a few lines, for who reads a trace."""
    calls = [f"  call: {call}\n    ends after {call.ends / TICKS:.3f} s" for call in script.calls]
    return f"seed {script.seed}\n  {script.trouble}\n" + "\n".join(calls)
