"""A lost call waits for both to come back: one charge over the chain, settled when nobody will (decisions 2)."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from billing import timeline
from billing.charges import calls, store, waiting
from billing.charges.rescue import RescueOver
from billing.events import CapReached
from billing.metering.view import MeterView
from billing.proof.document import Story
from billing.proof.service import ProofService
from billing.proof.signing import ReceiptSigner
from billing.proof.verifier import verify
from billing.receipts import ReceiptService
from billing.reconciliation.recompute import differences
from core.errors import Conflict, NotFound
from core.ids import CallId, UserId, new_id
from media.events import IntervalClosed, IntervalOpened, SessionClosed
from people.events import AccessRevoked, UserBlocked
from tests.integration.billing.room import Room
from tests.integration.billing.test_review import damage

MINUTE_MS = 60_000
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
_UNPAID = text("UPDATE payout_account SET can_receive = false WHERE user_id = :user")
_FADING = text("UPDATE hold SET capture_before = :at WHERE id = :hold")
_A_CENT = text("UPDATE charge SET gross_minor = gross_minor + 1, net_minor = net_minor + 1 WHERE call_id = :call")


async def lost(room: Room, ms: int, **terms: int) -> CallId:
    """A call that was connected for so long and then lost for good."""
    call = await room.open(**terms)
    await room.talk(call, ms, n=1, cause="customer_unseen")
    room.clock.advance(timedelta(seconds=90))
    await room.end(call, "connection_lost")
    return call


async def _meter(room: Room, call: CallId) -> MeterView:
    async with room.db.begin() as tx:
        return await room.meter.view_of(tx, room.customer, call)


async def _recomputed(room: Room) -> list[tuple[str, int, int]]:
    """What the nightly recomputation, which shares nothing with the meter, finds wrong."""
    now = room.clock.now()
    async with room.db.begin() as tx:
        count, found = await differences(tx, now - timedelta(days=1), now + timedelta(days=1))
    assert count == 1
    return [(one.figure, one.stored, one.computed) for one in found]


async def window_over(room: Room) -> None:
    room.clock.advance(timedelta(minutes=10))
    await room.work()


async def test_both_parts_together_pass_the_threshold(room: Room) -> None:
    first = await lost(room, 6 * MINUTE_MS)
    room.clock.advance(timedelta(minutes=4))
    second = await room.come_back(first)
    meter = await _meter(room, second)
    assert (meter.connected_ms, meter.charge_state, meter.returns_until) == (6 * MINUTE_MS, "metering", None)
    await room.talk(second, 5 * MINUTE_MS, n=1)
    await room.end(second)
    charge = await room.charge(second)
    assert charge.call_id == first
    assert (await room.charge(first)).id == charge.id
    assert (charge.state, charge.connected_ms, charge.captured_minor) == ("captured", 11 * MINUTE_MS, 1_650)
    assert len(await room.intents()) == 1, "nothing is held anew"
    kinds = await room.kinds(first)
    assert kinds.index("rescue_open") < kinds.index("call_continued") < kinds.index("threshold_passed")
    assert await _recomputed(room) == []


async def test_nobody_comes_back_and_it_is_settled_after_the_window(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    charge = await room.charge(call)
    assert charge.call_ended_at is not None
    assert charge.rescue_until == charge.call_ended_at + timedelta(minutes=10)
    assert (await _meter(room, call)).returns_until == charge.rescue_until
    room.clock.advance(timedelta(minutes=10) - timedelta(milliseconds=1))
    await room.work()
    assert (await room.charge(call)).state == "metering"
    room.clock.advance(timedelta(milliseconds=1))
    await room.work()
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 1_650)
    assert charge.settling_at == charge.rescue_until


async def test_a_short_call_that_was_lost_costs_nothing_after_the_window(room: Room) -> None:
    call = await lost(room, 599_999)
    await window_over(room)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("released", 0)
    assert [hold.state for hold in await room.holds(call)] == ["released"]


@pytest.mark.parametrize("side", ["customer", "consultant"])
async def test_either_side_gives_it_up_and_it_is_settled_at_once(room: Room, side: str) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    user = room.customer if side == "customer" else room.consultant
    for _ in range(2):  # a nervous click changes nothing
        async with room.db.begin() as tx:
            await room.rescues.give_up(tx, user, call)
    await room.work()
    assert (await room.charge(call)).captured_minor == 1_650
    assert (await room.kinds(call)).count("rescue_given_up") == 1
    async with room.db.begin() as tx:
        await room.rescues.give_up(tx, user, call)
    with pytest.raises(RescueOver):
        await room.come_back(call)


async def test_two_workers_settle_it_once(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    room.clock.advance(timedelta(minutes=10))
    settled = await asyncio.gather(*(room.rescues.run_due(room.db) for _ in range(4)))
    assert sum(settled) == 1
    await room.work()
    assert (await room.kinds(call)).count("settled") == 1
    assert (await room.charge(call)).captured_minor == 1_650


async def test_whoever_settles_and_whoever_comes_back_at_the_last_moment_agree(room: Room) -> None:
    """The charge's row decides: either it is settled and the return refused, or it goes on and nothing is settled."""
    call = await lost(room, 11 * MINUTE_MS)
    async with room.db.begin() as tx:
        await room.rescues.give_up(tx, room.customer, call)
        charge = await store.lock_of_call(tx, call)
        assert charge is not None
        assert waiting.returns_until(charge, tx.now) is None
    found = await asyncio.gather(room.rescues.run_due(room.db), room.come_back(call), return_exceptions=True)
    assert found[0] == 1
    assert isinstance(found[1], RescueOver)


