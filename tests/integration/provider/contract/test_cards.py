"""The contract of customers and their saved cards: made, saved, refused, preferred, removed."""

import pytest
import stripe

from billing.provider.objects import SetupStatus
from tests.integration.provider.contract.side import BACK, Side, fresh


async def test_a_customer_is_made_once_per_key(side: Side) -> None:
    key = fresh("cus")
    customer_id = await side.gateway.ensure_customer(metadata={"user": "7"}, idempotency_key=key)
    assert await side.gateway.ensure_customer(metadata={"user": "7"}, idempotency_key=key) == customer_id
    found = await side.sdk.customers.retrieve_async(customer_id)
    assert (found.id, found.object, found.livemode) == (customer_id, "customer", False)
    assert found.metadata.to_dict() == {"user": "7"}
    assert await side.gateway.list_payment_methods(customer_id) == []


async def test_a_card_is_saved_for_later(side: Side) -> None:
    customer_id = await side.customer()
    setup = await side.gateway.create_setup_intent(customer_id, idempotency_key=fresh("seti"), metadata={"n": "1"})
    assert (setup.status, setup.payment_method_id) == (SetupStatus.REQUIRES_PAYMENT_METHOD, None)
    assert setup.client_secret.startswith(setup.id)
    await side.confirm_setup(setup.id, "pm_card_visa")
    saved = await side.gateway.retrieve_setup_intent(setup.id)
    assert (saved.status, saved.customer_id, saved.decline) == (SetupStatus.SUCCEEDED, customer_id, None)
    assert saved.metadata == {"n": "1"}
    assert saved.payment_method_id is not None
    method = await side.gateway.retrieve_payment_method(saved.payment_method_id)
    assert method.customer_id == customer_id
    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("visa", "4242")
    assert method.card.fingerprint
    assert await side.gateway.list_payment_methods(customer_id) == [method]


async def test_the_same_card_has_the_same_fingerprint_everywhere(side: Side) -> None:
    found = []
    for card in ("pm_card_visa", "pm_card_visa", "pm_card_mastercard"):
        method = await side.gateway.retrieve_payment_method(await side.saved(await side.customer(), card))
        assert method.card is not None
        found.append(method.card.fingerprint)
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"),
    ],
)
async def test_a_card_the_bank_refuses_is_not_saved_and_another_may_follow(
    side: Side, card: str, decline_code: str
) -> None:
    customer_id = await side.customer()
    setup = await side.gateway.create_setup_intent(customer_id, idempotency_key=fresh("seti"))
    with pytest.raises(stripe.CardError) as declined:
        await side.confirm_setup(setup.id, card)
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert declined.value.error.decline_code == decline_code
    after = await side.gateway.retrieve_setup_intent(setup.id)
    assert after.status is SetupStatus.REQUIRES_PAYMENT_METHOD
    assert after.decline is not None
    assert after.decline.decline_code == decline_code
    assert await side.gateway.list_payment_methods(customer_id) == []
    await side.confirm_setup(setup.id, "pm_card_visa")
    assert (await side.gateway.retrieve_setup_intent(setup.id)).status is SetupStatus.SUCCEEDED


@pytest.mark.parametrize("card", ["pm_card_authenticationRequiredOnSetup", "pm_card_authenticationRequired"])
async def test_a_bank_may_want_to_see_the_customer_when_a_card_is_saved(side: Side, card: str) -> None:
    # docs.stripe.com/testing, 'Authentication and setup'. What the customer then does needs a browser, so it ends here.
    customer_id = await side.customer()
    setup = await side.gateway.create_setup_intent(customer_id, idempotency_key=fresh("seti"))
    await side.confirm_setup(setup.id, card)
    asked = await side.gateway.retrieve_setup_intent(setup.id)
    assert asked.status is SetupStatus.REQUIRES_ACTION
    assert asked.authenticate_url is not None
    assert asked.authenticate_url.startswith("http")
    assert await side.gateway.list_payment_methods(customer_id) == []


async def test_a_customer_has_a_default_card_of_their_own(side: Side) -> None:
    customer_id = await side.customer()
    await side.saved(customer_id)
    second = await side.saved(customer_id, "pm_card_mastercard")
    chosen = {"invoice_settings": {"default_payment_method": second}}
    await side.sdk.customers.update_async(customer_id, chosen)
    found = await side.sdk.customers.retrieve_async(customer_id)
    assert found.invoice_settings.default_payment_method == second
    with pytest.raises(stripe.InvalidRequestError):
        await side.sdk.customers.update_async(await side.customer(), chosen)


async def test_a_removed_card_is_gone_for_good(side: Side) -> None:
    # docs.stripe.com/api/payment_methods/detach: "Detachment is permanent and irreversible"
    customer_id = await side.customer()
    first, second = await side.saved(customer_id), await side.saved(customer_id, "pm_card_mastercard")
    key = fresh("detach")
    for _ in range(2):  # the same key: the same answer
        assert (await side.gateway.detach(first, idempotency_key=key)).customer_id is None
    assert [method.id for method in await side.gateway.list_payment_methods(customer_id)] == [second]
    with pytest.raises(stripe.InvalidRequestError):
        await side.sdk.payment_methods.attach_async(first, {"customer": customer_id})
    setup = await side.gateway.create_setup_intent(customer_id, idempotency_key=fresh("seti"))
    with pytest.raises(stripe.InvalidRequestError):
        await side.sdk.setup_intents.confirm_async(setup.id, {"payment_method": first, "return_url": BACK})
