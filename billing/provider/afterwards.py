"""What comes after a capture, at Stripe: refunds, reversed and returned transfers, disputes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from billing.provider import parsing
from billing.provider.caller import PAGE, StripeCaller
from billing.provider.objects import Dispute, Refund, Transfer, TransferReversal

_REFUND = ["transfer_reversal", "charge.application_fee"]


class Afterwards(StripeCaller):
    """The calls about captures that do not stay as they were."""

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
                "expand": list(_REFUND),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.refund(raw)

    async def retrieve_refund(self, refund_id: str) -> Refund:
        """Ask how a refund stands."""
        raw = await self._send(
            "GET /refunds", self._stripe.refunds.retrieve_async, refund_id, {"expand": list(_REFUND)}
        )
        return parsing.refund(raw)

    async def list_refunds(self, hold_id: str) -> list[Refund]:
        """The latest hundred refunds of a hold's capture, newest first."""
        raw = await self._send(
            "GET /refunds list",
            self._stripe.refunds.list_async,
            {"payment_intent": hold_id, "limit": PAGE, "expand": [f"data.{path}" for path in _REFUND]},
        )
        return [parsing.refund(item) for item in raw["data"]]

    # Transfers

    async def reverse_transfer(
        self, transfer_id: str, *, amount_minor: int, metadata: Mapping[str, str], idempotency_key: str
    ) -> TransferReversal:
        """Take part of a transfer back from the connected account; its fee's part is not given back with it."""
        raw = await self._send(
            "POST /transfers/reversals",
            self._stripe.transfers.reversals.create_async,
            transfer_id,
            {"amount": amount_minor, "metadata": dict(metadata)},
            {"idempotency_key": idempotency_key},
        )
        return parsing.transfer_reversal(raw)

    async def list_transfer_reversals(self, transfer_id: str) -> list[TransferReversal]:
        """The latest hundred reversals of a transfer, newest first."""
        raw = await self._send(
            "GET /transfers/reversals", self._stripe.transfers.reversals.list_async, transfer_id, {"limit": PAGE}
        )
        return [parsing.transfer_reversal(item) for item in raw["data"]]

    async def create_transfer(
        self,
        *,
        destination_id: str,
        amount_minor: int,
        currency: str,
        transfer_group: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> Transfer:
        """Send money from our balance to a connected account: a disputed share that was won."""
        raw = await self._send(
            "POST /transfers",
            self._stripe.transfers.create_async,
            {
                "destination": destination_id,
                "amount": amount_minor,
                "currency": currency,
                "transfer_group": transfer_group,
                "metadata": dict(metadata),
            },
            {"idempotency_key": idempotency_key},
        )
        return parsing.transfer(raw)

    async def list_transfers(self, transfer_group: str) -> list[Transfer]:
        """The latest hundred transfers of a group, newest first; the captures' own are among them."""
        raw = await self._send(
            "GET /transfers list",
            self._stripe.transfers.list_async,
            {"transfer_group": transfer_group, "limit": PAGE},
        )
        return [parsing.transfer(item) for item in raw["data"]]

    # Disputes

    async def retrieve_dispute(self, dispute_id: str) -> Dispute:
        """Ask how a dispute stands, with every line it wrote into Stripe's ledger."""
        raw = await self._send("GET /disputes", self._stripe.disputes.retrieve_async, dispute_id)
        return parsing.dispute(raw)

    async def list_disputes(self, *, since: datetime) -> list[Dispute]:
        """Every dispute opened since, newest first."""
        params: stripe.params.DisputeListParams = {
            "limit": PAGE,
            "created": {"gte": int(since.astimezone(UTC).timestamp())},
        }
        found: list[Dispute] = []
        while True:
            raw = await self._send("GET /disputes list", self._stripe.disputes.list_async, params)
            found += [parsing.dispute(item) for item in raw["data"]]
            if not raw["has_more"]:
                return found
            params["starting_after"] = found[-1].id

    async def submit_evidence(self, dispute_id: str, *, evidence: Mapping[str, str], idempotency_key: str) -> Dispute:
        """Hand the evidence to the bank: once, and for good. Field names are Stripe's."""
        fields: Any = dict(evidence)
        raw = await self._send(
            "POST /disputes",
            self._stripe.disputes.update_async,
            dispute_id,
            {"evidence": fields, "submit": True},
            {"idempotency_key": idempotency_key},
        )
        return parsing.dispute(raw)

    async def accept_dispute(self, dispute_id: str, *, idempotency_key: str) -> Dispute:
        """Let the bank have it: the dispute is lost at once."""
        raw = await self._send(
            "POST /disputes/close",
            self._stripe.disputes.close_async,
            dispute_id,
            {},
            {"idempotency_key": idempotency_key},
        )
        return parsing.dispute(raw)
