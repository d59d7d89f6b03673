"""Refunds of captured holds."""

from collections.abc import Mapping

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection
from billing.provider.objects import Refund

_REFUND = ["transfer_reversal", "charge.application_fee", "charge.refunds"]


class Refunds(Connection):
    """Giving money back to the customer."""

    async def refund(
        self,
        hold_id: str,
        *,
        amount_minor: int,
        idempotency_key: str,
        metadata: Mapping[str, str] | None = None,
        from_platform: bool = False,
    ) -> Refund:
        """Give back part or all of a capture; the consultant's share and our commission go back pro rata.

        ``from_platform``: both stay where they are, and the platform's balance alone bears it
        (docs.stripe.com/connect/destination-charges, 'Issue refunds').
        """
        raw = await self._send(
            "POST /refunds",
            self._stripe.refunds.create_async,
            {
                "payment_intent": hold_id,
                "amount": amount_minor,
                "reverse_transfer": not from_platform,
                "refund_application_fee": not from_platform,
                "metadata": dict(metadata or {}),
                "expand": list(_REFUND),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.refund(raw)

    async def retrieve_refund(self, refund_id: str) -> Refund:
        """Ask how a refund stands: one that succeeded may still fail days later."""
        raw = await self._send(
            "GET /refunds", self._stripe.refunds.retrieve_async, refund_id, {"expand": list(_REFUND)}
        )
        return parsing.refund(raw)

    async def list_refunds(self, hold_id: str) -> list[Refund]:
        """Every refund of a hold, newest first: how an unknown creation is found by its metadata."""
        params: stripe.params.RefundListParams = {
            "payment_intent": hold_id,
            "expand": [f"data.{path}" for path in _REFUND],
        }
        found = await self._every(
            "GET /refunds list",
            self._stripe.refunds.list_async,
            params,
        )
        return [parsing.refund(raw) for raw in found]
