"""Webhooks arrive signed, again when refused, and as badly as the network may bring them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from billing.provider.errors import WebhookForged
from billing.provider.gateway import StripeGateway
from tests.fakes.sandbox import API_KEY, WEBHOOK_SECRET, RunningSandbox, as_process, in_process
from tests.integration.provider.endpoint import Endpoint, listening


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def bank(endpoint: Endpoint) -> AsyncIterator[RunningSandbox]:
    async with listening(endpoint) as url, in_process(webhook_url=url) as running:
        yield running


async def test_an_event_is_signed_as_stripe_signs(endpoint: Endpoint, gateway: StripeGateway) -> None:
    customer_id = await gateway.ensure_customer(metadata={"user": "1"}, idempotency_key="c")
    assert await endpoint.types(1) == ["customer.created"]
    assert endpoint.events[0].object_id == customer_id


async def test_an_event_is_sent_again_until_it_is_taken(endpoint: Endpoint, gateway: StripeGateway) -> None:
    endpoint.refusals = 2
    await gateway.ensure_customer(metadata={}, idempotency_key="c")
    assert await endpoint.types(1) == ["customer.created"]


async def test_an_event_may_come_twice(endpoint: Endpoint, gateway: StripeGateway, bank: RunningSandbox) -> None:
    await bank.misbehave("webhook_duplicate", "customer.created")
    await gateway.ensure_customer(metadata={}, idempotency_key="c")
    await endpoint.types(2)
    assert endpoint.events[0].id == endpoint.events[1].id


@pytest.mark.parametrize("kind", ["webhook_reordered", "webhook_late"])
async def test_a_later_event_may_come_first(
    endpoint: Endpoint, gateway: StripeGateway, bank: RunningSandbox, kind: str
) -> None:
    await bank.misbehave(kind, "customer.created", delay_ms=300)
    customer_id = await gateway.ensure_customer(metadata={}, idempotency_key="c")
    await gateway.create_setup_intent(customer_id, idempotency_key="s")
    assert await endpoint.types(2) == ["setup_intent.created", "customer.created"]


async def test_a_lost_event_is_listed_as_undelivered(
    endpoint: Endpoint, gateway: StripeGateway, bank: RunningSandbox
) -> None:
    await bank.misbehave("webhook_lost", "customer.created")
    customer_id = await gateway.ensure_customer(metadata={}, idempotency_key="c")
    await gateway.create_setup_intent(customer_id, idempotency_key="s")
    assert await endpoint.types(1) == ["setup_intent.created"]
    assert "customer.created" in [event.type for event in await gateway.list_events(undelivered=True)]


@pytest.mark.parametrize("signature", [None, "", "t=1,v1=00", "nonsense", "t=x,v1=y"])
async def test_a_forged_webhook_is_refused(endpoint: Endpoint, signature: str | None) -> None:
    with pytest.raises(WebhookForged):
        endpoint.gateway.verify_webhook(b'{"object": "event"}', signature)
    await endpoint.gateway.close()


async def test_everything_survives_a_killed_sandbox(tmp_path: Path) -> None:
    state = tmp_path / "sandbox.db"
    async with as_process(state=state) as first:
        gateway = StripeGateway(api_key=API_KEY, api_base=first.url, webhook_secret=WEBHOOK_SECRET)
        customer_id = await gateway.ensure_customer(metadata={}, idempotency_key="c")
        await gateway.close()
        before = await first.state()
    async with as_process(state=state) as second:
        gateway = StripeGateway(api_key=API_KEY, api_base=second.url, webhook_secret=WEBHOOK_SECRET)
        assert await second.state() == before
        assert await gateway.ensure_customer(metadata={}, idempotency_key="c") == customer_id
        await gateway.close()
