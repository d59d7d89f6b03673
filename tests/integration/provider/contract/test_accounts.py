"""The contract of connected accounts: opened, onboarded, when they are paid out, and payouts that arrive or do not."""

from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from billing.provider.errors import ProviderMissing, ProviderRejected
from billing.provider.objects import ConnectedAccount, Payout, PayoutStatus
from tests.integration.provider.contract import people
from tests.integration.provider.contract.side import BACK, Side, fresh


async def _opened(side: Side) -> ConnectedAccount:
    """An account as the product opens it: its consultant has not been to Stripe's pages yet."""
    return await side.gateway.create_account(
        country=await side.country(), metadata={"user": "2"}, idempotency_key=fresh("acct")
    )


async def test_an_account_is_opened_and_leads_to_its_onboarding(side: Side) -> None:
    account = await _opened(side)
    assert account.id.startswith("acct_")
    assert (account.can_receive, account.details_submitted, account.payouts_enabled) == (False, False, False)
    assert (account.country, account.metadata) == (await side.country(), {"user": "2"})
    assert account.requirements_due  # something is wanted of them
    raw = await side.sdk.accounts.retrieve_async(account.id)
    assert raw.capabilities.transfers in {"inactive", "pending"}
    link = await side.gateway.account_link(account.id, return_url=BACK, refresh_url=BACK, idempotency_key=fresh("link"))
    assert link.url.startswith("http")
    assert link.expires_at > datetime.now(UTC)
    again = await side.gateway.account_link(
        account.id, return_url=BACK, refresh_url=BACK, idempotency_key=fresh("link")
    )
    assert again.url != link.url  # single use: each key makes its own


async def test_nobody_is_charged_for_a_consultant_who_cannot_be_paid(side: Side) -> None:
    account = await _opened(side)
    with pytest.raises(ProviderRejected) as refused:
        await side.stands(destination_id=account.id)
    assert refused.value.provider_code == "insufficient_capabilities_for_transfer"


async def test_an_account_that_told_everything_may_receive_and_be_paid_out(side: Side) -> None:
    account = await side.gateway.retrieve_account(await side.consultant())
    assert (account.can_receive, account.payouts_enabled) == (True, True)
    assert (account.requirements_past_due, account.disabled_reason) == ((), None)
    assert (account.country, account.default_currency) == (await side.country(), await side.currency())
    raw = await side.sdk.accounts.retrieve_async(account.id)
    assert raw.capabilities.transfers == "active"
    (bank,) = raw.external_accounts.data
    told = people.bank_account(await side.country(), await side.currency())
    assert (bank.object, bank.currency, bank.last4) == ("bank_account", told["currency"], told["account_number"][-4:])


async def _schedule(
    side: Side,
    account_id: str,
    interval: Literal["manual", "daily", "weekly", "monthly"],
    *,
    weekly: str | None = None,
    monthly: int | None = None,
) -> ConnectedAccount:
    return await side.gateway.update_schedule(
        account_id,
        interval=interval,
        weekly_anchor=weekly,
        monthly_anchor=monthly,
        delay_days=14,
        idempotency_key=fresh("schedule"),
    )


async def test_a_schedule_is_set_changed_and_held(side: Side) -> None:
    # docs.stripe.com/connect/manage-payout-schedule
    account = await _opened(side)
    assert (account.payout_interval, account.payout_weekly_anchor, account.payout_delay_days) == (
        "weekly",
        "monday",
        14,
    )
    held = await _schedule(side, account.id, "manual")
    assert (held.payout_interval, held.payout_weekly_anchor) == ("manual", None)
    daily = await _schedule(side, account.id, "daily")
    assert (daily.payout_interval, daily.payout_delay_days) == ("daily", 14)
    monthly = await _schedule(side, account.id, "monthly", monthly=15)
    assert (monthly.payout_interval, monthly.payout_monthly_anchor) == ("monthly", 15)
    weekly = await _schedule(side, account.id, "weekly", weekly="friday")
    assert (weekly.payout_interval, weekly.payout_weekly_anchor) == ("weekly", "friday")
    assert weekly.payout_monthly_anchor is None
    seen = await side.gateway.retrieve_account(account.id)
    assert (seen.payout_interval, seen.payout_weekly_anchor) == ("weekly", "friday")


