"""After a capture: refunds, disputes, payouts, and payments that fail; ledger and Stripe equal to the cent."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from billing.disputes import store as dispute_store
from billing.events import ChargeRefunded, HoldFailed
from billing.finance import approvals
from billing.ledger import entries, journal
from billing.models import PayoutAccountRow
from billing.payouts.models import PayoutRow
from billing.payouts.schedule import chosen
from billing.provider.objects import ConnectedAccount
from billing.refunds import store as refund_store
from core.errors import Conflict, Forbidden, Refused
from core.ids import CallId, UserId, new_id
from tests.integration.billing.room import Room


async def paid_call(room: Room, ms: int = 660_000) -> CallId:
    call = await room.open()
    await room.talk(call, ms)
    await room.end(call)
    return call


async def hear_everything(room: Room) -> None:
    """Work off every event the sandbox has, as webhooks would bring them (the room has no web process)."""
    for event in await room.gateway.list_events():
        async with room.db.begin() as tx:
            known = await tx.session.scalar(text("SELECT 1 FROM stripe_event WHERE id = :id"), {"id": event.id})
            if known is None:
                await tx.session.execute(
                    text(
                        "INSERT INTO stripe_event (id, type, object_type, object_id, intent_id, account_id, raw, "
                        "received_at, attempts) VALUES (:id, :type, :kind, :object, :intent, :account, '', :now, 0)"
                    ),
                    {
                        "id": event.id,
                        "type": event.type,
                        "kind": event.object_type,
                        "object": event.object_id,
                        "intent": event.object_id
                        if event.object_type == "payment_intent"
                        else event.object.get("payment_intent"),
                        "account": event.account_id,
                        "now": tx.now,
                    },
                )
        await room.webhooks.process(event.id)
    await room.work()


async def equal_to_stripe(room: Room, currency: str = "eur") -> None:
    """Our clearing account is Stripe's balance, each connected balance too, and the books balance."""
    balances = await room.balances()
    assert sum(balances.values()) == 0
    ours = await room.gateway.balance()
    clearing = balances.get(entries.CLEARING, 0)
    assert clearing == ours.get(currency, 0), (balances, ours)
    account = await account_of(room)
    theirs = await room.gateway.balance(account_id=account)
    assert balances.get(entries.connected_balance(room.consultant), 0) == theirs.get(currency, 0)


async def account_of(room: Room) -> str:
    async with room.db.begin() as tx:
        row = await tx.session.get(PayoutAccountRow, room.consultant)
        assert row is not None
        assert row.provider_account_id is not None
        return row.provider_account_id


async def top_up(room: Room) -> None:
    """We send 50.00 from our bank to our balance."""
    await room.sandbox.top_up(5_000)
    async with room.db.begin() as tx:
        await journal.book(tx, None, key="top-up", kind="top_up", currency="eur", postings=entries.topped_up(5_000))


def schedule(seen: ConnectedAccount) -> tuple[str | None, str | None, int | None, int | None]:
    return seen.payout_interval, seen.payout_weekly_anchor, seen.payout_monthly_anchor, seen.payout_delay_days


async def refund(room: Room, call: CallId, amount: int, *, key: str = "one", by: UserId | None = None) -> UUID:
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        row = await room.refunds.request(
            tx, charge.id, amount_minor=amount, reason="quality", note="", key=key, by=by or UserId(new_id())
        )
    await room.work()
    return row.id


def refunds_told(room: Room) -> list[int]:
    """What other rooms heard was given back in all, each time it changed."""
    return [event.refunded_minor for event in room.heard if isinstance(event, ChargeRefunded)]


