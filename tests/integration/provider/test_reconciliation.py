"""Damage behind everybody's back, which a reconciliation must be able to see."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from billing.provider.errors import ProviderMissing
from billing.provider.gateway import StripeGateway
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]


async def test_a_tampered_line_shows_in_the_line_and_in_the_balance(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).captured()
    assert hold.balance_transaction_id is not None
    before = (await gateway.balance())["eur"]
    line = await gateway.balance_transaction(hold.balance_transaction_id)
    events = await gateway.list_events()
    await bank.tamper(line.id, "net", line.net_minor - 7)
    assert (await gateway.balance_transaction(line.id)).net_minor == line.net_minor - 7
    assert (await gateway.balance())["eur"] == before - 7
    assert await gateway.list_events() == events  # nobody was told


async def test_a_forgotten_line_is_missing(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    hold = await (await people()).captured()
    assert hold.balance_transaction_id is not None
    await bank.forget(hold.balance_transaction_id)
    with pytest.raises(ProviderMissing):
        await gateway.balance_transaction(hold.balance_transaction_id)
    now = datetime.now(UTC)
    lines = await gateway.list_balance_transactions(now - timedelta(hours=1), now + timedelta(hours=1))
    assert hold.balance_transaction_id not in {line.id for line in lines}


async def test_a_field_that_does_not_exist_is_not_tampered_with(bank: RunningSandbox, people: Make) -> None:
    hold = await (await people()).captured()
    await bank.tamper(hold.id, "metadata.hold", "99")
    for object_id, field in ((hold.id, "nothing"), (hold.id, "metadata.x"), ("pi_nothing", "amount")):
        with pytest.raises(AssertionError, match="404"):
            await bank.tamper(object_id, field, 1)


async def test_every_line_has_a_category_that_finance_knows(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    first, second = await someone.captured(), await someone.captured()
    refund = await gateway.refund(first.id, amount_minor=1_000, idempotency_key="r")
    await bank.fail_refund(refund.id)
    await bank.decide(await bank.dispute(second.id), "won")
    (payout_id,) = await bank.pay_out(someone.account_id)
    await bank.fail_payout(payout_id)
    now = datetime.now(UTC)
    found: dict[str | None, set[tuple[str, str]]] = {}
    for account_id in (None, someone.account_id):
        lines = await gateway.list_balance_transactions(
            now - timedelta(hours=1), now + timedelta(hours=1), account_id=account_id
        )
        found[account_id] = {(line.type, line.reporting_category) for line in lines}
    assert found == {
        None: {
            ("charge", "charge"),
            ("transfer", "transfer"),
            ("application_fee", "platform_earning"),
            ("refund", "refund"),
            ("transfer_refund", "transfer_reversal"),
            ("application_fee_refund", "platform_earning_refund"),
            ("refund_failure", "refund_failure"),
            ("adjustment", "dispute"),
            ("adjustment", "dispute_reversal"),
        },
        someone.account_id: {
            ("payment", "charge"),
            ("payment_refund", "refund"),
            ("adjustment", "fee"),
            ("payout", "payout"),
            ("payout_failure", "payout_reversal"),
        },
    }
