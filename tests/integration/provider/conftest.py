"""A gateway against the sandbox."""

from collections.abc import AsyncIterator

import pytest

from billing.provider.gateway import StripeGateway
from tests.fakes.sandbox import RunningSandbox, in_process


@pytest.fixture
async def bank() -> AsyncIterator[RunningSandbox]:
    async with in_process() as running:
        yield running


@pytest.fixture
async def gateway(bank: RunningSandbox) -> AsyncIterator[StripeGateway]:
    made = StripeGateway(api_key=bank.api_key, api_base=bank.url, webhook_secret=bank.webhook_secret, timeout_s=2)
    yield made
    await made.close()
