"""One side of the contract: the sandbox or Stripe's test mode, through the product's gateway, and the SDK beside it.

Nothing here knows which of the two it speaks with, but for how long to wait: what Stripe does by itself (disputes,
events, a balance, an account's verification) is asked for again until it is so, or the time is over.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import stripe

from billing.provider.gateway import StripeGateway
from billing.provider.objects import BalanceTransaction, Hold, SetupStatus
from tests.integration.provider.contract import people

BACK = "https://example.com/back"
T = TypeVar("T")


def fresh(what: str) -> str:
    """An idempotency key, or a name, that nobody used before."""
    return f"{what}:{uuid4()}"


def signature(payload: str, secret: str, at: int | None = None) -> str:
    """``Stripe-Signature``, as docs.stripe.com/webhooks/signature describes it under 'Verify manually'."""
    moment = int(time.time()) if at is None else at
    digest = hmac.new(secret.encode(), f"{moment}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


@dataclass
class Side:
    """Whom a test asks, and the people it makes there; ``kept`` are those that several tests may share."""

    gateway: StripeGateway
    client: stripe.StripeClient
    webhook_secret: str
    within_s: float
    pause_s: float
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def sdk(self) -> Any:
        """The SDK's own calls, where the gateway has no method because the product never asks for it."""
        return self.client.v1

    async def eventually(self, what: str, ask: Callable[[], Awaitable[T]], met: Callable[[T], bool]) -> T:
        """Ask until the answer is as expected; the test fails, with the last answer, when that takes too long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.within_s
        while True:
            found = await ask()
            if met(found):
                return found
            if loop.time() >= deadline:
                pytest.fail(f"Not within {self.within_s:.0f} s: {what}. Last seen: {found}")
            await asyncio.sleep(self.pause_s)

    async def _platform(self, field_name: str) -> str:
        if field_name not in self.kept:
            found = await self.sdk.accounts.retrieve_current_async()
            self.kept |= {"country": str(found.country), "default_currency": str(found.default_currency)}
        return self.kept[field_name]

    async def country(self) -> str:
        """Where the platform is. Its consultants are there too: destination charges stay within a region."""
        found = await self._platform("country")
        if found not in people.KNOWN:
            known = ", ".join(sorted(people.KNOWN))
            pytest.fail(f"This test account is in {found}; the suite knows made-up consultants of {known}.")
        return found

    async def currency(self) -> str:
        """What the platform's balance is in: a charge in it is not converted, so its lines have the charge's amount."""
        return await self._platform("default_currency")

    async def customer(self) -> str:
        """Somebody new."""
        return await self.gateway.ensure_customer(metadata={"contract": "1"}, idempotency_key=fresh("cus"))

    async def confirm_setup(self, setup_id: str, card: str) -> Any:
        """What the customer's browser does with one of Stripe's test cards."""
        return await self.sdk.setup_intents.confirm_async(setup_id, {"payment_method": card, "return_url": BACK})

    async def saved(self, customer_id: str, card: str = "pm_card_visa") -> str:
        """A card saved by a SetupIntent; its id."""
        setup = await self.gateway.create_setup_intent(customer_id, idempotency_key=fresh("seti"))
        await self.confirm_setup(setup.id, card)
        setup = await self.gateway.retrieve_setup_intent(setup.id)
        assert setup.status is SetupStatus.SUCCEEDED
        assert setup.payment_method_id is not None
        return setup.payment_method_id

    async def attached(self, customer_id: str, card: str) -> str:
        """A card put to the customer without asking the bank; its id."""
        return str((await self.sdk.payment_methods.attach_async(card, {"customer": customer_id})).id)

    async def consultant(self, *, closed: bool = False) -> str:
        """A connected account that may receive transfers and be paid out; its bank account may be ``closed``."""
        name = f"consultant, closed={closed}"
        if name not in self.kept:
            told = people.told(await self.country(), await self.currency(), closed=closed)
            made = await self.sdk.accounts.create_async(told, {"idempotency_key": fresh("acct")})
            await self.eventually(
                "the account may receive transfers and be paid out",
                lambda: self.gateway.retrieve_account(made.id),
                lambda account: account.can_receive and account.payouts_enabled,
            )
            self.kept[name] = str(made.id)
        return self.kept[name]

    async def hold(
        self,
        amount_minor: int = 6_000,
        currency: str | None = None,
        *,
        customer_id: str | None = None,
        card: str = "pm_card_visa",
        destination_id: str | None = None,
    ) -> Hold:
        """A fresh, unconfirmed hold; ``card`` is a saved one's id or one of Stripe's test cards."""
        return await self.gateway.create_hold(
            amount_minor=amount_minor,
            currency=currency or await self.currency(),
            customer_id=customer_id or await self.customer(),
            payment_method_id=card,
            destination_id=destination_id or await self.consultant(),
            transfer_group=fresh("contract"),
            metadata={"contract": "1"},
            idempotency_key=fresh("pi"),
        )

    async def confirm(self, hold: Hold, *, card: str | None = None, away: bool = False) -> Hold:
        """Ask the bank for it, with the customer there or ``away``."""
        return await self.gateway.confirm_hold(
            hold.id, return_url=BACK, idempotency_key=fresh("confirm"), payment_method_id=card, off_session=away
        )

    async def stands(self, amount_minor: int = 6_000, currency: str | None = None, **more: Any) -> Hold:
        """A hold that stands."""
        return await self.confirm(await self.hold(amount_minor, currency, **more))

    async def captured(self, amount_minor: int = 2_400, fee_minor: int = 360, **more: Any) -> Hold:
        """A hold of which part was captured, when all that the capture moves is written down."""
        hold = await self.stands(**more)
        await self.gateway.capture(
            hold.id, amount_minor=amount_minor, fee_minor=fee_minor, idempotency_key=fresh("capture")
        )
        return await self.written_down(hold)

    async def written_down(self, hold: Hold) -> Hold:
        """The hold once its charge names the line, the transfer and the fee."""
        return await self.eventually(
            "the capture's line, transfer and fee are known",
            lambda: self.gateway.retrieve_hold(hold.id),
            lambda now: None not in {now.balance_transaction_id, now.transfer_id, now.application_fee_id},
        )

    async def available(self, account_id: str | None = None) -> int:
        """What may be moved on, of the platform's balance or an account's, in the platform's currency."""
        options = {} if account_id is None else {"stripe_account": account_id}
        found = await self.sdk.balance.retrieve_async({}, options)
        code = await self.currency()
        return sum(part.amount for part in found.available if part.currency == code)

    async def funded(self, account_id: str, amount_minor: int) -> None:
        """Let a connected account have at least so much that may be moved on (pm_card_bypassPending does not wait)."""
        if await self.available(account_id) < amount_minor:
            await self.captured(6_000, 600, card="pm_card_bypassPending", destination_id=account_id)
        await self.eventually(
            f"{amount_minor} available on {account_id}",
            lambda: self.available(account_id),
            lambda amount: amount >= amount_minor,
        )

    async def topped_up(self, amount_minor: int) -> None:
        """Let the platform itself have at least so much that may be moved on: somebody pays it directly."""
        missing = amount_minor - await self.available()
        if missing > 0:
            paid = {
                "amount": missing * 2 + 1_000,  # Stripe takes its fee of it
                "currency": await self.currency(),
                "payment_method": "pm_card_bypassPending",
                "allowed_payment_method_types": ["card"],
                "confirm": True,
            }
            await self.sdk.payment_intents.create_async(paid, {"idempotency_key": fresh("topup")})
        await self.eventually(
            f"{amount_minor} available on the platform", self.available, lambda amount: amount >= amount_minor
        )

    async def lines(self, account_id: str | None = None, *, since: datetime | None = None) -> list[BalanceTransaction]:
        """The lines of a balance, since an hour ago unless said otherwise, newest first."""
        now = datetime.now(UTC)
        return await self.gateway.list_balance_transactions(
            since or now - timedelta(hours=1), now + timedelta(hours=1), account_id=account_id
        )