async def test_a_refund_gives_back_both_sides_parts_and_equals_stripe(room: Room) -> None:
    call = await paid_call(room)  # 16.50: commission 2.48, share 14.02
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        preview = await room.refunds.preview(tx, charge.id, 660)
    await refund(room, call, 660)
    charge = await room.charge(call)
    assert charge.refunded_minor == 660
    async with room.db.begin() as tx:
        [row] = await refund_store.of_charge(tx, charge.id)
        [part] = await refund_store.parts(tx, row.id)
    assert (row.state, part.state) == ("done", "done")
    assert part.commission_minor == preview.commission_minor == 99  # 248 x 660 / 1650, as Stripe rounds
    assert part.share_minor == preview.share_minor
    await equal_to_stripe(room)
    await refund(room, call, 990, key="two")
    await equal_to_stripe(room)
    balances = await room.balances()
    assert balances[entries.COMMISSION] == 0
    assert balances[entries.connected_balance(room.consultant)] == 0
    with pytest.raises(Refused):
        await refund(room, call, 1, key="three")
    assert refunds_told(room) == [660, 1_650]


async def test_the_same_click_is_one_refund_and_two_at_once_are_refused(room: Room) -> None:
    call = await paid_call(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        one = {"amount_minor": 100, "reason": "quality", "note": "", "by": UserId(new_id())}
        first = await room.refunds.request(tx, charge.id, key="k", **one)  # type: ignore[arg-type]
        again = await room.refunds.request(tx, charge.id, key="k", **one)  # type: ignore[arg-type]
        assert first.id == again.id
        with pytest.raises(Conflict):
            await room.refunds.request(tx, charge.id, key="other", **one)  # type: ignore[arg-type]
    await room.work()
    assert (await room.charge(call)).refunded_minor == 100


@pytest.mark.parametrize("kind", ["timeout_after_success", "error_500_after_success", "error_500", "rate_429", "down"])
async def test_a_refund_happens_once_whatever_stripe_answers(room: Room, kind: str) -> None:
    call = await paid_call(room)
    await room.sandbox.misbehave(kind, "refunds.create", times=2)
    await refund(room, call, 500)
    for _ in range(12):
        room.clock.advance(timedelta(minutes=11))
        await room.work()
    state = await room.sandbox.state()
    assert [one["amount"] for one in state["refund"]] == [500]
    assert (await room.charge(call)).refunded_minor == 500
    await equal_to_stripe(room)


async def test_above_the_limit_a_second_person_decides(room: Room) -> None:
    room.refunds._limit = 1_000
    call = await paid_call(room)
    asker, decider = UserId(new_id()), UserId(new_id())
    refund_id = await refund(room, call, 1_200, by=asker)
    assert "refund" not in await room.sandbox.state()
    async with room.db.begin() as tx:
        [waiting] = await approvals.waiting(tx)
    with pytest.raises(Forbidden):
        async with room.db.begin() as tx:
            await approvals.decide(tx, waiting.id, asker, approved=True)
    async with room.db.begin() as tx:
        await approvals.decide(tx, waiting.id, decider, approved=True)
        await room.refunds.decided(tx, refund_id, decider, approved=True)
    await room.work()
    assert (await room.charge(call)).refunded_minor == 1_200
    await equal_to_stripe(room)


async def test_a_refund_the_bank_sends_back_is_owed_again(room: Room) -> None:
    call = await paid_call(room)
    await refund(room, call, 500)
    [made] = (await room.sandbox.state())["refund"]
    await room.sandbox.fail_refund(made["id"])
    await hear_everything(room)
    assert (await room.charge(call)).refunded_minor == 0
    await equal_to_stripe(room)
    assert (await room.balances())[entries.receivable(room.customer)] == -500
    assert "case_opened" in await room.kinds(call)
    assert refunds_told(room) == [500, 0]


@pytest.mark.parametrize("outcome", ["won", "lost"])
async def test_a_dispute_takes_the_share_back_and_ends_equal_to_stripe(room: Room, outcome: str) -> None:
    call = await paid_call(room)
    [intent] = await room.intents()
    claimed = await room.sandbox.dispute(intent["id"])
    await hear_everything(room)
    await equal_to_stripe(room)
    balances = await room.balances()
    assert balances[entries.DISPUTED] == 1_650
    assert balances[entries.connected_balance(room.consultant)] == 0, "what is disputed cannot be paid out"
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        [row] = await dispute_store.of_charge(tx, charge.id)
        evidence = {"uncategorized_text": "They talked for eleven minutes."}
        for own in (room.customer, room.consultant):
            with pytest.raises(Forbidden):
                await room.disputes.submit(tx, row.id, evidence, own)
        await room.disputes.submit(tx, row.id, evidence, UserId(new_id()))
    await room.work()
    [seen] = (await room.sandbox.state())["dispute"]
    assert (seen["status"], seen["evidence"]) == (
        "under_review",
        {"uncategorized_text": "They talked for eleven minutes."},
    )
    with pytest.raises(Conflict):
        await refund(room, call, 100)
    await room.sandbox.decide(claimed, outcome)
    await hear_everything(room)
    await equal_to_stripe(room)
    if outcome == "won":  # our balance is too small for the share just now (the fee of 20.00): it is asked for again
        await top_up(room)
        for _ in range(3):
            room.clock.advance(timedelta(minutes=11))
            await room.work()
    await hear_everything(room)
    await equal_to_stripe(room)
    balances = await room.balances()
    assert balances[entries.DISPUTED] == 0
    assert balances[entries.connected_balance(room.consultant)] == (1_402 if outcome == "won" else 0)
    assert balances[entries.COMMISSION] == (-248 if outcome == "won" else 0)
    assert balances[entries.payable(room.consultant)] == 0
    assert balances[entries.receivable(room.customer)] == 0
    async with room.db.begin() as tx:
        [row] = await dispute_store.of_charge(tx, charge.id)
    assert (row.status, row.closed_at is not None, row.fee_minor) == (outcome, True, 1_500)


@pytest.mark.parametrize("outcomes", [("lost", "won", "lost"), ("won", "lost", "won")])
async def test_an_appeal_that_turns_a_dispute_is_booked_and_the_share_follows_it(
    room: Room, outcomes: tuple[str, ...]
) -> None:
    call = await paid_call(room)
    await top_up(room)
    [intent] = await room.intents()
    claimed = await room.sandbox.dispute(intent["id"])
    await hear_everything(room)
    for turns, outcome in enumerate(outcomes):
        await room.sandbox.decide(claimed, outcome)
        await hear_everything(room)
        await hear_everything(room)  # what was moved by the first hearing is heard of too, and all of it twice
        await equal_to_stripe(room)
        balances = await room.balances()
        won = outcome == "won"
        assert balances[entries.DISPUTED] == 0
        assert balances[entries.connected_balance(room.consultant)] == (1_402 if won else 0)
        assert balances[entries.COMMISSION] == (-248 if won else 0)
        assert balances[entries.payable(room.consultant)] == 0
        assert balances[entries.receivable(room.customer)] == 0
        charge = await room.charge(call)
        async with room.db.begin() as tx:
            [row] = await dispute_store.of_charge(tx, charge.id)
        assert (row.status, row.turns) == (outcome, turns)


async def test_an_inquiry_moves_nothing(room: Room) -> None:
    call = await paid_call(room)
    before = await room.balances()
    await room.sandbox.dispute((await room.intents())[0]["id"], inquiry=True)
    await hear_everything(room)
    assert await room.balances() == before
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        [row] = await dispute_store.of_charge(tx, charge.id)
    assert row.status == "warning_needs_response"


async def test_an_inquiry_that_becomes_a_dispute_is_about_what_was_not_given_back_since(room: Room) -> None:
    call = await paid_call(room)
    claimed = await room.sandbox.dispute((await room.intents())[0]["id"], inquiry=True)
    await refund(room, call, 660)  # nobody has told us of the bank's question yet
    await hear_everything(room)
    charge = await room.charge(call)
    await room.sandbox.decide(claimed, "escalated")
    await hear_everything(room)
    await equal_to_stripe(room)
    async with room.db.begin() as tx:
        [row] = await dispute_store.of_charge(tx, charge.id)
    assert (row.amount_minor, row.withdrawn_minor) == (990, 990)


async def test_a_payout_is_the_sum_of_its_lines_and_a_failed_one_comes_back(room: Room) -> None:
    await paid_call(room)
    await refund(room, await paid_call(room), 500)
    account = await account_of(room)
    [payout] = await room.sandbox.pay_out(account)
    await hear_everything(room)
    await equal_to_stripe(room)
    async with room.db.begin() as tx:
        row = await tx.session.get(PayoutRow, payout)
        assert row is not None
        lines = await room.money.lines(tx, payout, consultant=room.consultant)
    assert row.status == "in_transit"
    assert sum(line.net_minor for line in lines) == row.amount_minor == row.lines_minor == 2 * 1_402 - 425
    assert all(line.charge_id for line in lines), "a returned commission names its call, too"
    await room.sandbox.settle_payout(payout)
    await hear_everything(room)
    await room.sandbox.fail_payout(payout)
    await hear_everything(room)
    await equal_to_stripe(room)
    async with room.db.begin() as tx:
        failed = await tx.session.get(PayoutRow, payout)
        assert failed is not None
        state = await room.money.state(tx, room.consultant)
        cases = list(await tx.session.scalars(text("SELECT kind FROM billing_case")))
    assert (failed.status, failed.failure_code) == ("failed", "account_closed")
    assert cases == ["payout_failed"]
    assert not state.payouts_enabled
    assert state.requirements["due"] == ["external_account"]
    asked = await room.payouts.begin(room.consultant)
    assert asked.can_receive
    assert asked.onboarding_url is not None, "the bank account is given anew where onboarding went on"
    await room.sandbox.onboard(asked.onboarding_url)
    assert (await room.payouts.begin(room.consultant)).onboarding_url is None


async def test_a_held_account_is_not_paid_out_until_a_second_person_agrees(room: Room) -> None:
    room.money._limit = 1_000
    await paid_call(room)
    account = await account_of(room)
    holder, releaser = UserId(new_id()), UserId(new_id())
    async with room.db.begin() as tx:
        await room.money.hold(tx, room.consultant, "documents are missing", holder)
    await room.work()
    seen = await room.gateway.retrieve_account(account)
    assert seen.payout_interval == "manual"
    with pytest.raises(AssertionError, match="manual"):
        await room.sandbox.pay_out(account)
    async with room.db.begin() as tx:
        assert not await room.money.release(tx, room.consultant, holder, "they came")
        [waiting] = await approvals.waiting(tx)
        decided = await approvals.decide(tx, waiting.id, releaser, approved=True)
        await room.money.decided(tx, decided, releaser)
    await room.work()
    seen = await room.gateway.retrieve_account(account)
    assert schedule(seen) == ("weekly", "monday", None, 14)
    assert len(await room.sandbox.pay_out(account)) == 1


async def test_a_schedule_is_told_to_stripe_even_when_it_does_not_answer(room: Room) -> None:
    await room.sandbox.misbehave("timeout_after_success", "accounts.update")
    await room.sandbox.misbehave("error_500", "accounts.update")
    wanted = chosen("monthly", weekly_anchor=None, monthly_anchor=3, delay_days=21)
    async with room.db.begin() as tx:
        await room.money.choose(tx, room.consultant, wanted)
    for _ in range(4):
        await room.work()
        room.clock.advance(timedelta(minutes=5))
    seen = await room.gateway.retrieve_account(await account_of(room))
    assert schedule(seen) == ("monthly", None, 3, 21)
    async with room.db.begin() as tx:
        state = await room.money.state(tx, room.consultant)
    assert state.schedule == state.wanted_schedule == wanted.as_json()


async def test_a_capture_that_finds_its_hold_lapsed_is_collected(room: Room) -> None:
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    call = await paid_call(room)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 1_650)
    assert [hold.purpose for hold in await room.holds(call)] == ["call", "collection"]
    await equal_to_stripe(room)
    async with room.db.begin() as tx:
        assert not await room.collection.limits(tx, room.customer)