async def test_a_stranger_gives_up_nothing(room: Room) -> None:
    call = await lost(room, MINUTE_MS)
    with pytest.raises(NotFound):
        async with room.db.begin() as tx:
            await room.rescues.give_up(tx, UserId(new_id()), call)
    assert (await room.charge(call)).rescue_until is not None


async def test_nobody_gives_up_a_call_they_talk_in(room: Room) -> None:
    first = await lost(room, MINUTE_MS)
    second = await room.come_back(first)
    for call in (first, second):
        with pytest.raises(Conflict):
            async with room.db.begin() as tx:
                await room.rescues.give_up(tx, room.customer, call)


async def test_after_the_window_nobody_comes_back(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    room.clock.advance(timedelta(minutes=10))  # no worker has looked yet
    with pytest.raises(RescueOver):
        await room.come_back(call)
    await room.work()
    with pytest.raises(RescueOver):
        await room.come_back(call)
    assert (await room.charge(call)).captured_minor == 1_650


async def test_one_comes_back_to_the_newest_call_of_a_chain_only(room: Room) -> None:
    first = await lost(room, MINUTE_MS)
    await room.come_back(first)
    with pytest.raises(RescueOver):
        await room.come_back(first)


async def test_nobody_comes_back_before_every_interval_is_final(room: Room) -> None:
    call = await room.open()
    await room.talk(call, MINUTE_MS, n=1, cause="customer_unseen")
    async with room.db.begin() as tx:
        await room.charges.on_call_ended(tx, room.ended(call, "connection_lost"))
    assert (await _meter(room, call)).returns_until is None
    with pytest.raises(Conflict, match="moment"):
        await room.come_back(call)
    async with room.db.begin() as tx:
        await room.charges.on_session_closed(tx, SessionClosed(call))
    await room.come_back(call)


async def test_what_is_told_late_of_the_lost_call_is_not_added(room: Room) -> None:
    """Its books are closed: told again or too late, neither time nor a second end comes of it."""
    first = await lost(room, 6 * MINUTE_MS)
    second = await room.come_back(first)
    started = room.clock.now()
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(first, 2, started))
        await room.meter.on_interval_closed(tx, IntervalClosed(first, 1, started, 9 * MINUTE_MS, "ended"))
        await room.meter.on_interval_closed(tx, IntervalClosed(first, 2, started, 9 * MINUTE_MS, "ended"))
        await room.charges.on_call_ended(tx, room.ended(first, "customer_left"))
        await room.charges.on_session_closed(tx, SessionClosed(first))
    charge = await room.charge(second)
    assert (charge.state, charge.call_ended_at) == ("metering", None)
    assert (await _meter(room, second)).connected_ms == 6 * MINUTE_MS


