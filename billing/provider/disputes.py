"""Disputes: what a bank takes back, and our answer to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection
from billing.provider.objects import Dispute


class Disputes(Connection):
    """Reading, answering and accepting disputes; the platform bears them, not the connected account."""

    async def retrieve_dispute(self, dispute_id: str) -> Dispute:
        """Ask how a dispute stands."""
        raw = await self._send("GET /disputes", self._stripe.disputes.retrieve_async, dispute_id)
        return parsing.dispute(raw)

    async def list_disputes(self, *, since: datetime) -> list[Dispute]:
        """Every dispute created since then, newest first."""
        created = int(since.astimezone(UTC).timestamp())
        params: stripe.params.DisputeListParams = {"created": {"gte": created}}
        found = await self._every(
            "GET /disputes list",
            self._stripe.disputes.list_async,
            params,
        )
        return [parsing.dispute(raw) for raw in found]

    async def submit_evidence(self, dispute_id: str, *, evidence: Mapping[str, str], idempotency_key: str) -> Dispute:
        """Hand our evidence to the bank, once and for all.

        ``evidence`` has Stripe's names (docs.stripe.com/api/disputes/evidence_object), texts of 150,000 characters in
        all. Raises ProviderRejected for an unknown name, and for a dispute that was answered or closed already.
        """
        raw = await self._send(
            "POST /disputes",
            self._stripe.disputes.update_async,
            dispute_id,
            {"evidence": cast(stripe.params.DisputeUpdateParamsEvidence, dict(evidence)), "submit": True},
            {"idempotency_key": idempotency_key},
        )
        return parsing.dispute(raw)

    async def accept_dispute(self, dispute_id: str, *, idempotency_key: str) -> Dispute:
        """Let it be lost without an answer; this cannot be undone."""
        raw = await self._send(
            "POST /disputes/close",
            self._stripe.disputes.close_async,
            dispute_id,
            {},
            {"idempotency_key": idempotency_key},
        )
        return parsing.dispute(raw)
