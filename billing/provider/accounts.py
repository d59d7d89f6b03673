"""Connected accounts and their payouts, at Stripe."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import stripe

from billing.provider import parsing
from billing.provider.caller import PAGE, StripeCaller
from billing.provider.objects import AccountLink, BalanceTransaction, ConnectedAccount, Payout


class Accounts(StripeCaller):
    """The calls about connected accounts."""

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

    async def update_schedule(
        self,
        account_id: str,
        *,
        interval: str,
        weekly_anchor: str | None,
        monthly_anchor: int | None,
        delay_days: int,
        idempotency_key: str,
    ) -> ConnectedAccount:
        """Say when this account is paid out: ``daily``, ``weekly``, ``monthly``, or ``manual`` (held: never)."""
        schedule: dict[str, Any] = {"interval": interval}
        if interval != "manual":
            schedule["delay_days"] = delay_days
        if interval == "weekly":
            schedule["weekly_anchor"] = weekly_anchor or "monday"
        if interval == "monthly":
            schedule["monthly_anchor"] = monthly_anchor or 1
        params: Any = {"settings": {"payouts": {"schedule": schedule}}}
        raw = await self._send(
            "POST /accounts update",
            self._stripe.accounts.update_async,
            account_id,
            params,
            {"idempotency_key": idempotency_key},
        )
        return parsing.account(raw)

    async def retrieve_payout(self, payout_id: str, *, account_id: str) -> Payout:
        """Ask how a payout stands."""
        raw = await self._send(
            "GET /payouts", self._stripe.payouts.retrieve_async, payout_id, {}, {"stripe_account": account_id}
        )
        return parsing.payout(raw)

    async def list_payouts(self, *, account_id: str, since: datetime) -> list[Payout]:
        """Every payout of an account since, newest first."""
        params: stripe.params.PayoutListParams = {
            "limit": PAGE,
            "created": {"gte": int(since.astimezone(UTC).timestamp())},
        }
        found: list[Payout] = []
        while True:
            raw = await self._send(
                "GET /payouts list", self._stripe.payouts.list_async, params, {"stripe_account": account_id}
            )
            found += [parsing.payout(item) for item in raw["data"]]
            if not raw["has_more"]:
                return found
            params["starting_after"] = found[-1].id

    async def list_payout_lines(self, payout_id: str, *, account_id: str) -> list[BalanceTransaction]:
        """What a payout is made of, line by line; the payout's own line (its amount, negative) is among them."""
        params: stripe.params.BalanceTransactionListParams = {"limit": PAGE, "payout": payout_id}
        found: list[BalanceTransaction] = []
        while True:
            raw = await self._send(
                "GET /balance_transactions list",
                self._stripe.balance_transactions.list_async,
                params,
                {"stripe_account": account_id},
            )
            found += [parsing.balance_transaction(item) for item in raw["data"]]
            if not raw["has_more"]:
                return found
            params["starting_after"] = found[-1].id
