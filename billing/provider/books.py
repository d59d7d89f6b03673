"""Stripe's own books: events, balance transactions, balances."""

from datetime import UTC, datetime

import stripe

from billing.provider import parsing
from billing.provider.caller import PAGE, StripeCaller
from billing.provider.objects import BalanceTransaction, ProviderEvent


class Books(StripeCaller):
    """The calls that compare."""

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

    async def balance_transaction(self, balance_transaction_id: str) -> BalanceTransaction:
        """One line of Stripe's own ledger."""
        raw = await self._send(
            "GET /balance_transactions", self._stripe.balance_transactions.retrieve_async, balance_transaction_id
        )
        return parsing.balance_transaction(raw)

    async def list_balance_transactions(
        self, *, since: datetime, until: datetime, account_id: str | None = None
    ) -> list[BalanceTransaction]:
        """Every line of Stripe's ledger created in ``[since, until)``, newest first: ours, or a connected account's."""
        options: stripe.RequestOptions = {} if account_id is None else {"stripe_account": account_id}
        found: list[BalanceTransaction] = []
        params: stripe.params.BalanceTransactionListParams = {
            "limit": PAGE,
            "expand": ["data.source"],
            "created": {"gte": int(since.astimezone(UTC).timestamp()), "lt": int(until.astimezone(UTC).timestamp())},
        }
        while True:
            raw = await self._send(
                "GET /balance_transactions list", self._stripe.balance_transactions.list_async, params, options
            )
            found += [parsing.balance_transaction(item) for item in raw["data"]]
            if not raw["has_more"]:
                return found
            params["starting_after"] = found[-1].id

    async def balance(self, *, account_id: str | None = None) -> dict[str, int]:
        """What Stripe holds per currency, available and pending: for us, or for a connected account."""
        options: stripe.RequestOptions = {} if account_id is None else {"stripe_account": account_id}
        raw = await self._send("GET /balance", self._stripe.balance.retrieve_async, {}, options)
        sums: dict[str, int] = {}
        for part in [*raw["available"], *raw["pending"]]:
            sums[part["currency"]] = sums.get(part["currency"], 0) + part["amount"]
        return sums
