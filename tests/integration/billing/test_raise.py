"""Extensions on a card that offers it: the hold that stands is raised; refused, unknown or late, money stays right."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from billing.models import CommandRow, HoldRaiseRow
from billing.proof.document import Story
from billing.proof.service import ProofService
from billing.proof.verifier import verify
from core.errors import Conflict
from core.ids import CallId, new_id
from tests.fakes.receipts import SIGNER
from tests.integration.billing.room import Room
from tests.integration.billing.test_cards import MASTERCARD, add
from tests.integration.billing.test_inbox import deliver

CAP, MORE = 1_000, 1_500  # ten minutes more at 90.00 an hour
RAISE = "payment_intents.increment_authorization"


async def click(room: Room, call: CallId, key: UUID | None = None) -> None:
    async with room.db.begin() as tx:
        await room.charges.extend(tx, room.customer, call, key or new_id())


async def extend(room: Room, call: CallId) -> None:
    await click(room, call)
    await room.work()


async def raises(room: Room) -> list[HoldRaiseRow]:
    async with room.db.begin() as tx:
        return list(await tx.session.scalars(select(HoldRaiseRow).order_by(HoldRaiseRow.created_at, HoldRaiseRow.id)))


async def commands(room: Room) -> list[tuple[str, str]]:
    async with room.db.begin() as tx:
        rows = await tx.session.scalars(select(CommandRow).where(CommandRow.kind == "increment"))
        return [(row.key.split(":")[0], row.state) for row in rows]


async def states(room: Room) -> list[str]:
    return [row.state for row in await raises(room)]


async def amounts(room: Room, call: CallId) -> list[tuple[str, int]]:
    return [(hold.state, hold.amount_minor) for hold in await room.holds(call)]


async def at_stripe(room: Room) -> list[int]:
    return [intent["amount"] for intent in await room.intents()]


async def finish(room: Room, call: CallId, ms: int) -> None:
    await room.talk(call, ms)
    await room.end(call)


async def proved(room: Room, call: CallId) -> list[Any]:
    """What is wrong with the sealed receipts of both sides."""
    wrong: list[Any] = []
    story = Story("Consultant Connect", "http://localhost", "Ada", "Anna", "Why?", room.clock.now())
    for user in (room.customer, room.consultant):
        async with room.db.begin() as tx:
            sealed = await ProofService(SIGNER).sealed(tx, user, call, story)
        _, checks = verify(json.dumps(sealed), SIGNER.public_key)
        wrong += [(check.name, check.findings) for check in checks if check.findings]
    return wrong


async def view(room: Room, call: CallId) -> Any:
    async with room.db.begin() as tx:
        return await room.meter.view(tx, room.customer, call, "customer")


async def test_an_extension_raises_the_hold_that_stands_and_one_capture_takes_it_all(room: Room) -> None:
    call = await room.open(cap=CAP)
    key = new_id()
    await click(room, call, key)
    await click(room, call, key)  # a double click
    assert (await view(room, call)).extend_minor is None, "one at a time"
    with pytest.raises(Conflict, match="already under way"):
        await click(room, call)
    await room.work()
    await click(room, call, key)
    await room.work()
    seen = await view(room, call)
    assert (seen.cap_minor, seen.held_minor, seen.extend_minor) == (CAP + MORE, CAP + MORE, MORE)
    assert await states(room) == ["granted"]
    assert await amounts(room, call) == [("held", CAP + MORE)]
    assert await at_stripe(room) == [CAP + MORE]
    await extend(room, call)
    assert (await room.charge(call)).cap_minor == CAP + 2 * MORE
    await finish(room, call, 1_500_000)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor, charge.commission_minor) == ("captured", 3_750, 563)
    [intent] = await room.intents()
    assert (intent["amount_received"], intent["application_fee_amount"]) == (3_750, 563)
    assert (await room.balances())["stripe:clearing"] == 563 - (await room.holds(call))[0].provider_fee_minor  # type: ignore[operator]
    assert await proved(room, call) == []


async def test_a_card_that_offers_no_raise_is_asked_for_a_further_hold(room: Room) -> None:
    await add(room, MASTERCARD, make_default=True)
    call = await room.open(cap=CAP)
    assert not (await room.holds(call))[0].incremental
    await extend(room, call)
    assert await raises(room) == []
    assert await amounts(room, call) == [("held", CAP), ("held", MORE)]


async def test_whoever_chose_another_card_since_is_asked_on_that_one(room: Room) -> None:
    call = await room.open(cap=CAP)
    await add(room, MASTERCARD, make_default=True)
    await extend(room, call)
    assert await raises(room) == []
    assert await amounts(room, call) == [("held", CAP), ("held", MORE)]


async def test_a_declined_raise_is_followed_by_a_further_hold_of_the_same_click(room: Room) -> None:
    await room.sandbox.misbehave("decline", RAISE, decline_code="insufficient_funds")
    call = await room.open(cap=CAP)
    key = new_id()
    await click(room, call, key)
    await room.work()
    assert await states(room) == ["declined"]
    assert await amounts(room, call) == [("held", CAP), ("held", MORE)]
    await click(room, call, key)
    await room.work()
    assert (await room.charge(call)).cap_minor == CAP + MORE, "the same click, once"
    room.clock.advance(timedelta(seconds=1))
    await extend(room, call)
    assert await states(room) == ["declined", "granted"], "the first hold is left alone, the second may be raised"
    assert await amounts(room, call) == [("held", CAP), ("held", 2 * MORE)]
    await finish(room, call, 1_200_000)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 3_000)
    assert sum(hold.capture_fee_minor for hold in await room.holds(call)) == charge.commission_minor == 450
    assert await proved(room, call) == []


@pytest.mark.parametrize("kind", ["timeout_after_success", "error_500_after_success", "rate_429", "lock_409", "down"])
async def test_a_raise_whose_answer_is_lost_is_found_out_and_counts_once(room: Room, kind: str) -> None:
    call = await room.open(cap=CAP)
    await room.sandbox.misbehave(kind, RAISE)
    await extend(room, call)
    for _ in range(6):
        room.clock.advance(timedelta(seconds=8))
        await room.work()
    assert await states(room) == ["granted"]
    assert await at_stripe(room) == [CAP + MORE]
    assert (await room.charge(call)).cap_minor == CAP + MORE
    assert await commands(room) == [("raise", "done")]
    await finish(room, call, 900_000)
    assert (await room.charge(call)).captured_minor == 2_250
    assert await proved(room, call) == []


async def test_a_webhook_tells_of_a_raise_whose_answer_was_lost(room: Room) -> None:
    call = await room.open(cap=CAP)
    await room.sandbox.misbehave("timeout_after_success", RAISE)
    await extend(room, call)
    assert await states(room) == ["asked"]
    for event in await room.gateway.list_events():
        await deliver(room, event)
        await deliver(room, replace(event, id=f"{event.id}again"))
    await room.work()
    assert await states(room) == ["granted"]
    assert (await room.charge(call)).cap_minor == CAP + MORE
    assert (await room.kinds(call)).count("extended") == 1


async def test_a_call_that_ends_meanwhile_is_settled_within_what_stood(room: Room) -> None:
    call = await room.open(cap=CAP)
    await room.sandbox.misbehave("timeout_after_success", RAISE)
    await extend(room, call)
    assert await states(room) == ["asked"]
    assert await at_stripe(room) == [CAP + MORE], "the bank did it, and nobody knows"
    await finish(room, call, 900_000)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor, charge.cap_minor) == ("captured", CAP, CAP)
    assert await states(room) == ["late"]
    assert await amounts(room, call) == [("captured", CAP + MORE)], "what was reserved is what was let go"
    assert await proved(room, call) == []


async def test_a_raise_nobody_sent_before_the_end_is_never_sent(room: Room) -> None:
    call = await room.open(cap=CAP)
    await click(room, call)
    await finish(room, call, 300_000)
    assert await states(room) == ["given_up"]
    assert await commands(room) == [("raise", "refused")]
    assert await at_stripe(room) == [CAP]
    assert (await room.charge(call)).state == "released"
    assert await proved(room, call) == []


async def test_a_raise_without_an_answer_for_two_minutes_is_given_up_and_a_further_hold_may_be_asked_for(
    room: Room,
) -> None:
    call = await room.open(cap=CAP)
    await room.sandbox.misbehave("down", RAISE, times=1_000)
    await extend(room, call)
    room.clock.advance(timedelta(seconds=121))
    await room.work()
    assert await states(room) == ["given_up"]
    assert (await view(room, call)).extend_minor == MORE
    await extend(room, call)
    assert await amounts(room, call) == [("held", CAP), ("held", MORE)]
    assert (await room.charge(call)).cap_minor == CAP + MORE
    await finish(room, call, 900_000)
    assert (await room.charge(call)).captured_minor == 2_250
    assert await proved(room, call) == []


async def test_a_raise_that_stripe_refuses_outright_is_a_case_and_a_further_hold(room: Room) -> None:
    call = await room.open(cap=CAP)
    [intent] = await room.intents()
    await room.sandbox.tamper(
        intent["latest_charge"], "payment_method_details.card.incremental_authorization.status", "unavailable"
    )
    await extend(room, call)
    assert await states(room) == ["declined"]
    assert await commands(room) == [("raise", "refused")]
    assert await amounts(room, call) == [("held", CAP), ("held", MORE)]
    assert "case_opened" in await room.kinds(call)


async def test_the_cap_stays_where_it_is_when_the_hold_lapses_before_the_raise_is_known(room: Room) -> None:
    call = await room.open(cap=CAP)
    await room.sandbox.misbehave("timeout_after_success", RAISE)
    await extend(room, call)
    [intent] = await room.intents()
    await room.sandbox.lapse(intent["id"])
    await room.charges.take_in(intent["id"])
    await room.work()
    assert await states(room) == ["late"]
    assert [hold.state for hold in await room.holds(call)] == ["lapsed"]
    assert (await room.charge(call)).cap_minor == CAP
