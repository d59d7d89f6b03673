"""StripeGateway: the only file that touches the Stripe SDK. Plain values in, plain values out.

Every write takes its idempotency key from the caller, who stored it before calling (billing.md, 'Every Stripe write').
The SDK's own retries are off: what to do after an error is the caller's decision, told by the error's class.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ParamSpec, Protocol

import aiohttp
import stripe

from billing.provider import parsing
from billing.provider.errors import WebhookForged
from billing.provider.limiter import Limiter
from billing.provider.objects import (
    AccountLink,
    BalanceTransaction,
    ConnectedAccount,
    Hold,
    PaymentMethod,
    ProviderEvent,
    Refund,
    SetupIntent,
)
from billing.provider.translation import meaning_of

_HOLD = [
    "latest_charge",
    "latest_charge.application_fee",
    "latest_charge.transfer",
    "latest_charge.balance_transaction",
]
_PAGE = 100
_P = ParamSpec("_P")


class _StripeObject(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


class StripeGateway:
    """Stripe, or the sandbox: the same code against ``api_base``."""

    def __init__(
        self,
        *,
        api_key: str,
        api_base: str,
        webhook_secret: str,
        timeout_s: float = 10.0,
        limiter: Limiter | None = None,
        http: stripe.HTTPClient | None = None,
    ) -> None:
        """``http`` replaces the SDK's own client: the simulation puts the sandbox there, without a socket."""
        self._webhook_secret = webhook_secret
        self._limiter = limiter or Limiter()
        stripe.enable_telemetry = False  # it would write a file below the home directory
        self._http = http or stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=timeout_s))
        self._stripe = stripe.StripeClient(
            api_key, http_client=self._http, max_network_retries=0, base_addresses={"api": api_base}
        ).v1

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    # Customers and their cards

    async def ensure_customer(self, *, metadata: Mapping[str, str], idempotency_key: str) -> str:
        """Create the customer (once: the key sees to that) and return its id. Names and mail stay with us."""
        raw = await self._send(
            "POST /customers",
            self._stripe.customers.create_async,
            {"metadata": dict(metadata)},
            {"idempotency_key": idempotency_key},
        )
        return str(raw["id"])

    async def create_setup_intent(
        self, customer_id: str, *, idempotency_key: str, metadata: Mapping[str, str] | None = None
    ) -> SetupIntent:
        """Begin saving a card, for later use also while the customer is away."""
        raw = await self._send(
            "POST /setup_intents",
            self._stripe.setup_intents.create_async,
            {
                "customer": customer_id,
                "allowed_payment_method_types": ["card"],
                "usage": "off_session",
                "metadata": dict(metadata or {}),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.setup_intent(raw)

    async def retrieve_setup_intent(self, setup_intent_id: str) -> SetupIntent:
        """Ask how saving the card went."""
        raw = await self._send("GET /setup_intents", self._stripe.setup_intents.retrieve_async, setup_intent_id)
        return parsing.setup_intent(raw)

    async def retrieve_payment_method(self, payment_method_id: str) -> PaymentMethod:
        """Brand, last four digits and expiry of a saved card."""
        raw = await self._send("GET /payment_methods", self._stripe.payment_methods.retrieve_async, payment_method_id)
        return parsing.payment_method(raw)

    async def detach(self, payment_method_id: str, *, idempotency_key: str) -> PaymentMethod:
        """Forget a saved card."""
        raw = await self._send(
            "POST /payment_methods/detach",
            self._stripe.payment_methods.detach_async,
            payment_method_id,
            {},
            {"idempotency_key": idempotency_key},
        )
        return parsing.payment_method(raw)

    # Holds

    async def create_hold(
        self,
        *,
        amount_minor: int,
        currency: str,
        customer_id: str,
        payment_method_id: str,
        destination_id: str,
        transfer_group: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
        on_behalf_of: str | None = None,
    ) -> Hold:
        """Create the PaymentIntent *unconfirmed*, so that every risky step after it acts on a known id."""
        params: stripe.params.PaymentIntentCreateParams = {
            "amount": amount_minor,
            "currency": currency,
            "customer": customer_id,
            "payment_method": payment_method_id,
            "allowed_payment_method_types": ["card"],
            "capture_method": "manual",
            "transfer_data": {"destination": destination_id},
            "transfer_group": transfer_group,
            "metadata": dict(metadata),
            "expand": list(_HOLD),
        }
        if on_behalf_of is not None:
            params["on_behalf_of"] = on_behalf_of
        raw = await self._send(
            "POST /payment_intents",
            self._stripe.payment_intents.create_async,
            params,
            {"idempotency_key": idempotency_key},
        )
        return parsing.hold(raw)

    async def confirm_hold(
        self, hold_id: str, *, return_url: str, idempotency_key: str, payment_method_id: str | None = None
    ) -> Hold:
        """Ask the bank for the authorization.

        Returns status ``requires_capture`` (it stands) or ``requires_action`` (send the customer to
        ``authenticate_url``). Raises ProviderDeclined when the bank said no; Stripe then forgets the card, so the
        next attempt on this hold must name a ``payment_method_id``.
        """
        params: stripe.params.PaymentIntentConfirmParams = {"return_url": return_url, "expand": list(_HOLD)}
        if payment_method_id is not None:
            params["payment_method"] = payment_method_id
        raw = await self._send(
            "POST /payment_intents/confirm",
            self._stripe.payment_intents.confirm_async,
            hold_id,
            params,
            {"idempotency_key": idempotency_key},
        )
        return parsing.hold(raw)

    async def retrieve_hold(self, hold_id: str) -> Hold:
        """Ask how a hold stands."""
        raw = await self._send(
            "GET /payment_intents", self._stripe.payment_intents.retrieve_async, hold_id, {"expand": list(_HOLD)}
        )
        return parsing.hold(raw)

    async def list_holds(self, customer_id: str) -> list[Hold]:
        """The customer's latest hundred holds, newest first: how an unknown creation is found by its metadata."""
        raw = await self._send(
            "GET /payment_intents list",
            self._stripe.payment_intents.list_async,
            {"customer": customer_id, "limit": _PAGE, "expand": [f"data.{path}" for path in _HOLD]},
        )
        return [parsing.hold(item) for item in raw["data"]]

    async def capture(self, hold_id: str, *, amount_minor: int, fee_minor: int, idempotency_key: str) -> Hold:
        """Take ``amount_minor`` of the hold, keep ``fee_minor`` of it; Stripe releases the rest to the customer."""
        raw = await self._send(
            "POST /payment_intents/capture",
            self._stripe.payment_intents.capture_async,
            hold_id,
            {"amount_to_capture": amount_minor, "application_fee_amount": fee_minor, "expand": list(_HOLD)},
            {"idempotency_key": idempotency_key},
        )
        return parsing.hold(raw)

    async def cancel(self, hold_id: str, *, idempotency_key: str) -> Hold:
        """Release the hold: nothing was, or will be, taken."""
        raw = await self._send(
            "POST /payment_intents/cancel",
            self._stripe.payment_intents.cancel_async,
            hold_id,
            {"expand": list(_HOLD)},
            {"idempotency_key": idempotency_key},
        )
        return parsing.hold(raw)

    async def refund(
        self, hold_id: str, *, amount_minor: int, idempotency_key: str, metadata: Mapping[str, str] | None = None
    ) -> Refund:
        """Give back part or all of a capture; the consultant's share and our commission go back pro rata."""
        raw = await self._send(
            "POST /refunds",
            self._stripe.refunds.create_async,
            {
                "payment_intent": hold_id,
                "amount": amount_minor,
                "reverse_transfer": True,
                "refund_application_fee": True,
                "metadata": dict(metadata or {}),
                "expand": ["transfer_reversal", "charge.application_fee"],
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.refund(raw)

    # Connected accounts

    async def create_account(
        self, *, country: str, metadata: Mapping[str, str], idempotency_key: str
    ) -> ConnectedAccount:
        """Open an Express account that may receive transfers, paid out weekly, 14 days late (decisions §5)."""
        raw = await self._send(
            "POST /accounts",
            self._stripe.accounts.create_async,
            {
                "type": "express",
                "country": country,
                "capabilities": {"transfers": {"requested": True}},
                "settings": {
                    "payouts": {"schedule": {"interval": "weekly", "weekly_anchor": "monday", "delay_days": 14}}
                },
                "metadata": dict(metadata),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.account(raw)

    async def account_link(
        self, account_id: str, *, return_url: str, refresh_url: str, idempotency_key: str
    ) -> AccountLink:
        """Where the consultant fills in what Stripe wants to know; single use, minutes to live: use a fresh key."""
        raw = await self._send(
            "POST /account_links",
            self._stripe.account_links.create_async,
            {
                "account": account_id,
                "return_url": return_url,
                "refresh_url": refresh_url,
                "type": "account_onboarding",
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.account_link(raw)

    async def retrieve_account(self, account_id: str) -> ConnectedAccount:
        """Ask whether an account may receive transfers by now."""
        raw = await self._send("GET /accounts", self._stripe.accounts.retrieve_async, account_id)
        return parsing.account(raw)

    # Reconciliation

    async def list_events(self, after: str | None = None, *, undelivered: bool = False) -> list[ProviderEvent]:
        """Events, oldest first: those newer than the event id ``after``, else all Stripe still has (30 days)."""
        found: list[ProviderEvent] = []
        cursor = after
        while True:
            params: stripe.params.EventListParams = {"limit": _PAGE}
            if undelivered:
                params["delivery_success"] = False
            if cursor is not None:
                params["ending_before" if after else "starting_after"] = cursor
            raw = await self._send("GET /events", self._stripe.events.list_async, params)
            page = [parsing.event(item) for item in raw["data"]]  # newest first within a page, whichever way we walk
            found = [*page, *found] if after else [*found, *page]
            if not raw["has_more"] or not page:
                return found[::-1]
            cursor = page[0].id if after else page[-1].id

    async def balance_transaction(self, balance_transaction_id: str) -> BalanceTransaction:
        """One line of Stripe's own ledger."""
        raw = await self._send(
            "GET /balance_transactions", self._stripe.balance_transactions.retrieve_async, balance_transaction_id
        )
        return parsing.balance_transaction(raw)

    async def list_balance_transactions(self, *, since: datetime, until: datetime) -> list[BalanceTransaction]:
        """Every line of Stripe's ledger created in ``[since, until)``, newest first (for the nightly comparison)."""
        found: list[BalanceTransaction] = []
        params: stripe.params.BalanceTransactionListParams = {
            "limit": _PAGE,
            "created": {"gte": int(since.astimezone(UTC).timestamp()), "lt": int(until.astimezone(UTC).timestamp())},
        }
        while True:
            raw = await self._send(
                "GET /balance_transactions list", self._stripe.balance_transactions.list_async, params
            )
            found += [parsing.balance_transaction(item) for item in raw["data"]]
            if not raw["has_more"]:
                return found
            params["starting_after"] = found[-1].id

    # Webhooks

    def verify_webhook(self, raw: bytes, signature: str | None) -> ProviderEvent:
        """Check the signature over the raw body (300 s tolerance) and read the event; WebhookForged otherwise."""
        try:
            event = stripe.Webhook.construct_event(raw, signature, self._webhook_secret)
        except (stripe.SignatureVerificationError, ValueError) as error:
            raise WebhookForged from error
        return parsing.event(event.to_dict())

    async def _send(
        self,
        endpoint: str,
        request: Callable[_P, Awaitable[_StripeObject]],
        *args: _P.args,
        **kwargs: _P.kwargs,
    ) -> dict[str, Any]:
        """Wait for our turn, send, and turn every failure into what it means."""
        await self._limiter.turn(endpoint)
        try:
            return (await request(*args, **kwargs)).to_dict()
        except stripe.StripeError as error:
            raise meaning_of(error.http_status, error.json_body, error.headers or {}) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:  # the SDK lets errors while reading through
            raise meaning_of(None, None, {}) from error
