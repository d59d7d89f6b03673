"""What Stripe itself has written down: events, balances, and the lines of its ledger."""

from datetime import UTC, datetime

import stripe

from billing.provider import parsing
from billing.provider.connection import PAGE, Connection, on_behalf
from billing.provider.objects import BalanceTransaction, ProviderEvent


class Records(Connection):
    """The reads that reconciliation is made of."""

    async def list_events(self, after: str | None = None, *, undelivered: bool = False) -> list[ProviderEvent]:
        """Events, oldest first: those newer than the event id ``after``, else all Stripe still has (30 days)."""
        found: list[ProviderEvent] = []
        cursor = after
        while True:
            params: stripe.params.EventListParams = {"limit": PAGE}
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

    async def balance(self, *, account_id: str | None = None) -> dict[str, int]:
        """What the platform, or an account, holds in each currency: available and pending together, minor units."""
        raw = await self._send("GET /balance", self._stripe.balance.retrieve_async, {}, on_behalf(account_id))
        return parsing.balance(raw)

    async def available(self, account_id: str) -> dict[str, int]:
        """What an account may be paid out now, in each currency; the rest waits out its schedule's delay."""
        raw = await self._send("GET /balance", self._stripe.balance.retrieve_async, {}, on_behalf(account_id))
        return parsing.available(raw)

    async def balance_transaction(self, balance_transaction_id: str) -> BalanceTransaction:
        """One line of Stripe's own ledger."""
        raw = await self._send(
            "GET /balance_transactions", self._stripe.balance_transactions.retrieve_async, balance_transaction_id
        )
        return parsing.balance_transaction(raw)

    async def list_balance_transactions(
        self, since: datetime, until: datetime, *, account_id: str | None = None
    ) -> list[BalanceTransaction]:
        """Every line of the platform's, or an account's, balance created in ``[since, until)``, newest first."""
        created: stripe.params.BalanceTransactionListParamsCreated = {
            "gte": int(since.astimezone(UTC).timestamp()),
            "lt": int(until.astimezone(UTC).timestamp()),
        }
        params: stripe.params.BalanceTransactionListParams = {"created": created, "expand": ["data.source"]}
        found = await self._every(
            "GET /balance_transactions list",
            self._stripe.balance_transactions.list_async,
            params,
            on_behalf(account_id),
        )
        return [parsing.balance_transaction(raw) for raw in found]
