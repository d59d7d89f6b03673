"""A gateway against the sandbox, and people on both sides of a payment."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import pytest

from billing.provider.gateway import StripeGateway
from billing.provider.limiter import Limiter
from billing.provider.objects import Hold
from tests.fakes.sandbox import RunningSandbox, in_process


@pytest.fixture
async def bank() -> AsyncIterator[RunningSandbox]:
    async with in_process() as running:
        yield running


@pytest.fixture
async def gateway(bank: RunningSandbox) -> AsyncIterator[StripeGateway]:
    made = StripeGateway(
        api_key=bank.api_key,
        api_base=bank.url,
        webhook_secret=bank.webhook_secret,
        timeout_s=2,
        limiter=Limiter(per_endpoint=1_000, in_all=1_000),  # the sandbox is ours; no reason to queue
    )
    yield made
    await made.close()


@dataclass
class People:
    """A customer with a saved card, and a consultant who can be paid."""

    gateway: StripeGateway
    bank: RunningSandbox
    customer_id: str
    payment_method_id: str
    account_id: str
    numbers: "count[int]"

    async def hold(self, amount_minor: int = 6_000, currency: str = "eur") -> Hold:
        """A fresh, unconfirmed hold."""
        n = next(self.numbers)
        return await self.gateway.create_hold(
            amount_minor=amount_minor,
            currency=currency,
            customer_id=self.customer_id,
            payment_method_id=self.payment_method_id,
            destination_id=self.account_id,
            transfer_group=f"call-{n}",
            metadata={"hold": str(n)},
            idempotency_key=f"pi:{n}",
        )

    async def confirmed(self, amount_minor: int = 6_000) -> Hold:
        """A hold that stands."""
        created = await self.hold(amount_minor)
        return await self.gateway.confirm_hold(
            created.id, return_url="http://localhost:8000/back", idempotency_key=f"confirm:{created.id}:1"
        )

    async def captured(self, amount_minor: int = 2_400, fee_minor: int = 360) -> Hold:
        """A hold that was captured: 20.40 for the consultant, 3.60 for us."""
        hold = await self.confirmed()
        return await self.gateway.capture(
            hold.id, amount_minor=amount_minor, fee_minor=fee_minor, idempotency_key=f"capture:{hold.id}"
        )

    async def balances(self) -> tuple[int, int]:
        """What the platform and the consultant hold in euro cents, each proved to be the sum of its lines."""
        now = datetime.now(UTC)
        found = []
        for account_id in (None, self.account_id):
            held = await self.gateway.balance(account_id=account_id)
            lines = await self.gateway.list_balance_transactions(
                now - timedelta(days=1), now + timedelta(days=1), account_id=account_id
            )
            assert held.get("eur", 0) == sum(line.net_minor for line in lines)
            assert all(line.net_minor == line.amount_minor - line.fee_minor for line in lines)
            found.append(held.get("eur", 0))
        return found[0], found[1]


@pytest.fixture
def people(gateway: StripeGateway, bank: RunningSandbox) -> Callable[..., Awaitable[People]]:
    numbers = count(1)

    async def make(number: str = "4242424242424242", *, authenticate: bool = False) -> People:
        mark = uuid4()
        customer_id = await gateway.ensure_customer(metadata={"user": "1"}, idempotency_key=f"cus:{mark}")
        setup = await gateway.create_setup_intent(customer_id, idempotency_key=f"seti:{mark}")
        saved = await bank.save_card(setup.id, setup.client_secret, number)
        if authenticate:
            await bank.authenticate(setup.id)
        else:
            assert saved["status"] == "succeeded"
        setup = await gateway.retrieve_setup_intent(setup.id)
        account = await gateway.create_account(country="DE", metadata={"user": "2"}, idempotency_key=f"acct:{mark}")
        link = await gateway.account_link(
            account.id,
            return_url="http://localhost:8000/back",
            refresh_url="http://localhost:8000/again",
            idempotency_key=f"link:{mark}",
        )
        await bank.onboard(link.url)
        assert setup.payment_method_id is not None
        return People(gateway, bank, customer_id, setup.payment_method_id, account.id, numbers)

    return make