async def test_an_anchor_of_another_interval_is_refused(side: Side) -> None:
    account = await _opened(side)
    with pytest.raises(ProviderRejected):
        await _schedule(side, account.id, "daily", weekly="monday")
    assert (await side.gateway.retrieve_account(account.id)).payout_interval == "weekly"


async def test_an_account_nobody_paid_yet_has_nothing(side: Side) -> None:
    account, long_ago = await _opened(side), datetime.now(UTC) - timedelta(days=7)
    assert await side.gateway.list_payouts(account_id=account.id, since=long_ago) == []
    assert await side.lines(account.id) == []
    assert sum((await side.gateway.balance(account_id=account.id)).values()) == 0


async def _pay_out(side: Side, account_id: str, amount_minor: int, key: str = "") -> Payout:
    return await side.gateway.create_payout(
        account_id=account_id,
        amount_minor=amount_minor,
        currency=await side.currency(),
        metadata={"payout_request": key},
        idempotency_key=key or fresh("payout"),
    )


async def test_a_payout_is_made_listed_and_belongs_to_its_account(side: Side) -> None:
    # docs.stripe.com/api/payouts/create: "We initially mark the status of the payout object as pending"
    consultant, since = await side.consultant(), datetime.now(UTC) - timedelta(minutes=5)
    await side.funded(consultant, 500)
    key = fresh("payout")
    made = await _pay_out(side, consultant, 500, key)
    assert (await _pay_out(side, consultant, 500, key)).id == made.id, "the same key pays once"
    payout = await side.gateway.retrieve_payout(made.id, account_id=consultant)
    assert (payout.amount_minor, payout.currency, payout.automatic) == (500, await side.currency(), False)
    assert payout.status in {PayoutStatus.PENDING, PayoutStatus.IN_TRANSIT, PayoutStatus.PAID}
    assert payout.arrival_at >= payout.created_at - timedelta(days=1)  # a day, not a moment
    listed = await side.gateway.list_payouts(account_id=consultant, since=since)
    assert [one.id for one in listed if one.metadata.get("payout_request") == key] == [payout.id]
    assert payout.balance_transaction_id is not None
    lines = await side.eventually(
        "the account has the payout's line",
        lambda: side.lines(consultant, since=since),
        lambda found: payout.balance_transaction_id in {one.id for one in found},
    )
    (line,) = [one for one in lines if one.id == payout.balance_transaction_id]
    assert (line.type, line.reporting_category, line.amount_minor) == ("payout", "payout", -500)
    with pytest.raises(ProviderMissing):
        await side.gateway.retrieve_payout(made.id, account_id=(await _opened(side)).id)
    with pytest.raises(ProviderRejected):  # Stripe itemises automatic payouts only
        await side.gateway.list_payout_lines(made.id, account_id=consultant)


async def test_no_more_is_paid_out_than_is_available(side: Side) -> None:
    consultant = await side.consultant()
    with pytest.raises(ProviderRejected) as refused:
        await _pay_out(side, consultant, max(await side.available(consultant), 0) + 99_999_00)
    assert refused.value.provider_code == "balance_insufficient"


async def test_a_payout_to_a_closed_bank_account_comes_back(side: Side) -> None:
    # docs.stripe.com/connect/testing, 'Payouts'; docs.stripe.com/payouts: the money returns as a line of its own
    consultant = await side.consultant(closed=True)
    await side.funded(consultant, 500)
    made = await _pay_out(side, consultant, 500)
    failed = await side.eventually(
        "the payout failed",
        lambda: side.gateway.retrieve_payout(made.id, account_id=consultant),
        lambda now: now.status is PayoutStatus.FAILED,
    )
    assert failed.failure_code == people.CLOSED
    assert failed.failure_message
    lines = await side.eventually(
        "the money is back on the account",
        lambda: side.lines(consultant, since=failed.created_at - timedelta(minutes=5)),
        lambda found: failed.failure_balance_transaction_id in {one.id for one in found},
    )
    (back,) = [one for one in lines if one.id == failed.failure_balance_transaction_id]
    assert (back.amount_minor, back.reporting_category) == (500, "payout_reversal")
