"""The same promises against Stripe's own test mode: skipped, and said so, without STRIPE_TEST_KEY."""

from uuid import uuid4

import pytest

from billing.provider.errors import ProviderDeclined, ProviderMissing
from billing.provider.gateway import StripeGateway
from billing.provider.objects import SetupStatus


async def test_a_customer_and_a_setup_intent_are_made_once_per_key(stripe_itself: StripeGateway) -> None:
    mark = uuid4()
    customer_id = await stripe_itself.ensure_customer(metadata={"test": str(mark)}, idempotency_key=f"cus:{mark}")
    again = await stripe_itself.ensure_customer(metadata={"test": str(mark)}, idempotency_key=f"cus:{mark}")
    assert again == customer_id
    setup = await stripe_itself.create_setup_intent(customer_id, idempotency_key=f"seti:{mark}")
    assert setup.status is SetupStatus.REQUIRES_PAYMENT_METHOD
    assert (await stripe_itself.retrieve_setup_intent(setup.id)).customer_id == customer_id


async def test_what_does_not_exist_is_missing(stripe_itself: StripeGateway) -> None:
    with pytest.raises((ProviderMissing, ProviderDeclined)):
        await stripe_itself.retrieve_hold("pi_nothing")
