"""The same promises against Stripe's own test mode: skipped, and said so, without STRIPE_TEST_KEY."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from billing.provider.errors import ProviderDeclined, ProviderMissing, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import SetupStatus


def _ago(days: int = 7) -> datetime:
    """So many days ago."""
    return datetime.now(UTC) - timedelta(days=days)


async def test_a_customer_and_a_setup_intent_are_made_once_per_key(stripe_itself: StripeGateway) -> None:
    mark = uuid4()
    customer_id = await stripe_itself.ensure_customer(metadata={"test": str(mark)}, idempotency_key=f"cus:{mark}")
    again = await stripe_itself.ensure_customer(metadata={"test": str(mark)}, idempotency_key=f"cus:{mark}")
    assert again == customer_id
    setup = await stripe_itself.create_setup_intent(customer_id, idempotency_key=f"seti:{mark}")
    assert setup.status is SetupStatus.REQUIRES_PAYMENT_METHOD
    assert (await stripe_itself.retrieve_setup_intent(setup.id)).customer_id == customer_id


async def test_what_does_not_exist_is_missing(stripe_itself: StripeGateway) -> None:
    with pytest.raises((ProviderMissing, ProviderDeclined)):
        await stripe_itself.retrieve_hold("pi_nothing")


async def test_a_schedule_is_changed_and_a_foreign_anchor_refused(stripe_itself: StripeGateway) -> None:
    mark = uuid4()
    account = await stripe_itself.create_account(
        country="DE", metadata={"test": str(mark)}, idempotency_key=f"acct:{mark}"
    )
    assert (account.payout_interval, account.payout_weekly_anchor, account.payout_delay_days) == (
        "weekly",
        "monday",
        14,
    )
    held = await stripe_itself.update_schedule(
        account.id,
        interval="manual",
        weekly_anchor=None,
        monthly_anchor=None,
        delay_days=14,
        idempotency_key=f"schedule:{mark}",
    )
    assert held.payout_interval == "manual"
    with pytest.raises(ProviderRejected):
        await stripe_itself.update_schedule(
            account.id,
            interval="daily",
            weekly_anchor="monday",
            monthly_anchor=None,
            delay_days=14,
            idempotency_key=f"anchor:{mark}",
        )
    assert await stripe_itself.list_payouts(account_id=account.id, since=_ago()) == []
    assert await stripe_itself.list_balance_transactions(_ago(), _ago(0), account_id=account.id) == []
    assert sum((await stripe_itself.balance(account_id=account.id)).values()) == 0


async def test_disputes_are_read_alike_one_by_one_and_as_a_list(stripe_itself: StripeGateway) -> None:
    since = _ago()
    disputes = await stripe_itself.list_disputes(since=since)
    assert all(dispute.created_at >= since for dispute in disputes)
    for dispute in disputes:  # whatever the test account holds is read without a gap
        assert await stripe_itself.retrieve_dispute(dispute.id) == dispute


async def test_a_customers_cards_are_listed_and_what_is_missing_says_so(stripe_itself: StripeGateway) -> None:
    mark = uuid4()
    customer_id = await stripe_itself.ensure_customer(metadata={}, idempotency_key=f"cus:{mark}")
    assert await stripe_itself.list_payment_methods(customer_id) == []
    assert await stripe_itself.list_transfers(f"no-such-{mark}") == []
    for missing in (
        stripe_itself.retrieve_refund("re_nothing"),
        stripe_itself.retrieve_dispute("du_nothing"),
        stripe_itself.list_transfer_reversals("tr_nothing"),
    ):
        with pytest.raises(ProviderMissing):
            await missing


async def test_the_platforms_lines_sum_as_stripe_says(stripe_itself: StripeGateway) -> None:
    lines = await stripe_itself.list_balance_transactions(_ago(), _ago(0))
    assert all(line.net_minor == line.amount_minor - line.fee_minor for line in lines)
    assert all(line.reporting_category for line in lines)
