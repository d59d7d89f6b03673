"""Every test of the contract runs against the sandbox, and against Stripe's test mode too where a key is given."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
import stripe

from billing.provider.gateway import StripeGateway
from billing.provider.limiter import Limiter
from tests.fakes.sandbox import WEBHOOK_SECRET, in_process
from tests.integration.provider.contract.key import NoTestKey, key_of
from tests.integration.provider.contract.side import Side

STRIPE = "https://api.stripe.com"
STRIPE_S = 300.0  # how long Stripe may take for what it does by itself
OF_ONE_TEST_S = 1_200


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once with the sandbox, and once with Stripe where a key is given; a live key ends everything here."""
    if "side" not in metafunc.fixturenames:
        return
    try:
        key = key_of(os.environ)
    except NoTestKey as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    real = [pytest.param("stripe", marks=pytest.mark.timeout(OF_ONE_TEST_S))] if key else []
    metafunc.parametrize("side", ["sandbox", *real], indirect=True)


@pytest.fixture(scope="session")
def kept() -> dict[str, str]:
    """The accounts at Stripe that the tests of one run share: opening one takes Stripe a while."""
    return {}


@pytest.fixture
async def side(request: pytest.FixtureRequest, kept: dict[str, str]) -> AsyncIterator[Side]:
    """Whom the test asks."""
    key = key_of(os.environ)
    if request.param == "stripe":
        assert key is not None
        async with _connected(key, STRIPE, Limiter(), timeout_s=30) as made:
            made.within_s, made.pause_s, made.kept = STRIPE_S, 2.0, kept
            yield made
    else:
        unlimited = Limiter(per_endpoint=1_000, in_all=1_000)  # the sandbox is ours; no reason to queue
        async with in_process() as bank, _connected(bank.api_key, bank.url, unlimited, timeout_s=5) as made:
            yield made


@asynccontextmanager
async def _connected(key: str, base: str, limiter: Limiter, *, timeout_s: float) -> AsyncIterator[Side]:
    gateway = StripeGateway(
        api_key=key, api_base=base, webhook_secret=WEBHOOK_SECRET, timeout_s=timeout_s, limiter=limiter
    )
    http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=timeout_s))
    client = stripe.StripeClient(key, http_client=http, max_network_retries=2, base_addresses={"api": base})
    yield Side(gateway, client, WEBHOOK_SECRET, within_s=5.0, pause_s=0.02)
    await gateway.close()
    await http.close_async()
