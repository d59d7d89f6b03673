"""A payout that its consultant asks for: once in effect, equal to Stripe to the cent, and refused in words."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from billing.charges.command import LEASE, State
from billing.ledger import entries
from billing.models import PayoutAccountRow
from billing.payouts.models import PayoutRequestRow, PayoutRow
from billing.payouts.schedule import DEFAULT, HELD
from core.errors import AppError
from core.ids import UserId, new_id
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import (
    account_of,
    equal_to_stripe,
    hear_everything,
    paid_call,
    refund,
)

SHARE = 1_402  # of 16.50


@pytest.fixture
async def earner(room: Room) -> Room:
    """A consultant who earned something, and whose account nothing leaves by itself."""
    await paid_call(room)
    async with room.db.begin() as tx:
        await room.money.choose(tx, room.consultant, HELD)
    await room.work()
    return room


async def requests(room: Room) -> list[PayoutRequestRow]:
    async with room.db.begin() as tx:
        return list(await tx.session.scalars(select(PayoutRequestRow).order_by(PayoutRequestRow.key)))


async def paid_out(room: Room) -> list[int]:
    """What Stripe sent to the bank; our rows and books must say the same."""
    at_stripe = [payout["amount"] for payout in (await room.sandbox.state()).get("payout", [])]
    async with room.db.begin() as tx:
        rows = list(await tx.session.scalars(select(PayoutRow.amount_minor).order_by(PayoutRow.created_at)))
    assert rows == at_stripe
    assert (await room.balances()).get(entries.connected_bank(room.consultant), 0) == sum(at_stripe)
    await equal_to_stripe(room)
    return at_stripe


async def refusal(room: Room) -> str:
    with pytest.raises(AppError) as refused:
        await room.on_request.ask(room.consultant)
    return refused.value.code


async def test_all_that_is_available_is_paid_out_now_and_booked(earner: Room) -> None:
    [asked] = await earner.on_request.ask(earner.consultant)
    assert (asked.amount_minor, asked.currency) == (SHARE, "eur")
    assert asked.key == f"payout:{earner.consultant}:1"
    await earner.work()
    [row] = await requests(earner)
    assert (row.state, row.attempts, row.due_at) == (State.DONE, 1, None)
    assert await paid_out(earner) == [SHARE]
    await hear_everything(earner)  # what the webhook tells is known
    assert await paid_out(earner) == [SHARE]
    async with earner.db.begin() as tx:
        payout = await tx.session.get(PayoutRow, row.payout_id)
        assert payout is not None
        assert (payout.automatic, payout.lines_minor) == (False, None)
        assert await earner.on_request.latest(tx, earner.consultant) == []
    await earner.sandbox.fail_payout(payout.id)
    await hear_everything(earner)
    assert (await earner.balances())[entries.connected_balance(earner.consultant)] == SHARE


async def test_two_clicks_are_one_payout_and_the_next_has_a_key_of_its_own(earner: Room) -> None:
    await earner.on_request.ask(earner.consultant)
    assert await refusal(earner) == "payout_under_way"
    await earner.work()
    assert await refusal(earner) == "nothing_available"
    await paid_call(earner)
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    assert [row.key[-2:] for row in await requests(earner)] == [":1", ":2"]
    assert await paid_out(earner) == [SHARE, SHARE]


@pytest.mark.parametrize("kind", ["timeout_after_success", "error_500_after_success", "rate_429", "lock_409", "down"])
async def test_a_payout_happens_once_whatever_stripe_answers(earner: Room, kind: str) -> None:
    await earner.sandbox.misbehave(kind, "payouts.create")
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    for _ in range(4):
        earner.clock.advance(timedelta(minutes=6))
        await earner.on_request.run_due(earner.db)
        await earner.work()
    [row] = await requests(earner)
    assert row.state == State.DONE
    assert await paid_out(earner) == [SHARE]


async def test_a_stored_error_without_effect_is_found_out_and_may_be_asked_anew(earner: Room) -> None:
    await earner.sandbox.misbehave("error_500", "payouts.create")
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    for _ in range(4):
        earner.clock.advance(timedelta(minutes=6))
        await earner.on_request.run_due(earner.db)
        await earner.work()
    [row] = await requests(earner)
    assert (row.state, row.outcome) == (
        State.REFUSED,
        {"code": "payout_absent", "message": "Stripe never made this payout."},
    )
    assert await paid_out(earner) == []
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    assert await paid_out(earner) == [SHARE]


async def test_a_worker_killed_between_sending_and_the_answer_pays_nothing_twice(earner: Room) -> None:
    [asked] = await earner.on_request.ask(earner.consultant)
    order = await earner.on_request._claim(asked.id)
    assert order is not None
    await earner.on_request._write(order)  # sent, and the worker is gone before it could note the answer
    await earner.work()  # the job that is still there finds it leased
    assert [row.state for row in await requests(earner)] == [State.SENT]
    earner.clock.advance(LEASE + timedelta(seconds=1))
    assert await earner.on_request.run_due(earner.db) == 1
    await earner.work()
    assert [(row.state, row.attempts) for row in await requests(earner)] == [(State.DONE, 2)]
    assert await paid_out(earner) == [SHARE]


async def test_once_stripe_may_have_forgotten_the_key_the_payout_is_looked_for(earner: Room) -> None:
    [asked] = await earner.on_request.ask(earner.consultant)
    order = await earner.on_request._claim(asked.id)
    assert order is not None
    await earner.on_request._write(order)
    earner.clock.advance(timedelta(hours=30))
    await earner.on_request.run_due(earner.db)
    await earner.work()
    assert [row.state for row in await requests(earner)] == [State.DONE]
    assert await paid_out(earner) == [SHARE]


async def test_a_payout_is_refused_in_words(earner: Room) -> None:
    finance = UserId(new_id())
    async with earner.db.begin() as tx:
        await earner.money.hold(tx, earner.consultant, "documents are missing", finance)
    assert await refusal(earner) == "payouts_held"
    async with earner.db.begin() as tx:
        assert await earner.money.release(tx, earner.consultant, finance, "they came")
        await earner.money.choose(tx, earner.consultant, DEFAULT)
    assert await refusal(earner) == "schedule_not_manual"
    async with earner.db.begin() as tx:
        await earner.money.choose(tx, earner.consultant, HELD)
    await earner.sandbox.restrict(await account_of(earner))
    await hear_everything(earner)
    assert await refusal(earner) == "payouts_not_enabled"
    assert await requests(earner) == []


async def test_an_account_held_before_the_request_is_sent_is_not_paid_out(earner: Room) -> None:
    await earner.on_request.ask(earner.consultant)
    async with earner.db.begin() as tx:
        await earner.money.hold(tx, earner.consultant, "documents are missing", UserId(new_id()))
    await earner.work()
    async with earner.db.begin() as tx:
        [row] = await earner.on_request.latest(tx, earner.consultant)
    assert (row.state, (row.outcome or {})["code"]) == (State.REFUSED, "payouts_held")
    assert await paid_out(earner) == []


@pytest.mark.parametrize(("kind", "made"), [("down", []), ("timeout_after_success", [SHARE])])
async def test_an_account_held_while_an_answer_is_missing_is_only_looked_at(
    earner: Room, kind: str, made: list[int]
) -> None:
    await earner.sandbox.misbehave(kind, "payouts.create", times=3)  # the SDK's own second and third try, too
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    assert [row.state for row in await requests(earner)] == [State.UNKNOWN]
    async with earner.db.begin() as tx:
        await earner.money.hold(tx, earner.consultant, "documents are missing", UserId(new_id()))
    for _ in range(3):
        earner.clock.advance(timedelta(minutes=6))
        await earner.on_request.run_due(earner.db)
        await earner.work()
    [row] = await requests(earner)
    assert row.state == (State.DONE if made else State.REFUSED)
    assert await paid_out(earner) == made


async def test_what_is_gone_meanwhile_is_refused_by_stripe_and_opens_no_case(earner: Room) -> None:
    call = await paid_call(earner)
    await earner.on_request.ask(earner.consultant)
    charge = await earner.charge(call)
    async with earner.db.begin() as tx:
        await tx.session.execute(text("DELETE FROM procrastinate_jobs"))  # before the job ran
        await earner.refunds.request(
            tx, charge.id, amount_minor=1_000, reason="quality", note="", key="one", by=UserId(new_id())
        )
    await earner.work()
    earner.clock.advance(timedelta(minutes=1))
    await earner.on_request.run_due(earner.db)
    await earner.work()
    [row] = await requests(earner)
    assert (row.state, (row.outcome or {})["code"]) == (State.REFUSED, "balance_insufficient")
    async with earner.db.begin() as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM billing_case")) == 0
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    assert await paid_out(earner) == [2 * SHARE - 850]


async def test_what_stripe_refuses_is_a_case(earner: Room) -> None:
    await earner.sandbox.misbehave("refused", "payouts.create")
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    async with earner.db.begin() as tx:
        assert list(await tx.session.scalars(text("SELECT kind FROM billing_case"))) == ["payout_refused"]
        account = await tx.session.get(PayoutAccountRow, earner.consultant)
        assert account is not None
        assert account.held_at is None
    assert await paid_out(earner) == []


async def test_a_payout_on_request_agrees_with_the_comparison(earner: Room) -> None:
    await refund(earner, await paid_call(earner), 500)
    await earner.on_request.ask(earner.consultant)
    await earner.work()
    assert await paid_out(earner) == [2 * SHARE - 425]
    async with earner.db.begin() as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM billing_case")) == 0