async def test_a_capture_refused_for_good_is_let_go_and_collected_at_once(room: Room) -> None:
    await room.sandbox.misbehave("capture_refused", "payment_intents.capture")
    call = await paid_call(room)
    await room.work()  # the attempt was due when the hold was gone: the next tick makes it
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 1_650)
    assert [(hold.purpose, hold.state) for hold in await room.holds(call)] == [
        ("call", "released"),
        ("collection", "captured"),
    ]
    assert sorted(intent["status"] for intent in await room.intents()) == ["canceled", "succeeded"]
    assert charge.settled_at == charge.settling_at, "not a minute later"
    await equal_to_stripe(room)


async def test_a_call_accepted_while_a_payment_failed_does_not_begin(room: Room) -> None:
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    first = await room.open()
    await room.talk(first, 660_000)
    await room.sandbox.misbehave("decline", "payment_intents.confirm", decline_code="insufficient_funds")
    await room.end(first)
    second = await room.open()  # it rang before; the accept comes after
    assert (await room.charge(second)).state == "abandoned"
    assert await room.holds(second) == []
    [failed] = [event for event in room.heard if isinstance(event, HoldFailed)]
    assert failed == HoldFailed(second, "payment_unavailable"), "the consultant learns nothing of a debt"


async def test_what_cannot_be_collected_is_tried_by_plan_then_written_off(room: Room) -> None:
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    call = await room.open()
    await room.talk(call, 660_000)
    await room.sandbox.misbehave("decline", "payment_intents.confirm", times=5, decline_code="insufficient_funds")
    await room.end(call)
    async with room.db.begin() as tx:
        [owed] = await room.collection.owed(tx, room.customer)
        assert await room.collection.limits(tx, room.customer)
    assert (owed.amount_minor, owed.attempts) == (1_650, 1)
    assert owed.last_message == "Your card has insufficient funds."
    for hours in (1, 23, 48, 96):
        assert (await room.charge(call)).state == "settling"
        room.clock.advance(timedelta(hours=hours, minutes=1))
        await room.work()
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("uncollectable", 0)
    assert len(await room.holds(call)) == 6
    balances = await room.balances()
    assert set(balances.values()) == {0}
    async with room.db.begin() as tx:
        assert await room.collection.limits(tx, room.customer), "until finance has looked at it"


