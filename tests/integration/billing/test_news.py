"""What Stripe tells of cards and accounts by itself: each event is followed by a look, and none is needed for ever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from billing.events import PayoutAccountChanged
from billing.models import PayoutAccountRow
from billing.payouts.service import DEPARTED
from core.errors import Conflict
from tests.integration.billing.room import Room
from tests.integration.billing.test_cards import MASTERCARD, add, cards, expire, row_of
from tests.integration.billing.test_inbox import deliver


async def told(room: Room, kind: str) -> None:
    """Stripe's events of this kind are delivered and worked off."""
    events = [event for event in await room.gateway.list_events() if event.type == kind]
    assert events, f"the sandbox sends no {kind}"
    for event in events:
        await deliver(room, event)
    await room.work()


async def fill_in(room: Room, number: str = MASTERCARD) -> str:
    """The customer fills the form in, and the tab closes; the form's id."""
    form = await room.cards.begin(room.customer)
    await room.sandbox.save_card(form.setup_intent_id, form.client_secret, number)
    return form.setup_intent_id


async def last4s(room: Room) -> list[str]:
    return [card.last4 for card in await cards(room)]


async def account(room: Room) -> PayoutAccountRow:
    async with room.db.begin() as tx:
        row = await tx.session.get(PayoutAccountRow, room.consultant)
    assert row is not None
    assert row.provider_account_id is not None
    return row


async def outcomes(room: Room, kind: str) -> Sequence[str]:
    async with room.db.begin() as tx:
        found = await tx.session.execute(text("SELECT outcome FROM stripe_event WHERE type = :kind"), {"kind": kind})
        return [row.outcome for row in found]


async def test_a_card_saved_as_the_tab_closed_is_known_by_its_event(room: Room) -> None:
    await fill_in(room)
    assert await last4s(room) == ["4242"]
    await told(room, "setup_intent.succeeded")
    assert await last4s(room) == ["4242", "4444"]
    await told(room, "setup_intent.succeeded")
    assert await last4s(room) == ["4242", "4444"], "told twice, it is one card"


async def test_a_form_whose_id_was_never_written_down_is_found_by_ours(room: Room) -> None:
    form = await fill_in(room)
    async with room.db.begin() as tx:
        forgotten = "UPDATE card_setup SET setup_intent_id = NULL WHERE setup_intent_id = :form"
        await tx.session.execute(text(forgotten), {"form": form})
    await told(room, "setup_intent.succeeded")
    assert await last4s(room) == ["4242", "4444"]


async def test_the_event_before_the_browser_leaves_the_customer_their_wish(room: Room) -> None:
    form = await fill_in(room)
    await told(room, "setup_intent.succeeded")
    assert [card.default for card in await cards(room)] == [True, False]
    await room.cards.complete(room.customer, form, make_default=True)
    assert [(card.last4, card.default) for card in await cards(room)] == [("4444", True), ("4242", False)]


async def test_an_event_saves_no_more_cards_in_an_hour_than_a_browser_may(room: Room) -> None:
    await add(room)
    await add(room)  # with the first one: three
    with pytest.raises(Exception, match="Only 3 new cards an hour"):
        await room.cards.begin(room.customer)
    async with room.db.begin() as tx:  # a form begun an hour ago and finished just now
        await tx.session.execute(text("UPDATE card_setup SET completed_at = completed_at - interval '2 hours'"))
    form = await fill_in(room)
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE card_setup SET completed_at = completed_at + interval '2 hours'"))
    await told(room, "setup_intent.succeeded")
    assert len(await cards(room)) == 3
    room.clock.advance(timedelta(hours=2))
    await room.cards.complete(room.customer, form)
    assert len(await cards(room)) == 4


async def test_a_card_with_a_later_end_is_good_for_holds_again(room: Room) -> None:
    [card] = await cards(room)
    await expire(room, card)
    await room.sandbox.renew_card(card.payment_method_id, last4="0077", exp_month=3, exp_year=2041)
    async with room.db.begin() as tx:
        assert not await room.cards.ready(tx, room.customer)
    await told(room, "payment_method.automatically_updated")
    [renewed] = await cards(room)
    assert (renewed.last4, renewed.exp_month, renewed.exp_year, renewed.expired) == ("0077", 3, 2041, False)
    async with room.db.begin() as tx:
        assert await room.cards.ready(tx, room.customer)


