"""Enlarging a hold, charging a customer who is away, a lapse at the capture, and the list of cards."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from billing.provider.errors import ProviderDeclined, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import HoldStatus
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]
BACK = "http://localhost:8000/back"


async def test_a_hold_is_enlarged_and_captured_as_a_whole(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed(6_000)
    assert hold.incremental
    for _ in range(2):
        larger = await gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key="i:1")
        assert (larger.amount_minor, larger.capturable_minor) == (9_000, 9_000)
    assert larger.capture_before == hold.capture_before  # more money, no more time
    taken = await gateway.capture(hold.id, amount_minor=8_000, fee_minor=1_200, idempotency_key="c")
    assert taken.captured_minor == 8_000


@pytest.mark.parametrize("amount", [6_000, 5_999, 0])
async def test_an_increment_names_the_larger_whole(gateway: StripeGateway, people: Make, amount: int) -> None:
    hold = await (await people()).confirmed(6_000)
    with pytest.raises(ProviderRejected):
        await gateway.increment_hold(hold.id, amount_minor=amount, idempotency_key="i:1")


async def test_a_declined_increment_leaves_the_hold_as_it_was(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).confirmed(6_000)
    await bank.misbehave("decline", "payment_intents.increment_authorization", decline_code="insufficient_funds")
    with pytest.raises(ProviderDeclined) as declined:
        await gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key="i:1")
    assert declined.value.decline_code == "insufficient_funds"
    assert await gateway.retrieve_hold(hold.id) == hold


async def test_the_eleventh_increment_is_refused(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed(6_000)
    for n in range(1, 11):
        await gateway.increment_hold(hold.id, amount_minor=6_000 + n, idempotency_key=f"i:{n}")
    with pytest.raises(ProviderRejected):
        await gateway.increment_hold(hold.id, amount_minor=7_000, idempotency_key="i:11")


async def test_a_card_without_increments_says_so(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people("5555555555554444")).confirmed(6_000)
    assert not hold.incremental
    with pytest.raises(ProviderRejected):
        await gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key="i:1")


async def test_only_a_hold_that_stands_is_enlarged(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).captured()
    with pytest.raises(ProviderRejected) as refused:
        await gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key="i:1")
    assert refused.value.provider_code == "payment_intent_unexpected_state"


async def test_a_customer_who_is_away_is_charged_or_declined_but_never_sent_anywhere(
    gateway: StripeGateway, people: Make
) -> None:
    hold = await (await people()).hold()
    stands = await gateway.confirm_hold(hold.id, return_url=BACK, idempotency_key="o:1", off_session=True)
    assert stands.status is HoldStatus.REQUIRES_CAPTURE
    wary = await (await people("4000002760003184", authenticate=True)).hold()
    with pytest.raises(ProviderDeclined) as declined:
        await gateway.confirm_hold(wary.id, return_url=BACK, idempotency_key="o:2", off_session=True)
    assert declined.value.code == "authentication_required"
    after = await gateway.retrieve_hold(wary.id)
    assert (after.status, after.authenticate_url) == (HoldStatus.REQUIRES_PAYMENT_METHOD, None)


async def test_a_capture_may_find_the_authorization_lapsed(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.confirmed()
    await bank.misbehave("capture_expires")
    for _ in range(2):
        with pytest.raises(ProviderRejected) as refused:
            await gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key="c")
        assert refused.value.provider_code == "charge_expired_for_capture"
    after = await gateway.retrieve_hold(hold.id)
    assert (after.status, after.cancellation_reason) == (HoldStatus.CANCELED, "automatic")
    assert await someone.balances() == (0, 0)


async def test_a_customers_cards_are_listed_newest_first(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    setup = await gateway.create_setup_intent(someone.customer_id, idempotency_key=f"seti:{uuid4()}")
    await bank.save_card(setup.id, setup.client_secret, "5555555555554444")
    newest, first = await gateway.list_payment_methods(someone.customer_id)
    assert first.id == someone.payment_method_id
    assert newest.card is not None
    assert first.card is not None
    assert (newest.card.brand, first.card.brand) == ("mastercard", "visa")
    assert newest.card.fingerprint != first.card.fingerprint
    same_card = (await people()).payment_method_id
    again = await gateway.retrieve_payment_method(same_card)
    assert again.card is not None
    assert again.card.fingerprint == first.card.fingerprint
    await gateway.detach(newest.id, idempotency_key="d")
    assert [one.id for one in await gateway.list_payment_methods(someone.customer_id)] == [first.id]
    with pytest.raises(ProviderRejected):
        await gateway.list_payment_methods("cus_nothing")