async def test_a_second_loss_is_rescued_again_and_the_cap_is_that_of_the_chain(room: Room) -> None:
    first = await lost(room, 6 * MINUTE_MS)  # the cap of 30 minutes
    second = await room.come_back(first)
    await room.talk(second, 12 * MINUTE_MS, n=1, cause="consultant_unseen")
    await room.end(second, "connection_lost")
    third = await room.come_back(second)
    started = room.clock.now()
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(third, 1, started))
    room.clock.advance(timedelta(minutes=12))
    await room.work()
    assert [event.call_id for event in room.heard if isinstance(event, CapReached)] == [third]
    async with room.db.begin() as tx:
        await room.meter.on_interval_closed(tx, IntervalClosed(third, 1, started, 13 * MINUTE_MS, "ended"))
        await room.charges.on_session_closed(tx, SessionClosed(third))
    await room.work()
    charge = await room.charge(first)
    assert (charge.connected_ms, charge.captured_minor, charge.state) == (31 * MINUTE_MS, 4_500, "captured")
    assert await _recomputed(room) == []


async def test_a_call_whose_cap_is_used_up_is_settled_at_once(room: Room) -> None:
    call = await lost(room, 30 * MINUTE_MS)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 4_500)


async def test_who_comes_back_alone_may_try_again_while_the_time_lasts(room: Room) -> None:
    first = await lost(room, 11 * MINUTE_MS)
    until = (await room.charge(first)).rescue_until
    second = await room.come_back(first)
    room.clock.advance(timedelta(minutes=1))
    await room.end(second, "no_show")
    charge = await room.charge(first)
    assert (charge.state, charge.rescue_until) == ("metering", until)
    third = await room.come_back(second)
    room.clock.advance(timedelta(minutes=9))  # past the window while somebody waits in the call
    await room.work()
    assert (await room.charge(first)).state == "metering"
    await room.end(third, "no_show")
    assert (await room.charge(first)).captured_minor == 1_650


async def test_who_leaves_the_call_they_came_back_to_has_ended_it(room: Room) -> None:
    first = await lost(room, 11 * MINUTE_MS)
    second = await room.come_back(first)
    await room.end(second, "customer_left")
    assert (await room.charge(first)).captured_minor == 1_650


