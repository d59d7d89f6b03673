"""The credit of a missed promise: given back of what is captured later, once, by the house alone, equal to Stripe."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from billing import given_back, invoices
from billing.bills import totals
from billing.charges import store as charge_store
from billing.credits import redeem
from billing.credits import store as credit_store
from billing.credits.models import CreditRow
from billing.ledger import entries
from billing.mails.models import MailRow
from billing.periods import Period
from billing.reconciliation import recompute
from billing.refunds import store as refund_store
from core.errors import Conflict, Refused
from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from matching.events import PromiseMissed
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import (
    equal_to_stripe,
    hear_everything,
    paid_call,
    refund,
    refunds_told,
)
from tests.integration.billing.test_cards import MASTERCARD, add
from tests.integration.billing.test_raise import proved
from tests.integration.billing.test_reconciliation import cases
from tests.integration.billing.test_reconciliation import run as compare
from tests.integration.billing.test_two_workers import two_workers, until

GROSS, COMMISSION, SHARE = 1_650, 248, 1_402


async def miss(room: Room, amount: int, currency: str = "eur") -> UUID:
    """Nobody was there within two minutes: the event as matching tells it, and as it may be told again."""
    request = RequestId(new_id())
    event = PromiseMissed(request, QuestionId(new_id()), room.customer, amount, currency)
    for _ in range(2):
        async with room.db.begin() as tx:
            await room.credits.on_promise_missed(tx, event)
    room.clock.advance(timedelta(seconds=1))
    return request


async def left(room: Room) -> list[tuple[int, int]]:
    """Each credit with what is used of it, oldest first."""
    async with room.db.begin() as tx:
        rows = await tx.session.scalars(select(CreditRow).order_by(CreditRow.granted_at))
        return [(row.amount_minor, row.used_minor) for row in rows]


async def borne_by_the_house(room: Room, *, minor: int) -> None:
    """The books after calls of which so much was credited: nobody else gave anything."""
    balances = await room.balances()
    assert balances.get(entries.CREDITS, 0) == minor
    assert balances.get(entries.receivable(room.customer), 0) == 0
    assert balances.get(entries.payable(room.consultant), 0) == 0
    await equal_to_stripe(room)


async def nothing_differs(room: Room, *calls: CallId) -> None:
    """The nightly recomputation finds every figure as it is stored."""
    for call in calls:
        charge = await room.charge(call)
        async with room.db.begin() as tx:
            assert (await recompute.of_charge(tx, charge.id)).differences == ()


async def test_a_missed_promise_is_given_back_of_the_next_call_and_nobody_else_pays_it(room: Room) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    charge = await room.charge(call)
    assert (charge.captured_minor, charge.refunded_minor, charge.credited_minor) == (GROSS, 0, 200)
    state = await room.sandbox.state()
    [made] = state["refund"]
    assert (made["amount"], made["transfer_reversal"]) == (200, None)
    assert [one["amount_refunded"] for one in state["application_fee"]] == [0]
    assert "transfer_reversal" not in state
    balances = await room.balances()
    assert balances[entries.COMMISSION] == -COMMISSION
    assert balances[entries.connected_balance(room.consultant)] == SHARE
    await borne_by_the_house(room, minor=200)
    await nothing_differs(room, call)
    assert await left(room) == [(200, 200)]
    assert refunds_told(room) == [], "it says nothing about the advice: no other room learns from it"
    async with room.db.begin() as tx:
        [paper, own] = await invoices.of_charge(tx, charge.id)
        [back] = await given_back.of_charge(tx, charge)
        kinds = set(await tx.session.scalars(select(MailRow.kind)))
    assert (paper.kind, paper.gross_minor) == ("invoice", GROSS)
    assert (own.kind, own.gross_minor, own.vat_minor, own.corrects_id) == ("credit", 200, 0, None)
    assert (back.by, back.amount_minor, back.share_minor, back.credit_note) == (
        "credit",
        200,
        0,
        invoices.number_of(own),
    )
    assert given_back.paid_in_the_end(charge, [back]) == GROSS - 200
    assert kinds == {"receipt", "credit"}
    second = await paid_call(room)
    assert (await room.charge(second)).credited_minor == 0, "what is used is used"


async def test_credits_are_used_oldest_first_and_the_rest_of_one_waits_for_the_next_call(room: Room) -> None:
    await miss(room, 200)
    await miss(room, 100)
    first = await paid_call(room)
    assert (await room.charge(first)).credited_minor == COMMISSION, "never more than the house keeps"
    assert await left(room) == [(200, 200), (100, 48)]
    second = await paid_call(room)
    assert (await room.charge(second)).credited_minor == 52
    assert await left(room) == [(200, 200), (100, 100)]
    await borne_by_the_house(room, minor=300)
    await nothing_differs(room, first, second)
    async with room.db.begin() as tx:
        papers = await tx.session.scalars(text("SELECT gross_minor FROM invoice WHERE kind = 'credit' ORDER BY number"))
        assert sorted(papers) == [48, 52, 200]


async def test_collected_credits_are_nobody_s_income(room: Room) -> None:
    for _ in range(30):  # a month of promises that somebody brought about
        await miss(room, 5_000)
    call = await paid_call(room)
    assert (await room.charge(call)).credited_minor == COMMISSION
    balances = await room.balances()
    paid = GROSS - COMMISSION
    assert balances[entries.connected_balance(room.consultant)] == SHARE == paid, "together they have what they had"
    assert balances[entries.COMMISSION] + balances[entries.CREDITS] == 0, "and the house gave what it had of it"
    await nothing_differs(room, call)


async def test_what_costs_nothing_or_another_currency_uses_no_credit(room: Room) -> None:
    await miss(room, 200)
    await miss(room, 100, "usd")
    free = await room.open()
    await room.talk(free, 300_000)
    await room.end(free)
    dollars = await room.open(currency="usd")
    await room.talk(dollars, 660_000)
    await room.end(dollars)
    assert [(await room.charge(call)).credited_minor for call in (free, dollars)] == [0, 100]
    assert await left(room) == [(200, 0), (100, 100)]
    async with room.db.begin() as tx:
        assert await room.credits.open_of(tx, room.customer) == [credit_store.OpenCredit("eur", 200)]
        assert await room.credits.open_of(tx, room.consultant) == []


async def test_a_credit_over_two_captures_is_given_back_of_both(room: Room) -> None:
    await add(room, MASTERCARD, make_default=True)  # a hold on it cannot be raised: an extension is a second one
    await miss(room, 200)
    call = await room.open(cap=1_500)
    key = new_id()
    async with room.db.begin() as tx:
        await room.charges.extend(tx, room.customer, call, key)
    await room.work()
    await room.talk(call, 660_000)
    await room.end(call)
    charge = await room.charge(call)
    assert (charge.captured_minor, charge.credited_minor) == (GROSS, 200)
    assert sorted(one["amount"] for one in (await room.sandbox.state())["refund"]) == [50, 150]
    await borne_by_the_house(room, minor=200)
    await nothing_differs(room, call)
    assert await proved(room, call) == []


@pytest.mark.parametrize("kind", ["timeout_after_success", "error_500_after_success", "error_500", "rate_429", "down"])
async def test_a_credit_is_given_back_once_whatever_stripe_answers(room: Room, kind: str) -> None:
    await miss(room, 200)
    await room.sandbox.misbehave(kind, "refunds.create", times=2)
    call = await paid_call(room)
    for _ in range(12):
        room.clock.advance(timedelta(minutes=11))
        await room.work()
    assert [one["amount"] for one in (await room.sandbox.state())["refund"]] == [200]
    assert (await room.charge(call)).credited_minor == 200
    await borne_by_the_house(room, minor=200)
    await hear_everything(room)
    await nothing_differs(room, call)
    assert (await room.charge(call)).credited_minor == 200, "told by a webhook as well, it stays one"


class Killed(Exception):
    """The process is gone before its transaction commits."""


async def killed_while_using_it(room: Room, charge_id: UUID) -> None:
    async with room.db.begin() as tx:
        await redeem.set_against(tx, await charge_store.lock(tx, charge_id))
        assert await tx.session.scalar(text("SELECT count(*) FROM refund")) == 1
        raise Killed


async def test_a_worker_that_is_killed_used_nothing_or_left_a_command_behind(room: Room) -> None:
    call = await paid_call(room)
    charge = await room.charge(call)
    await miss(room, 200)
    with pytest.raises(Killed):
        await killed_while_using_it(room, charge.id)
    assert await left(room) == [(200, 0)]
    assert "credit_set" not in await room.kinds(call)
    second = await room.open()
    await room.talk(second, 660_000)
    await room.sandbox.misbehave("down", "refunds.create", times=1)
    await room.end(second)
    assert await left(room) == [(200, 200)]
    async with room.db.begin() as tx:
        await tx.session.execute(text("DELETE FROM procrastinate_jobs"))  # they died with their worker
    assert (await room.charge(second)).credited_minor == 0
    for _ in range(3):
        room.clock.advance(timedelta(minutes=11))
        await room.work()
    assert (await room.charge(second)).credited_minor == 200
    assert [one["amount"] for one in (await room.sandbox.state())["refund"]] == [200]
    await borne_by_the_house(room, minor=200)


@pytest.mark.timeout(600)
async def test_two_workers_and_two_calls_at_once_use_a_credit_once(room: Room) -> None:
    calls = [await room.open() for _ in range(3)]
    for call in calls:
        await room.talk(call, 660_000)
    await miss(room, 400)
    with two_workers(room):
        for call in calls:
            await room.end(call, at_work=False)
        await until(room, "SELECT count(*) FROM charge WHERE state = 'captured'", len(calls))
        await until(room, "SELECT count(*) FROM refund WHERE state = 'done'", 2)
    credited = sorted([(await room.charge(call)).credited_minor for call in calls])
    assert credited == [0, 152, COMMISSION]
    assert await left(room) == [(400, 400)]
    assert sorted(one["amount"] for one in (await room.sandbox.state())["refund"]) == [152, COMMISSION]
    await borne_by_the_house(room, minor=400)
    await nothing_differs(room, *calls)


async def test_a_refund_after_a_credit_gives_back_what_is_left_and_no_more(room: Room) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        preview = await room.refunds.preview(tx, charge.id, 300)
        with pytest.raises(Refused):
            await room.refunds.preview(tx, charge.id, GROSS - 200 + 1)
    assert preview.refundable_minor == GROSS - 200
    await refund(room, call, 300)
    async with room.db.begin() as tx:
        row = (await refund_store.of_charge(tx, charge.id))[-1]
        [part] = await refund_store.parts(tx, row.id)
    assert (part.commission_minor, part.share_minor) == (preview.commission_minor, preview.share_minor) == (45, 255)
    await equal_to_stripe(room)
    await refund(room, call, GROSS - 200 - 300, key="two")
    charge = await room.charge(call)
    assert charge.refunded_minor + charge.credited_minor == GROSS
    assert await proved(room, call) == []
    await equal_to_stripe(room)
    await nothing_differs(room, call)
    with pytest.raises(Refused):
        await refund(room, call, 1, key="three")
    assert sum(one["amount"] for one in (await room.sandbox.state())["refund"]) == GROSS
    assert (await room.balances())[entries.CREDITS] == 200


async def test_a_credit_on_its_way_keeps_nobody_from_a_refund(room: Room) -> None:
    await miss(room, 200)
    await room.sandbox.misbehave("down", "refunds.create", times=1)
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    charge = await room.charge(call)
    assert charge.credited_minor == 0
    with pytest.raises(Refused):
        await refund(room, call, GROSS, key="whole")
    await refund(room, call, GROSS - 200)
    with pytest.raises((Conflict, Refused)):
        await refund(room, call, 1, key="more")
    for _ in range(3):
        room.clock.advance(timedelta(minutes=11))
        await room.work()
    charge = await room.charge(call)
    assert (charge.refunded_minor, charge.credited_minor) == (GROSS - 200, 200)
    await borne_by_the_house(room, minor=200)
    await nothing_differs(room, call)


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_dispute_after_a_credit_never_gives_back_more_than_was_captured(room: Room, outcome: str) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    [intent] = await room.intents()
    claimed = await room.sandbox.dispute(intent["id"])
    await hear_everything(room)
    await equal_to_stripe(room)
    await room.sandbox.decide(claimed, outcome)
    await hear_everything(room)
    await equal_to_stripe(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        found = await given_back.of_charge(tx, charge)
    assert sum(one.amount_minor for one in found) == (GROSS if outcome == "lost" else 200)
    assert given_back.paid_in_the_end(charge, found) >= 0
    assert (await room.balances())[entries.CREDITS] == 200


async def test_a_credit_that_stripe_refuses_is_open_again_and_given_with_the_next_call(room: Room) -> None:
    await miss(room, 200)
    await room.sandbox.misbehave("down", "refunds.create", times=1)
    first = await paid_call(room)
    [intent] = await room.intents()
    await room.sandbox.dispute(intent["id"])  # the bank has the money: Stripe refuses every refund of this charge
    for _ in range(4):
        room.clock.advance(timedelta(minutes=11))
        await room.work()
    assert (await room.charge(first)).credited_minor == 0
    assert await left(room) == [(200, 0)]
    assert (await room.balances()).get(entries.CREDITS, 0) == 0
    assert "credit_open_again" in await room.kinds(first)
    second = await paid_call(room)
    assert (await room.charge(second)).credited_minor == 200
    assert await left(room) == [(200, 200)]
    await nothing_differs(room, first, second)
    assert (await room.balances())[entries.CREDITS] == 200


async def test_a_credit_the_bank_sends_back_is_owed_and_a_person_sees_to_it(room: Room) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    [made] = (await room.sandbox.state())["refund"]
    await room.sandbox.fail_refund(made["id"])
    await hear_everything(room)
    charge = await room.charge(call)
    assert charge.credited_minor == 0
    await equal_to_stripe(room)
    assert (await room.balances())[entries.receivable(room.customer)] == -200
    assert "case_opened" in await room.kinds(call)
    assert await left(room) == [(200, 200)], "nobody gives it a second time by itself"
    assert refunds_told(room) == []
    await nothing_differs(room, call)


async def test_the_comparisons_with_stripe_and_of_every_bill_agree_with_a_credit(room: Room) -> None:
    room.clock.advance(datetime.now(UTC) - room.clock.now())  # Stripe's lines carry the time of this machine
    await miss(room, 200)
    call = await paid_call(room)
    await refund(room, call, 300)
    await hear_everything(room)
    for kind in ("provider", "bills"):
        found = await compare(room, kind)
        assert (found.differences, found.checked > 0) == (0, True), kind
    assert await cases(room) == []


@pytest.mark.parametrize(
    ("wrong", "figure"),
    [
        ("UPDATE charge SET credited_minor = credited_minor - 1", "credit_given_minor"),
        ("UPDATE credit SET used_minor = used_minor - 1", "credit_used_minor"),
        ("UPDATE refund_part SET platform_minor = 0, share_minor = 200", "house_credit_minor"),
        ("UPDATE refund_part SET amount_minor = 300, platform_minor = 300", "credit_of_commission_minor"),
    ],
)
async def test_a_credit_that_is_not_what_its_rows_say_is_found_at_night(room: Room, wrong: str, figure: str) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        await tx.session.execute(text(wrong))
        found = await recompute.of_charge(tx, charge.id)
    assert figure in {one.figure for one in found.differences}


async def test_each_side_is_shown_its_own(room: Room) -> None:
    await miss(room, 200)
    call = await paid_call(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        found = await given_back.of_charge(tx, charge)
        [spent] = await totals(tx, "customer", room.customer, Period(None, None))
        [earned] = await totals(tx, "consultant", room.consultant, Period(None, None))
    assert [one.by for one in given_back.of_side("customer", found)] == ["credit"]
    assert given_back.of_side("consultant", found) == ()
    assert (spent.paid_minor, spent.refunded_minor, spent.credited_minor) == (GROSS, 0, 200)
    assert (earned.net_minor, earned.refunded_minor, earned.credited_minor) == (SHARE, 0, 0)


async def test_the_credit_of_somebody_else_is_not_touched(room: Room) -> None:
    async with room.db.begin() as tx:
        event = PromiseMissed(RequestId(new_id()), QuestionId(new_id()), UserId(new_id()), 200, "eur")
        await room.credits.on_promise_missed(tx, event)
    call = await paid_call(room)
    assert (await room.charge(call)).credited_minor == 0
