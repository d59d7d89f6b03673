"""Customers and their saved cards at Stripe."""

from collections.abc import Mapping

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection
from billing.provider.objects import PaymentMethod, SetupIntent


class Customers(Connection):
    """Saving, showing and forgetting cards."""

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

    async def list_payment_methods(self, customer_id: str) -> list[PaymentMethod]:
        """The customer's saved cards, newest first; ProviderRejected when Stripe knows no such customer."""
        params: stripe.params.PaymentMethodListParams = {"customer": customer_id, "type": "card"}
        found = await self._every(
            "GET /payment_methods list",
            self._stripe.payment_methods.list_async,
            params,
        )
        return [parsing.payment_method(raw) for raw in found]

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