async def test_the_customer_pays_what_is_owed_by_a_click_with_three_d_secure(room: Room) -> None:
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    call = await room.open()
    await room.talk(call, 660_000)
    await room.sandbox.misbehave("decline", "payment_intents.confirm")
    await room.end(call)
    charge = await room.charge(call)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    key = new_id()
    async with room.db.begin() as tx:
        await room.collection.pay(tx, room.customer, charge.id, key)
        await room.collection.pay(tx, room.customer, charge.id, key)
    await room.work()
    waiting = (await room.holds(call))[-1]
    assert (waiting.state, len(await room.holds(call))) == ("needs_action", 3)
    assert waiting.provider_id is not None
    await room.sandbox.authenticate(waiting.provider_id)
    await room.charges.take_in(waiting.provider_id)
    await room.work()
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 1_650)
    await equal_to_stripe(room)


async def test_a_hold_that_will_soon_lapse_opens_one_case(room: Room) -> None:
    call = await room.open()
    [hold] = await room.holds(call)
    assert hold.capture_before is not None
    room.clock.advance(hold.capture_before - room.clock.now() - timedelta(days=2))
    await room.work()
    await room.work()
    async with room.db.begin() as tx:
        kinds = list(await tx.session.scalars(text("SELECT kind FROM billing_case")))
    assert kinds == ["hold_lapses_soon"]
