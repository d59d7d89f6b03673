"""Every movement of money is told by its webhook, with the account it happened on."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from billing.provider.gateway import StripeGateway
from tests.fakes.sandbox import RunningSandbox, in_process
from tests.integration.provider.conftest import People
from tests.integration.provider.endpoint import Endpoint, listening, until

Make = Callable[..., Awaitable[People]]


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def bank(endpoint: Endpoint) -> AsyncIterator[RunningSandbox]:
    async with listening(endpoint) as url, in_process(webhook_url=url) as running:
        yield running


async def test_of_a_dispute(endpoint: Endpoint, bank: RunningSandbox, gateway: StripeGateway, people: Make) -> None:
    dispute_id = await bank.dispute((await (await people()).captured()).id)
    told = await until(endpoint, "charge.dispute.created", "charge.dispute.funds_withdrawn")
    assert {told[name].object_id for name in told if name.startswith("charge.dispute")} == {dispute_id}
    await gateway.submit_evidence(dispute_id, evidence={"uncategorized_text": "winning_evidence"}, idempotency_key="e")
    told = await until(endpoint, "charge.dispute.updated", "charge.dispute.funds_reinstated", "charge.dispute.closed")
    assert told["charge.dispute.updated"].object["status"] == "under_review"
    assert told["charge.dispute.closed"].object["status"] == "won"
    assert told["charge.dispute.closed"].account_id is None


async def test_of_a_refund_that_fails(endpoint: Endpoint, gateway: StripeGateway, people: Make) -> None:
    hold = await (await people("4000000000005126")).captured()
    refund = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r")
    told = await until(
        endpoint,
        *("refund.created", "charge.refunded", "transfer.reversed", "application_fee.refunded"),
        *("refund.updated", "charge.refund.updated", "refund.failed"),
    )
    assert told["refund.failed"].object_id == refund.id
    assert (told["refund.created"].object["status"], told["refund.failed"].object["status"]) == ("succeeded", "failed")
    assert told["application_fee.refunded"].object_id == hold.application_fee_id


async def test_of_a_payout(endpoint: Endpoint, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    await someone.captured()
    (payout_id,) = await bank.pay_out(someone.account_id)
    await bank.settle_payout(payout_id)
    await bank.fail_payout(payout_id)
    (second,) = await bank.pay_out(someone.account_id, force=True)
    await bank.cancel_payout(second)
    told = await until(endpoint, "payout.created", "payout.paid", "payout.failed", "payout.canceled")
    assert told["payout.failed"].object["failure_code"] == "account_closed"
    assert {told[name].account_id for name in told if name.startswith("payout.")} == {someone.account_id}


async def test_of_an_account_and_a_transfer(
    endpoint: Endpoint, bank: RunningSandbox, gateway: StripeGateway, people: Make
) -> None:
    someone = await people()
    await bank.top_up(1_000)
    transfer = await gateway.create_transfer(
        destination_id=someone.account_id,
        amount_minor=1_000,
        currency="eur",
        transfer_group="g",
        metadata={},
        idempotency_key="t",
    )
    await gateway.reverse_transfer(transfer.id, amount_minor=400, metadata={}, idempotency_key="v")
    await gateway.update_schedule(
        someone.account_id,
        interval="manual",
        weekly_anchor=None,
        monthly_anchor=None,
        delay_days=14,
        idempotency_key="s",
    )
    told = await until(endpoint, "transfer.created", "transfer.reversed", "account.updated")
    assert (told["transfer.reversed"].object["amount_reversed"], told["transfer.reversed"].object_id) == (
        400,
        transfer.id,
    )
    assert told["account.updated"].account_id == someone.account_id


async def test_of_a_larger_hold(endpoint: Endpoint, gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed(6_000)
    await gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key="i")
    told = await until(endpoint, "charge.updated")
    assert told["charge.updated"].object["amount"] == 9_000
    capturable = [
        event.object["amount_capturable"]
        for event in await gateway.list_events()
        if event.type == "payment_intent.amount_capturable_updated"
    ]
    assert capturable == [6_000, 9_000]
