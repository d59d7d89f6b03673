"""Holds: PaymentIntents with manual capture, paid to a consultant as destination charges."""

from collections.abc import Mapping

import stripe

from billing.provider import parsing
from billing.provider.connection import PAGE, Connection
from billing.provider.objects import Hold

_HOLD = [
    "latest_charge",
    "latest_charge.application_fee",
    "latest_charge.transfer",
    "latest_charge.balance_transaction",
]


class Holds(Connection):
    """Placing, enlarging, capturing and releasing holds."""

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
            "payment_method_options": {"card": {"request_incremental_authorization": "if_available"}},
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
        self,
        hold_id: str,
        *,
        return_url: str,
        idempotency_key: str,
        payment_method_id: str | None = None,
        off_session: bool = False,
    ) -> Hold:
        """Ask the bank for the authorization.

        Returns status ``requires_capture`` (it stands) or ``requires_action`` (send the customer to
        ``authenticate_url``). Raises ProviderDeclined when the bank said no; Stripe then forgets the card, so the
        next attempt on this hold must name a ``payment_method_id``. ``off_session``: the customer is away, so a bank
        that wants them to authenticate declines instead, with code ``authentication_required``.
        """
        params: stripe.params.PaymentIntentConfirmParams = {"expand": list(_HOLD)}
        if off_session:
            params["off_session"] = True
        else:
            params["return_url"] = return_url
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
            {"customer": customer_id, "limit": PAGE, "expand": [f"data.{path}" for path in _HOLD]},
        )
        return [parsing.hold(item) for item in raw["data"]]

    async def increment_hold(self, hold_id: str, *, amount_minor: int, idempotency_key: str) -> Hold:
        """Ask the bank to hold ``amount_minor`` in all, more than before; only where the hold is ``incremental``.

        Raises ProviderDeclined when the bank said no: the hold stands as it was. At most ten attempts an intent.
        """
        raw = await self._send(
            "POST /payment_intents/increment_authorization",
            self._stripe.payment_intents.increment_authorization_async,
            hold_id,
            {"amount": amount_minor, "expand": list(_HOLD)},
            {"idempotency_key": idempotency_key},
        )
        return parsing.hold(raw)

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