async def test_another_call_gives_up_the_lost_one(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    await room.open()
    assert (await room.charge(call)).captured_minor == 1_650
    with pytest.raises(RescueOver):
        await room.come_back(call)


async def test_to_be_told_of_the_lost_call_again_gives_up_nothing(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    await room.open(call=call)
    assert (await room.charge(call)).state == "metering"
    await room.come_back(call)


async def test_who_is_kept_apart_does_not_come_back(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    async with room.db.begin() as tx:
        await room.rescues.on_user_blocked(tx, UserBlocked(room.consultant, UserId(new_id())))
    assert (await room.charge(call)).rescue_until is not None
    async with room.db.begin() as tx:
        await room.rescues.on_user_blocked(tx, UserBlocked(room.consultant, room.customer))
    async with room.db.begin() as tx:
        told = (await timeline.of_charge(tx, (await room.charge(call)).id))[-1]
    assert (told.kind, told.details) == ("rescue_given_up", {"reason": "consultant_done"}), "not why"
    with pytest.raises(RescueOver):
        await room.come_back(call)
    await room.work()
    assert (await room.charge(call)).captured_minor == 1_650


async def test_an_account_that_is_gone_does_not_come_back(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    async with room.db.begin() as tx:
        await room.rescues.on_access_revoked(tx, AccessRevoked(room.customer, "one-sign-in", "logout"))
    assert (await room.charge(call)).rescue_until is not None
    async with room.db.begin() as tx:
        await room.rescues.on_access_revoked(tx, AccessRevoked(room.customer, None, "disabled"))
    await room.work()
    assert (await room.charge(call)).captured_minor == 1_650


async def test_a_consultant_who_cannot_be_paid_any_more_does_not_come_back(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    async with room.db.begin() as tx:
        await tx.session.execute(_UNPAID, {"user": room.consultant})
    with pytest.raises(RescueOver):
        await room.come_back(call)
    await window_over(room)
    assert (await room.charge(call)).captured_minor == 1_650


async def test_a_hold_that_will_lapse_soon_is_not_waited_with(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 11 * MINUTE_MS, n=1, cause="customer_unseen")
    async with room.db.begin() as tx:
        hold = (await room.holds(call))[0]
        await tx.session.execute(_FADING, {"hold": hold.id, "at": tx.now + timedelta(days=3, minutes=9)})
    await room.end(call, "connection_lost")
    assert (await room.charge(call)).captured_minor == 1_650


async def test_nobody_comes_back_once_the_hold_is_gone(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    [intent] = await room.intents()
    await room.gateway.cancel(intent["id"], idempotency_key="by hand, on their page")
    await room.charges.take_in(intent["id"])
    with pytest.raises(RescueOver):
        await room.come_back(call)


async def test_a_lost_call_that_cannot_be_settled_is_a_case_and_the_others_do_not_wait(room: Room) -> None:
    broken = await room.charge(await lost(room, 11 * MINUTE_MS))
    await damage(room, broken.id, 20_000)
    await window_over(room)
    sound = await lost(room, 11 * MINUTE_MS)
    await window_over(room)
    assert (await room.charge(sound)).captured_minor == 1_650
    assert "case_opened" in await room.kinds(CallId(broken.call_id))
    await damage(room, broken.id, 1_500)
    await window_over(room)
    assert (await room.charge(CallId(broken.call_id))).captured_minor == 1_650


async def test_the_sealed_receipt_of_a_chain_proves_itself_and_shows_the_gap(room: Room) -> None:
    first = await lost(room, 6 * MINUTE_MS)
    room.clock.advance(timedelta(minutes=4))
    second = await room.come_back(first)
    await room.talk(second, 5 * MINUTE_MS, n=1)
    await room.end(second)
    signer = ReceiptSigner(KEY)
    story = Story("Consultant Connect", "http://localhost", "Ada", "Anna", "Why?", room.clock.now())
    for role, user in (("customer", room.customer), ("consultant", room.consultant)):
        for call in (first, second):
            async with room.db.begin() as tx:
                sealed = await ProofService(signer).sealed(tx, user, call, story)
                receipt = await ReceiptService().receipt(tx, user, call)
            _, checks = verify(json.dumps(sealed), signer.public_key)
            assert [check.name for check in checks if check.findings] == [], role
            assert [interval["n"] for interval in sealed["intervals"]] == [1, 2]
            gap = [line for line in receipt.lines if line.kind == "unbilled"]
            assert [(line.duration_ms, line.cause, line.amount_minor) for line in gap] == [
                (5 * MINUTE_MS + 30_000, "customer_unseen", 0)
            ]
            assert sum(line.amount_minor for line in receipt.lines) == receipt.gross_minor == 1_650


async def test_the_nightly_recomputation_finds_a_cent_in_a_chain(room: Room) -> None:
    first = await lost(room, 6 * MINUTE_MS)
    second = await room.come_back(first)
    await room.talk(second, 5 * MINUTE_MS, n=1)
    await room.end(second)
    async with room.db.begin() as tx:
        await tx.session.execute(_A_CENT, {"call": first})
    assert {figure for figure, _, _ in await _recomputed(room)} >= {"gross_minor", "net_minor"}


async def test_a_worker_that_was_away_for_the_whole_window_settles_what_it_finds(room: Room) -> None:
    call = await lost(room, 11 * MINUTE_MS)
    room.clock.advance(timedelta(hours=3))
    await room.work()
    assert (await room.charge(call)).captured_minor == 1_650
    async with room.db.begin() as tx:
        assert [part.call_id for part in await calls.parts(tx, await room.charge(call))] == [call]
