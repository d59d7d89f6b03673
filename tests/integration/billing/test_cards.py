"""Saved cards: several, one of them the default; removed here at once and at Stripe for certain."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from billing.cards import CardInUse, CardService, SavedCard
from billing.models import SavedCardRow
from core.errors import NotFound, Refused, TooMany
from core.ids import UserId, new_id
from tests.integration.billing.room import Room

MASTERCARD = "5555555555554444"


async def add(room: Room, number: str = MASTERCARD, *, make_default: bool = False) -> SavedCard:
    form = await room.cards.begin(room.customer)
    await room.sandbox.save_card(form.setup_intent_id, form.client_secret, number)
    before = {card.payment_method_id for card in await cards(room)}
    after = await room.cards.complete(room.customer, form.setup_intent_id, make_default=make_default)
    [new] = [card for card in after if card.payment_method_id not in before]
    return new


async def cards(room: Room) -> list[SavedCard]:
    async with room.db.begin() as tx:
        return await room.cards.cards(tx, room.customer)


async def remove(room: Room, card: SavedCard) -> list[SavedCard]:
    async with room.db.begin() as tx:
        return await room.cards.remove(tx, room.customer, card.payment_method_id)


async def row_of(room: Room, card: SavedCard) -> SavedCardRow:
    async with room.db.begin() as tx:
        row = await tx.session.get(SavedCardRow, card.payment_method_id)
    assert row is not None
    return row


async def attached(room: Room) -> set[str]:
    methods = (await room.sandbox.state())["payment_method"]
    return {method["id"] for method in methods if method["customer"] is not None}


async def expire(room: Room, card: SavedCard) -> None:
    async with room.db.begin() as tx:
        row = await tx.session.get(SavedCardRow, card.payment_method_id)
        assert row is not None
        row.exp_month, row.exp_year = 12, tx.now.year - 1


async def test_the_first_card_is_the_default_and_a_later_one_only_when_asked(room: Room) -> None:
    [first] = await cards(room)
    assert first.default
    room.clock.advance(timedelta(minutes=1))
    second = await add(room)
    assert not second.default
    third = await add(room, make_default=True)
    assert [(card.payment_method_id, card.default) for card in await cards(room)] == [
        (third.payment_method_id, True),
        (second.payment_method_id, False),
        (first.payment_method_id, False),
    ]


async def test_a_hold_is_placed_with_the_card_that_was_made_the_default(room: Room) -> None:
    second = await add(room)
    async with room.db.begin() as tx:
        await room.cards.make_default(tx, room.customer, second.payment_method_id)
    await room.open()
    assert [intent["payment_method"] for intent in await room.intents()] == [second.payment_method_id]


async def test_a_card_in_use_stays_until_its_charge_is_settled_even_when_another_is_the_default(room: Room) -> None:
    [first] = await cards(room)
    call = await room.open()
    second = await add(room, make_default=True)
    with pytest.raises(CardInUse) as refused:
        await remove(room, first)
    assert refused.value.code == "card_in_use"
    assert first.payment_method_id in await attached(room)
    await room.talk(call, 660_000)
    await room.end(call)
    assert [card.payment_method_id for card in await remove(room, first)] == [second.payment_method_id]


async def test_the_default_passes_to_the_newest_other_valid_card(room: Room) -> None:
    [first] = await cards(room)
    room.clock.advance(timedelta(minutes=1))
    older = await add(room)
    room.clock.advance(timedelta(minutes=1))
    newest = await add(room)
    await expire(room, newest)
    left = await remove(room, first)
    assert [(card.payment_method_id, card.default, card.expired) for card in left] == [
        (older.payment_method_id, True, False),
        (newest.payment_method_id, False, True),
    ]


async def test_an_expired_card_is_marked_never_held_on_and_makes_room_for_the_next(room: Room) -> None:
    [first] = await cards(room)
    await expire(room, first)
    assert [card.expired for card in await cards(room)] == [True]
    async with room.db.begin() as tx:
        assert not await room.cards.ready(tx, room.customer)
        with pytest.raises(Refused, match="expired"):
            await room.cards.make_default(tx, room.customer, first.payment_method_id)
    call = await room.open()
    assert (await room.charge(call)).state == "abandoned"
    assert await room.intents() == []
    assert (await add(room)).default


async def test_a_card_is_good_through_the_last_day_of_its_month(room: Room) -> None:
    [card] = await cards(room)
    async with room.db.begin() as tx:
        row = await tx.session.get(SavedCardRow, card.payment_method_id)
        assert row is not None
        row.exp_month, row.exp_year = tx.now.month, tx.now.year
    async with room.db.begin() as tx:
        assert await room.cards.ready(tx, room.customer)
    room.clock.advance(timedelta(days=31))
    async with room.db.begin() as tx:
        assert not await room.cards.ready(tx, room.customer)


async def test_the_fourth_new_card_within_an_hour_is_refused_and_is_not_after_it(room: Room) -> None:
    room.clock.advance(timedelta(minutes=10))  # the first one was saved at the beginning
    await add(room)
    fourth = await room.cards.begin(room.customer)  # begun while there was still room for it
    await room.sandbox.save_card(fourth.setup_intent_id, fourth.client_secret, MASTERCARD)
    await remove(room, await add(room))  # removing makes no room
    with pytest.raises(TooMany) as refused:
        await room.cards.begin(room.customer)
    assert refused.value.retry_after_s == 50 * 60
    with pytest.raises(TooMany):
        await room.cards.complete(room.customer, fourth.setup_intent_id)
    room.clock.advance(timedelta(minutes=50))
    assert len(await room.cards.complete(room.customer, fourth.setup_intent_id)) == 3


async def test_a_form_sent_again_does_not_bring_a_removed_card_back(room: Room) -> None:
    form = await room.cards.begin(room.customer)
    await room.sandbox.save_card(form.setup_intent_id, form.client_secret, MASTERCARD)
    await room.cards.complete(room.customer, form.setup_intent_id, make_default=True)
    await remove(room, (await cards(room))[0])
    assert [card.last4 for card in await room.cards.complete(room.customer, form.setup_intent_id)] == ["4242"]


@pytest.mark.parametrize("kind", ["down", "rate_429", "timeout_after_success", "error_500", "error_500_after_success"])
async def test_stripe_forgets_a_removed_card_whatever_goes_wrong_on_the_way(room: Room, kind: str) -> None:
    [card] = await cards(room)
    await room.sandbox.misbehave(kind, "payment_methods.detach", times=2)
    assert await remove(room, card) == []
    assert (await row_of(room, card)).detach_key == f"detach:{card.payment_method_id}"
    while (await row_of(room, card)).detached_at is None:
        await room.work()
        async with room.db.begin() as tx:  # a job that failed waits for its next turn: let that be now
            await tx.session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = NULL"))
    assert await attached(room) == set()


async def test_a_detach_that_stripe_had_done_already_is_done(room: Room) -> None:
    [card] = await cards(room)
    await remove(room, card)
    await room.gateway.detach(card.payment_method_id, idempotency_key="another key, as after 24 hours")
    await room.work()
    assert (await row_of(room, card)).detached_at is not None


async def test_with_a_publishable_key_and_no_sandbox_the_page_is_given_the_key(room: Room) -> None:
    real = room.settings.model_copy(update={"stripe_public_base": "", "stripe_publishable_key": "pk_test_x"})
    form = await CardService(db=room.db, gateway=room.gateway, settings=real).begin(room.customer)
    assert (form.form_url, form.publishable_key) == (None, "pk_test_x")
    neither = real.model_copy(update={"stripe_publishable_key": ""})
    with pytest.raises(Refused) as refused:
        await CardService(db=room.db, gateway=room.gateway, settings=neither).begin(room.customer)
    assert refused.value.code == "cards_not_configured"
    sandbox = await room.cards.begin(room.customer)
    assert sandbox.form_url is not None
    assert sandbox.publishable_key is None


async def test_another_customers_cards_are_not_there(room: Room) -> None:
    [card] = await cards(room)
    stranger = UserId(new_id())
    async with room.db.begin() as tx:
        assert await room.cards.cards(tx, stranger) == []
        with pytest.raises(NotFound):
            await room.cards.remove(tx, stranger, card.payment_method_id)
        with pytest.raises(NotFound):
            await room.cards.make_default(tx, stranger, card.payment_method_id)
    assert (await cards(room))[0].default
