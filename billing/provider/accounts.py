"""Connected accounts: a consultant's account at Stripe."""

from collections.abc import Mapping
from typing import Literal

import stripe

from billing.provider import parsing
from billing.provider.connection import Connection
from billing.provider.objects import AccountLink, ConnectedAccount


class Accounts(Connection):
    """Opening accounts, asking how they stand, and when they are paid out."""

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
        interval: Literal["manual", "daily", "weekly", "monthly"],
        weekly_anchor: str | None,
        monthly_anchor: int | None,
        delay_days: int,
        idempotency_key: str,
    ) -> ConnectedAccount:
        """Say when the account is paid out; ``manual`` holds its money until the schedule changes again.

        ``weekly_anchor`` (``monday`` …) belongs to ``weekly``, ``monthly_anchor`` (1-31) to ``monthly``; Stripe
        refuses them elsewhere. ``delay_days`` (at most 31) has no effect under ``manual``, where the last one stays.
        """
        schedule: stripe.params.AccountUpdateParamsSettingsPayoutsSchedule = {"interval": interval}
        if interval != "manual":
            schedule["delay_days"] = delay_days
        if weekly_anchor is not None:
            schedule["weekly_anchor"] = weekly_anchor
        if monthly_anchor is not None:
            schedule["monthly_anchor"] = monthly_anchor
        raw = await self._send(
            "POST /accounts update",
            self._stripe.accounts.update_async,
            account_id,
            {"settings": {"payouts": {"schedule": schedule}}},
            {"idempotency_key": idempotency_key},
        )
        return parsing.account(raw)
