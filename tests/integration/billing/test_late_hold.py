"""A trusted customer's hold is placed at 8:00; if it does not stand at 10:00 the call ends there and costs nothing."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from billing import house_terms
from billing.cards import CardInUse
from billing.charges import store
from billing.events import HoldFailed
from billing.metering.terms import LATE_HOLD_MS
from billing.reconciliation import recompute
from billing.reconciliation.difference import Difference
from billing.trust import record
from core.errors import Conflict
from core.ids import CallId, UserId, new_id
from media.events import IntervalClosed, IntervalOpened
from tests.integration.billing.room import Room

ADMIN = UserId(new_id())
SECOND = timedelta(seconds=1)


@pytest.fixture
async def trusted(room: Room) -> Room:
    """The setting is on, and this customer has paid for three calls."""
    await switch(room, on=True)
    for _ in range(3):
        call = await room.open()
        await room.talk(call, 660_000)
        await room.end(call)
    room.heard.clear()
    return room


async def switch(room: Room, *, on: bool, after: int = 0) -> None:
    async with room.db.begin() as tx:
        await house_terms.change(tx, ADMIN, after=after, late_hold=on, review_window_s=0, reason="tried out")


async def begin(room: Room) -> CallId:
    """A call that runs."""
    call = await room.open()
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(call, 0, room.clock.now()))
    return call


async def at(room: Room, call: CallId, ms: int) -> None:
    """Let the first interval come to ``ms`` and the worker look."""
    async with room.db.begin() as tx:
        query = text("SELECT started_at FROM billable_interval WHERE call_id = :call")
        started = await tx.session.scalar(query, {"call": call})
    assert started is not None
    room.clock.advance(started + timedelta(milliseconds=ms) - room.clock.now())
    await room.work()


async def finish(room: Room, call: CallId, ms: int) -> None:
    """Its books are closed at ``ms``."""
    async with room.db.begin() as tx:
        started = await tx.session.scalar(
            text("SELECT started_at FROM billable_interval WHERE call_id = :call"), {"call": call}
        )
        await room.meter.on_interval_closed(tx, IntervalClosed(call, 0, started, ms, "ended"))
    await room.end(call)


async def new_intents(room: Room, call: CallId) -> list[dict[str, object]]:
    charge = await room.charge(call)
    return [intent for intent in await room.intents() if intent["metadata"]["charge_id"] == str(charge.id)]


async def recomputed(room: Room) -> list[Difference]:
    """What the nightly recomputation finds."""
    async with room.db.begin() as tx:
        return (await recompute.differences(tx, tx.now - timedelta(days=30), tx.now + timedelta(days=1)))[1]


async def test_the_hold_is_placed_at_eight_minutes_and_the_call_is_paid_like_any_other(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    assert room.names() == ["HoldDeferred"]
    assert (await room.charge(call)).state == "metering"
    await at(room, call, 479_900)
    assert await new_intents(room, call) == []
    await at(room, call, LATE_HOLD_MS)
    [hold] = await room.holds(call)
    assert (hold.state, hold.amount_minor) == ("held", 4_500)
    charge = await room.charge(call)
    assert charge.secured_at == hold.held_at
    assert charge.cap_minor == 4_500
    await at(room, call, 660_000)
    await finish(room, call, 660_000)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 1_650)
    assert charge.policy_version == "2026-1.1"
    kinds = await room.kinds(call)
    order = ["trust_checked", "hold_deferred", "hold_due", "hold_requested", "hold_placed", "threshold_passed"]
    assert [kind for kind in kinds if kind in order] == order
    assert await recomputed(room) == []


@pytest.mark.parametrize("policy", ["whole_call", "after_threshold"])
async def test_a_refused_card_ends_the_call_at_ten_minutes_and_it_costs_nothing(trusted: Room, policy: str) -> None:
    room = trusted
    call = await begin(room)
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE charge SET policy = :p WHERE call_id = :c"), {"p": policy, "c": call})
    await room.sandbox.misbehave("decline", "payment_intents.confirm", decline_code="insufficient_funds")
    await at(room, call, LATE_HOLD_MS)
    assert [hold.state for hold in await room.holds(call)] == ["declined"]
    assert room.names() == ["HoldDeferred"], "the free minutes go on"
    await at(room, call, 599_999)
    assert room.names() == ["HoldDeferred"]
    await at(room, call, 600_000)
    missed = room.heard[-1]
    assert isinstance(missed, HoldFailed)
    assert missed.reason == "hold_missed"
    await finish(room, call, 600_700)
    charge = await room.charge(call)
    assert (charge.state, charge.gross_minor, charge.captured_minor) == ("released", 0, 0)
    assert charge.close_reason == "hold_missed"
    assert "threshold_passed" not in await room.kinds(call)
    assert await cases(room, charge.id) == []
    assert await recomputed(room) == []
    await room.sandbox.behave()
    async with room.db.begin() as tx:
        known = await record.of_customer(tx, room.customer)
    assert (known.paid_calls, known.declined, known.hold_missed) == (3, 1, 1)
    after = await room.open()
    assert [hold.state for hold in await room.holds(after)] == ["held"], "trust is lost: the next hold comes at accept"


async def cases(room: Room, charge_id: UUID) -> list[str]:
    async with room.db.begin() as tx:
        found = await tx.session.scalars(text("SELECT kind FROM billing_case WHERE charge_id = :c"), {"c": charge_id})
        return list(found)


async def test_three_d_secure_answered_during_the_call_is_in_time(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    await at(room, call, LATE_HOLD_MS)
    async with room.db.begin() as tx:
        seen = await room.meter.view_of(tx, room.customer, call)
    assert seen.authenticate is not None
    assert seen.late_hold is not None
    assert seen.late_hold.state == "asked"
    await at(room, call, 599_000)
    [intent] = await new_intents(room, call)
    await room.sandbox.authenticate(str(intent["id"]))
    await room.charges.authenticated(room.db, room.customer, call)
    await at(room, call, 700_000)
    assert room.names() == ["HoldDeferred"]
    await finish(room, call, 700_000)
    assert (await room.charge(call)).captured_minor == 1_750


async def test_three_d_secure_answered_after_ten_minutes_is_too_late_and_let_go(trusted: Room) -> None:
    """No worker looked meanwhile: the observed time decides, not who comes first."""
    room = trusted
    call = await begin(room)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    await at(room, call, LATE_HOLD_MS)
    room.clock.advance(timedelta(milliseconds=600_000 - LATE_HOLD_MS))
    [intent] = await new_intents(room, call)
    await room.sandbox.authenticate(str(intent["id"]))
    await room.charges.authenticated(room.db, room.customer, call)
    assert (await room.charge(call)).secured_at is None
    await room.work()
    assert isinstance(room.heard[-1], HoldFailed)
    await finish(room, call, 600_400)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("released", 0)
    assert [hold.state for hold in await room.holds(call)] == ["released"]
    assert [one["status"] for one in await new_intents(room, call)] == ["canceled"]
    kinds = await room.kinds(call)
    assert "hold_too_late" in kinds
    assert "hold_placed" not in kinds


async def test_three_d_secure_left_alone_ends_the_call_at_ten_minutes(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    await at(room, call, LATE_HOLD_MS)
    await at(room, call, 600_000)
    assert isinstance(room.heard[-1], HoldFailed)
    await finish(room, call, 600_000)
    assert (await room.charge(call)).captured_minor == 0
    assert [one["status"] for one in await new_intents(room, call)] == ["canceled"]


async def test_a_worker_that_was_away_between_asks_for_nothing_once_the_threshold_is_reached(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await at(room, call, 620_000)
    assert await room.holds(call) == []
    assert isinstance(room.heard[-1], HoldFailed)
    await finish(room, call, 620_000)
    assert (await room.charge(call)).state == "released"
    assert await new_intents(room, call) == []


async def test_a_worker_that_dies_after_asking_leaves_an_intent_row_that_the_next_one_sends(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    room.clock.advance(timedelta(milliseconds=LATE_HOLD_MS))
    await room.meter.run_due(room.db)  # and dies, with its job
    async with room.db.begin() as tx:
        await tx.session.execute(text("DELETE FROM procrastinate_jobs"))
    [hold] = await room.holds(call)
    async with room.db.begin() as tx:
        [create] = await store.commands(tx, hold.id)
    assert (create.state, create.key) == ("intended", f"pi:{hold.id}")
    assert await new_intents(room, call) == []
    await at(room, call, LATE_HOLD_MS + 12_000)
    assert len(await new_intents(room, call)) == 1
    assert (await room.charge(call)).secured_at is not None


@pytest.mark.parametrize("ms", [0, 300_000, 479_999])
async def test_a_call_that_ends_before_eight_minutes_makes_no_call_to_stripe(trusted: Room, ms: int) -> None:
    room = trusted
    call = await begin(room)
    await at(room, call, ms)
    await finish(room, call, ms)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("released", 0)
    assert await new_intents(room, call) == []
    assert await room.holds(call) == []


async def test_a_call_that_ends_between_eight_and_ten_minutes_releases_its_hold(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await at(room, call, 520_000)
    await finish(room, call, 520_000)
    assert (await room.charge(call)).state == "released"
    assert [one["status"] for one in await new_intents(room, call)] == ["canceled"]


async def test_it_is_extended_only_once_its_hold_stands(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    with pytest.raises(Conflict) as refused:
        async with room.db.begin() as tx:
            await room.charges.extend(tx, room.customer, call, new_id())
    assert refused.value.code == "hold_awaited"
    await at(room, call, 500_000)
    async with room.db.begin() as tx:
        await room.charges.extend(tx, room.customer, call, new_id())
    await room.work()
    assert (await room.charge(call)).cap_minor == 6_000


async def test_a_customer_nobody_knows_yet_gets_the_normal_hold(room: Room) -> None:
    await switch(room, on=True)
    call = await room.open()
    assert room.names() == ["HoldPlaced"]
    assert [hold.state for hold in await room.holds(call)] == ["held"]
    async with room.db.begin() as tx:
        assert await room.charges.late_hold_ms(tx, room.customer) is None
        query = text("SELECT details FROM charge_event WHERE kind = 'trust_checked'")
        details = await tx.session.scalar(query)
    assert details["doubts"] == ["few_paid_calls"]
    assert details["paid_calls"] == 0


async def test_switched_off_everybody_gets_the_normal_hold_and_running_calls_keep_theirs(trusted: Room) -> None:
    room = trusted
    async with room.db.begin() as tx:
        assert await room.charges.late_hold_ms(tx, room.customer) == LATE_HOLD_MS
    call = await begin(room)
    await switch(room, on=False, after=1)
    await at(room, call, LATE_HOLD_MS)
    assert (await room.charge(call)).secured_at is not None
    await finish(room, call, LATE_HOLD_MS)
    room.heard.clear()
    await room.open()
    assert room.names() == ["HoldPlaced"]


async def test_two_admins_do_not_overwrite_each_other(room: Room) -> None:
    await switch(room, on=True)
    with pytest.raises(Conflict):
        await switch(room, on=True)


async def test_a_pause_does_not_use_up_the_time_to_confirm(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    await at(room, call, 500_000)
    async with room.db.begin() as tx:
        started = room.clock.now() - timedelta(milliseconds=500_000)
        await room.meter.on_interval_closed(tx, IntervalClosed(call, 0, started, 500_000, "paused"))
    room.clock.advance(timedelta(minutes=20))
    await room.work()
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(call, 1, room.clock.now()))
    room.clock.advance(SECOND)
    [intent] = await new_intents(room, call)
    await room.sandbox.authenticate(str(intent["id"]))
    await room.charges.authenticated(room.db, room.customer, call)
    assert (await room.charge(call)).secured_at is not None


@pytest.mark.parametrize(("reason", "counts"), [("quality", 0), ("customer_request", 1)])
async def test_money_given_back_for_the_asking_counts_what_we_did_wrong_does_not(
    trusted: Room, reason: str, counts: int
) -> None:
    room = trusted
    call = await room.open()
    assert room.names() == ["HoldDeferred"]
    await room.end(call)
    async with room.db.begin() as tx:
        paid = await tx.session.scalar(text("SELECT id FROM charge WHERE state = 'captured' LIMIT 1"))
        assert isinstance(paid, UUID)
        await room.refunds.request(
            tx, paid, amount_minor=100, reason=reason, note="as they said", key=f"test:{reason}", by=ADMIN
        )
    await room.work()
    async with room.db.begin() as tx:
        assert (await record.of_customer(tx, room.customer)).given_back == counts
        assert (await room.charges.late_hold_ms(tx, room.customer) is None) == bool(counts)


async def test_no_card_is_removed_while_the_hold_is_still_to_come(trusted: Room) -> None:
    room = trusted
    call = await begin(room)
    await at(room, call, LATE_HOLD_MS - 1_000)
    async with room.db.begin() as tx:
        [card] = await room.cards.cards(tx, room.customer)
        with pytest.raises(CardInUse):
            await room.cards.remove(tx, room.customer, card.payment_method_id)
    await at(room, call, LATE_HOLD_MS)
    await at(room, call, 660_000)
    await finish(room, call, 660_000)
    assert (await room.charge(call)).captured_minor == 1_650
    async with room.db.begin() as tx:
        assert await room.cards.remove(tx, room.customer, card.payment_method_id) == []
