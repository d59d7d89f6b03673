"""Payouts: what Stripe sends from a connected account to its bank, by its schedule or because its owner asked."""

from collections.abc import Mapping
from datetime import UTC, datetime

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection, on_behalf
from billing.provider.objects import BalanceTransaction, Payout


class Payouts(Connection):
    """Reading the payouts of connected accounts, and making one on request."""

    async def create_payout(
        self,
        *,
        account_id: str,
        amount_minor: int,
        currency: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> Payout:
        """Send money from a connected account to its bank now (docs.stripe.com/connect/manual-payouts).

        Raises ProviderRejected with ``balance_insufficient`` when so much is not available.
        """
        params: stripe.params.PayoutCreateParams = {
            "amount": amount_minor,
            "currency": currency,
            "metadata": dict(metadata),
        }
        options: stripe.RequestOptions = {**on_behalf(account_id), "idempotency_key": idempotency_key}
        raw = await self._send("POST /payouts", self._stripe.payouts.create_async, params, options)
        return parsing.payout(raw)

    async def retrieve_payout(self, payout_id: str, *, account_id: str) -> Payout:
        """Ask how a payout stands: one that was paid may still fail."""
        raw = await self._send(
            "GET /payouts", self._stripe.payouts.retrieve_async, payout_id, {}, on_behalf(account_id)
        )
        return parsing.payout(raw)

    async def list_payouts(self, *, account_id: str, since: datetime) -> list[Payout]:
        """Every payout of an account created since then, newest first."""
        created = int(since.astimezone(UTC).timestamp())
        params: stripe.params.PayoutListParams = {"created": {"gte": created}}
        found = await self._every(
            "GET /payouts list",
            self._stripe.payouts.list_async,
            params,
            on_behalf(account_id),
        )
        return [parsing.payout(raw) for raw in found]

    async def list_payout_lines(self, payout_id: str, *, account_id: str) -> list[BalanceTransaction]:
        """What an automatic payout paid out, newest first: its own line (type ``payout``) and those that sum to it.

        So the nets of all sum to zero. Raises ProviderRejected for a manual payout, which Stripe does not itemise.
        """
        params: stripe.params.BalanceTransactionListParams = {"payout": payout_id, "expand": ["data.source"]}
        found = await self._every(
            "GET /balance_transactions list",
            self._stripe.balance_transactions.list_async,
            params,
            on_behalf(account_id),
        )
        return [parsing.balance_transaction(raw) for raw in found]
