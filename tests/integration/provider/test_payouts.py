"""Payouts and schedules of connected accounts."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from billing.provider.errors import ProviderMissing, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import ConnectedAccount, PayoutStatus
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]


def _since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=1)


async def test_a_payout_empties_the_account_and_its_lines_sum_to_it(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured()
    await someone.captured(1_000, 150)
    await gateway.refund(hold.id, amount_minor=400, idempotency_key="r")
    platform, consultant = await someone.balances()
    assert consultant == 2_040 + 850 - 340
    (payout_id,) = await bank.pay_out(someone.account_id)
    payout = await gateway.retrieve_payout(payout_id, account_id=someone.account_id)
    assert (payout.status, payout.amount_minor, payout.currency) == (PayoutStatus.IN_TRANSIT, consultant, "eur")
    assert payout.automatic
    assert payout.arrival_at > payout.created_at
    assert await someone.balances() == (platform, 0)
    lines = await gateway.list_payout_lines(payout_id, account_id=someone.account_id)
    assert sum(line.net_minor for line in lines) == 0
    own = [line for line in lines if line.type == "payout"]
    assert [(line.id, line.net_minor, line.source_id) for line in own] == [
        (payout.balance_transaction_id, -consultant, payout_id)
    ]
    assert {line.type for line in lines} == {"payout", "payment", "payment_refund", "adjustment"}
    assert await gateway.list_payouts(account_id=someone.account_id, since=_since()) == [payout]


async def test_a_settled_payout_is_paid(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    await someone.captured()
    (payout_id,) = await bank.pay_out(someone.account_id)
    await bank.settle_payout(payout_id)
    paid = await gateway.retrieve_payout(payout_id, account_id=someone.account_id)
    assert (paid.status, paid.failure_code) == (PayoutStatus.PAID, None)


async def test_a_failed_payout_returns_to_the_account_and_rests_until_it_is_put_right(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await someone.captured()
    (payout_id,) = await bank.pay_out(someone.account_id)
    await bank.settle_payout(payout_id)  # what was called paid may fail all the same
    await bank.fail_payout(payout_id, "account_closed")
    failed = await gateway.retrieve_payout(payout_id, account_id=someone.account_id)
    assert (failed.status, failed.failure_code) == (PayoutStatus.FAILED, "account_closed")
    assert failed.failure_message
    assert (await someone.balances())[1] == 2_040
    account = await gateway.retrieve_account(someone.account_id)
    assert not account.payouts_enabled
    assert account.can_receive
    assert account.requirements_past_due == ("external_account",)
    with pytest.raises(AssertionError, match="409"):
        await bank.pay_out(someone.account_id)
    link = await gateway.account_link(
        someone.account_id, return_url="http://a/", refresh_url="http://b/", idempotency_key="again"
    )
    await bank.onboard(link.url)
    (second,) = await bank.pay_out(someone.account_id)
    lines = await gateway.list_payout_lines(second, account_id=someone.account_id)
    assert failed.failure_balance_transaction_id in {line.id for line in lines}
    assert sum(line.net_minor for line in lines) == 0


async def test_a_canceled_payout_never_left(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    await someone.captured()
    (payout_id,) = await bank.pay_out(someone.account_id)
    await bank.cancel_payout(payout_id)
    canceled = await gateway.retrieve_payout(payout_id, account_id=someone.account_id)
    assert canceled.status is PayoutStatus.CANCELED
    assert (await someone.balances())[1] == 2_040
    assert (await gateway.retrieve_account(someone.account_id)).payouts_enabled


async def test_a_payout_belongs_to_its_account(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone, other = await people(), await people()
    await someone.captured()
    (payout_id,) = await bank.pay_out(someone.account_id)
    with pytest.raises(ProviderMissing):
        await gateway.retrieve_payout(payout_id, account_id=other.account_id)
    assert await gateway.list_payouts(account_id=other.account_id, since=_since()) == []
    with pytest.raises(ProviderRejected):
        await gateway.list_payout_lines(payout_id, account_id=other.account_id)
    line_id = (await gateway.list_payout_lines(payout_id, account_id=someone.account_id))[0].id
    with pytest.raises(ProviderMissing):
        await gateway.balance_transaction(line_id)  # the platform's books do not hold it


async def test_a_negative_balance_is_not_paid_out_and_is_made_up_for_first(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured()
    await bank.pay_out(someone.account_id)
    await gateway.refund(hold.id, amount_minor=2_400, idempotency_key="r")
    assert (await someone.balances())[1] == -2_040
    assert await bank.pay_out(someone.account_id) == []
    await someone.captured(6_000, 900)
    (payout_id,) = await bank.pay_out(someone.account_id)
    assert (await gateway.retrieve_payout(payout_id, account_id=someone.account_id)).amount_minor == 5_100 - 2_040


async def _schedule(
    gateway: StripeGateway,
    account_id: str,
    interval: str,
    *,
    weekly: str | None = None,
    monthly: int | None = None,
    delay_days: int = 14,
    key: str = "s",
) -> ConnectedAccount:
    return await gateway.update_schedule(
        account_id,
        interval=interval,  # type: ignore[arg-type] # also what is none
        weekly_anchor=weekly,
        monthly_anchor=monthly,
        delay_days=delay_days,
        idempotency_key=key,
    )


async def test_a_schedule_is_changed_held_and_given_back(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await someone.captured()
    account = await gateway.retrieve_account(someone.account_id)
    assert (account.payout_interval, account.payout_weekly_anchor, account.payout_delay_days) == (
        "weekly",
        "monday",
        14,
    )
    held = await _schedule(gateway, someone.account_id, "manual", key="s:1")
    assert (held.payout_interval, held.payout_weekly_anchor, held.payout_delay_days) == ("manual", None, 14)
    with pytest.raises(AssertionError, match="409"):
        await bank.pay_out(someone.account_id)
    (payout_id,) = await bank.pay_out(someone.account_id, force=True)
    assert not (await gateway.retrieve_payout(payout_id, account_id=someone.account_id)).automatic
    with pytest.raises(ProviderRejected):  # Stripe itemises automatic payouts only
        await gateway.list_payout_lines(payout_id, account_id=someone.account_id)
    monthly = await _schedule(gateway, someone.account_id, "monthly", monthly=31, delay_days=31, key="s:2")
    assert (monthly.payout_interval, monthly.payout_monthly_anchor, monthly.payout_delay_days) == ("monthly", 31, 31)
    daily = await _schedule(gateway, someone.account_id, "daily", delay_days=7, key="s:3")
    assert (daily.payout_interval, daily.payout_monthly_anchor, daily.payout_delay_days) == ("daily", None, 7)
    replayed = await _schedule(gateway, someone.account_id, "manual", key="s:1")
    assert replayed.payout_interval == "manual"  # the stored answer; the account itself stays daily
    assert (await gateway.retrieve_account(someone.account_id)).payout_interval == "daily"


@pytest.mark.parametrize(
    ("interval", "weekly", "monthly", "delay_days"),
    [
        ("hourly", None, None, 14),
        ("monthly", None, None, 14),  # without its anchor
        ("monthly", None, 32, 14),
        ("monthly", "monday", 1, 14),  # the other one's anchor
        ("daily", "monday", None, 14),
        ("weekly", "Montag", None, 14),
        ("weekly", "monday", None, 32),
        ("weekly", "monday", None, 0),
    ],
)
async def test_a_schedule_that_makes_no_sense_is_refused(
    gateway: StripeGateway, people: Make, interval: str, weekly: str | None, monthly: int | None, delay_days: int
) -> None:
    someone = await people()
    before = await gateway.retrieve_account(someone.account_id)
    with pytest.raises(ProviderRejected):
        await _schedule(gateway, someone.account_id, interval, weekly=weekly, monthly=monthly, delay_days=delay_days)
    assert await gateway.retrieve_account(someone.account_id) == before


async def test_a_restricted_account_says_what_is_past_due(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    assert (await gateway.retrieve_account(someone.account_id)).disabled_reason is None
    await bank.restrict(someone.account_id, "individual.verification.document")
    account = await gateway.retrieve_account(someone.account_id)
    assert (account.can_receive, account.payouts_enabled) == (False, False)
    assert account.requirements_due == account.requirements_past_due == ("individual.verification.document",)
    assert account.disabled_reason == "requirements.past_due"
