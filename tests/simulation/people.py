"""The people of a play: they accept, join, leave, extend, and answer their bank.

A new kind of step is a class in ``script``, a function in ``ACTS`` below, and a rule in ``oracle``.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from core.db import Tx
from core.ids import QuestionId, RequestId, new_id
from signaling.events import CallOpened
from tests.simulation.media import Media
from tests.simulation.rescue import Rescues
from tests.simulation.script import Card, Extend, Lapse
from tests.simulation.stage import Process
from tests.simulation.world import Scene, World

_NO_SHOW = timedelta(seconds=60)
_SECURE_S = 60.0  # a webhook at most so late comes before the two minutes for 3-D Secure are over
_SAVE = (
    "INSERT INTO saved_card (payment_method_id, user_id, brand, last4, exp_month, exp_year, added_at) "
    "VALUES (%s, %s, 'visa', '4242', 12, 2039, %s)"
)
_USE = "UPDATE customer_payment SET payment_method_id = %s WHERE user_id = %s"
_ASKED = (
    "SELECT charge.call_id, hold.provider_id, command.params ->> 'payment_method_id' FROM hold "
    "JOIN charge ON charge.id = hold.charge_id JOIN command ON command.hold_id = hold.id AND command.kind = 'create' "
    "WHERE hold.state = 'needs_action' AND customer_id = %s ORDER BY hold.created_at, hold.id"
)


class People:
    """A customer and a consultant, in one call or in two."""

    def __init__(self, world: World, media: Media) -> None:
        self._world = world
        self._media = media
        self._rescues = Rescues(world)

    def accept(self, scene: Scene) -> None:
        """The consultant accepts."""
        world, script = self._world, scene.script
        scene.opened_at = world.clock.now()
        event = CallOpened(
            call_id=scene.call_id,
            reference=f"CC-{scene.call_id}",
            request_id=RequestId(scene.call_id),
            question_id=QuestionId(scene.call_id),
            customer_id=world.customer,
            consultant_id=world.consultant,
            rate_minor_per_hour=script.rate_minor_per_hour,
            max_rate_minor_per_hour=script.rate_minor_per_hour,
            currency=script.currency,
            cap_minor=script.cap_minor,
            terms_version="2026-1",
            consented_at_iso=world.clock.now().isoformat(),
        )

        async def accept() -> None:
            method = await _save(world, script.card)
            async with world.web.db.begin() as tx:
                await _use(tx, world, method)
                await world.web.charges.on_call_opened(tx, event)
                await world.web.rescues.on_call_opened(tx, event)

        def opened() -> None:
            if script.leaves_after_s is not None:
                leave = partial(self._leave, scene, "customer_left")
                world.at(timedelta(seconds=script.leaves_after_s), "the customer leaves", leave)

        world.ask("accept", accept, then=opened)

    def hear(self, scene: Scene, kind: str) -> None:
        """What billing announced: the hold stands, or the call is ended."""
        if kind == "ended":
            self._rescues.lost(scene)
        elif kind in {"placed", "continued"} and scene.node is None and not scene.over:
            self._world.at(timedelta(seconds=1), "both may join", partial(self._join, scene))
        elif kind not in {"placed", "continued", "given_up", "settled"} and not scene.over:
            scene.because = kind
            self._media.finish(scene)

    def answer_the_bank(self) -> None:
        """Whoever is asked by their bank does what the script says."""
        world = self._world
        if not any(_secure(scene) for scene in world.scenes):
            return
        for call_id, intent, method in world.database.execute(_ASKED, (world.customer,)).fetchall():
            scene = world.scene(call_id)
            if intent in scene.asked:
                continue
            scene.asked.add(intent)
            says = world.cards[method].customer or "succeeded"
            if says != "leaves":
                think = timedelta(seconds=world.chance.choice((1, 5, 40)))
                world.at(think, f"3-D Secure {says}", partial(self._say, scene, intent, says))

    def _join(self, scene: Scene) -> None:
        if scene.over:
            return
        world, script = self._world, scene.script
        self._media.begin(scene)
        assert scene.node is not None
        nobody = not any(script.presence.values()) or script.ends == 0
        leaves = _NO_SHOW if nobody else scene.node.moment(script.ends) - world.clock.steady()
        why = "no_show" if nobody else "connection_lost" if script.lost else "customer_left"
        world.at(leaves, "somebody leaves", partial(self._leave, scene, why))
        for step in script.steps:
            act = partial(ACTS[type(step)], world, scene, step)
            world.at(timedelta(seconds=step.at_s), type(step).__name__, act)

    def _leave(self, scene: Scene, reason: str) -> None:
        if scene.over:
            return
        world = self._world

        async def leave() -> None:
            async with world.web.db.begin() as tx:
                await world.web.charges.on_call_ended(tx, world.ended(scene.call_id, reason))
                await world.note(tx, scene.call_id, "ended")

        scene.because = reason
        self._media.finish(scene, first=leave)

    def _say(self, scene: Scene, intent: str, outcome: str) -> None:
        world = self._world
        # Some close the page at once, and then Stripe's webhook tells of it. When that comes late nobody knows before
        # the two minutes are over, and nobody is there to talk to: the call is given up, as it should be.
        told_in_time = world.trouble.late_s < _SECURE_S
        browser_returns = world.trouble.webhooks < 1 or world.chance.random() < 0.7 or not told_in_time

        async def say() -> None:
            await world.bank.call("POST", f"/_sandbox/authenticate/{intent}", {"outcome": outcome})
            if browser_returns:
                await world.web.charges.authenticated(world.web.db, world.customer, scene.call_id)

        world.ask("3-D Secure", say, no=_shrug)


async def _save(world: World, card: Card) -> str:
    """A new card at Stripe; its id."""
    method = await world.bank.card(world.customer_id, card.token)
    world.cards[method] = card
    return method


async def _use(tx: Tx, world: World, method: str) -> None:
    """A new card, which this and whatever comes later is paid with."""
    await world.execute(tx, _SAVE, method, world.customer, tx.now)
    await world.execute(tx, _USE, method, world.customer)


def _secure(scene: Scene) -> bool:
    cards = [scene.script.card, *(step.card for step in scene.script.steps if isinstance(step, Extend))]
    return any(card is not None and card.customer for card in cards)


def _shrug() -> None:
    """They are told no, and leave it at that."""


def _extend(world: World, scene: Scene, step: Extend) -> None:
    key = new_id()

    async def click() -> None:
        method = None if step.card is None else await _save(world, step.card)
        async with world.web.db.begin() as tx:
            if method is not None:
                await _use(tx, world, method)
            await world.web.charges.extend(tx, world.customer, scene.call_id, key)

    def counted() -> None:
        scene.clicks += 1

    for _ in range(step.clicks):
        world.ask("extend", click, then=counted, no=_shrug)


def _lapse(world: World, scene: Scene, _step: Lapse) -> None:
    async def lapse() -> None:
        charge = _charge_id(world, scene)
        for intent in (await world.bank.call("GET", "/_sandbox/state")).get("payment_intent", []):
            if intent["status"] == "requires_capture" and intent["transfer_group"] == str(charge):
                await world.bank.call("POST", f"/_sandbox/lapse/{intent['id']}")
                scene.lapsed.append(intent["id"])

    world.stage.spawn("lapse", Process("bank", ours=False), lapse, world.check)


def _charge_id(world: World, scene: Scene) -> UUID | None:
    row = world.database.execute("SELECT id FROM charge WHERE call_id = %s", (scene.call_id,)).fetchone()
    return row[0] if row else None


ACTS: dict[type, Callable[[World, Scene, Any], None]] = {Extend: _extend, Lapse: _lapse}