async def test_a_card_that_was_updated_at_stripe_is_looked_at(room: Room) -> None:
    [card] = await cards(room)
    await room.sandbox.tamper(card.payment_method_id, "card.exp_year", 2040)
    events = await room.gateway.list_events()
    attached = next(event for event in events if event.object_id == card.payment_method_id)
    await deliver(room, replace(attached, type="payment_method.updated"))
    await room.work()
    assert [card.exp_year for card in await cards(room)] == [2040]


async def test_a_card_that_stripe_detached_is_gone_and_the_next_one_is_asked(room: Room) -> None:
    [first] = await cards(room)
    second = await add(room)
    await room.gateway.detach(first.payment_method_id, idempotency_key="elsewhere")
    await told(room, "payment_method.detached")
    assert [(card.payment_method_id, card.default) for card in await cards(room)] == [(second.payment_method_id, True)]
    row = await row_of(room, first)
    assert row.removed_at is not None
    assert row.detached_at is not None


async def test_cards_that_are_not_ours_are_left_alone(room: Room) -> None:
    customer = await room.gateway.ensure_customer(metadata={}, idempotency_key="somebody")
    intent = await room.gateway.create_setup_intent(customer, idempotency_key="their form")
    await room.sandbox.save_card(intent.id, intent.client_secret, MASTERCARD)
    before = await outcomes(room, "setup_intent.succeeded")
    await told(room, "setup_intent.succeeded")
    assert "not_ours" in (await outcomes(room, "setup_intent.succeeded"))[len(before) :]
    assert await last4s(room) == ["4242"]


async def test_an_account_that_left_us_receives_nothing_any_more(room: Room) -> None:
    here = await account(room)
    await room.sandbox.depart(str(here.provider_account_id))
    await told(room, "account.application.deauthorized")
    gone = await account(room)
    assert (gone.can_receive, gone.payouts_enabled, gone.schedule_due_at) == (False, False, None)
    assert gone.requirements is not None
    assert gone.requirements["disabled_reason"] == DEPARTED
    assert room.heard == [PayoutAccountChanged(room.consultant, can_receive=False)]
    assert not (await room.payouts.status(room.consultant)).can_receive
    with pytest.raises(Conflict, match="no longer connected"):
        await room.payouts.begin(room.consultant)


async def test_what_no_event_told_of_an_account_is_known_a_day_later(room: Room) -> None:
    here = await account(room)
    await room.sandbox.restrict(str(here.provider_account_id), "external_account")
    assert await room.watch.run_due(room.db) == 0, "it was looked at a moment ago"
    room.clock.advance(timedelta(hours=24, minutes=1))
    assert await room.watch.run_due(room.db) == 1
    await room.work()
    assert not (await account(room)).can_receive
    assert room.heard == [PayoutAccountChanged(room.consultant, can_receive=False)]
    assert await room.watch.run_due(room.db) == 0, "until tomorrow"


async def test_an_answer_that_may_be_older_than_somebody_elses_is_not_believed(room: Room) -> None:
    here = await account(room)
    number = str(here.provider_account_id)
    async with room.db.begin() as tx:  # a webhook's look, begun and ended while ours was on its way
        row = await tx.session.get(PayoutAccountRow, room.consultant)
        assert row is not None
        row.can_receive, row.look_due_at = False, tx.now + timedelta(days=1, seconds=1)
    await room.payouts.look(number)
    assert not (await account(room)).can_receive
    assert await room.watch.run_due(room.db) == 1, "asked again at once"
    await room.work()
    assert (await account(room)).can_receive


async def test_an_account_stripe_did_not_answer_about_is_asked_again(room: Room) -> None:
    here = await account(room)
    await room.sandbox.restrict(str(here.provider_account_id), "external_account")
    room.clock.advance(timedelta(hours=24, minutes=1))
    await room.sandbox.misbehave("down", "accounts", times=20)
    assert await room.watch.run_due(room.db) == 1
    await room.work()
    assert (await account(room)).can_receive
    await room.sandbox.behave()
    assert await room.watch.run_due(room.db) == 0
    room.clock.advance(timedelta(minutes=16))
    assert await room.watch.run_due(room.db) == 1
    await room.work()
    assert not (await account(room)).can_receive
