"""Transfers, reversals and refunds: what each moves on both balances."""

from collections.abc import Awaitable, Callable

import pytest

from billing.provider.errors import ProviderDisconnected, ProviderMissing, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import RefundStatus, Transfer
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]


async def _transfer(someone: People, amount_minor: int = 1_000, key: str = "t:1") -> Transfer:
    return await someone.gateway.create_transfer(
        destination_id=someone.account_id,
        amount_minor=amount_minor,
        currency="eur",
        transfer_group="call-1",
        metadata={"dispute": "7"},
        idempotency_key=key,
    )


async def test_a_transfer_moves_our_money_to_the_consultant_once(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await bank.top_up(1_500)
    made = await _transfer(someone)
    assert await _transfer(someone) == made
    assert (made.amount_minor, made.reversed_minor, made.currency) == (1_000, 0, "eur")
    assert (made.destination_id, made.metadata) == (someone.account_id, {"dispute": "7"})
    assert await someone.balances() == (500, 1_000)
    assert made.balance_transaction_id is not None
    line = await gateway.balance_transaction(made.balance_transaction_id)
    assert (line.type, line.reporting_category, line.source_id) == ("transfer", "transfer", made.id)
    assert await gateway.list_transfers("call-1") == [made]


async def test_the_platform_transfers_no_more_than_it_holds(bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    await bank.top_up(999)
    with pytest.raises(ProviderRejected) as refused:
        await _transfer(someone)
    assert refused.value.provider_code == "balance_insufficient"
    assert await someone.balances() == (999, 0)


async def test_nothing_is_transferred_to_an_account_that_may_not_receive(bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    await bank.top_up(1_000)
    await bank.restrict(someone.account_id)
    with pytest.raises(ProviderRejected) as refused:
        await _transfer(someone)
    assert refused.value.provider_code == "insufficient_capabilities_for_transfer"


async def test_an_account_that_left_is_neither_asked_about_nor_sent_to(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await bank.top_up(1_000)
    await bank.depart(someone.account_id)
    with pytest.raises(ProviderDisconnected) as gone:
        await gateway.retrieve_account(someone.account_id)
    assert gone.value.provider_code == "account_invalid"
    with pytest.raises(ProviderRejected):
        await _transfer(someone)


async def test_the_captures_own_transfer_is_listed_and_reversed(gateway: StripeGateway, people: Make) -> None:
    someone = await people()
    hold = await someone.captured()
    platform, consultant = await someone.balances()
    (own,) = await gateway.list_transfers("call-1")
    assert (own.id, own.amount_minor) == (hold.transfer_id, 2_400)
    for _ in range(2):  # the same key: one reversal
        reversal = await gateway.reverse_transfer(
            own.id, amount_minor=2_040, metadata={"dispute": "7"}, idempotency_key="v:1"
        )
    assert (reversal.transfer_id, reversal.amount_minor, reversal.metadata) == (own.id, 2_040, {"dispute": "7"})
    assert await someone.balances() == (platform + 2_040, consultant - 2_040)
    assert await gateway.list_transfer_reversals(own.id) == [reversal]
    assert (await gateway.list_transfers("call-1"))[0].reversed_minor == 2_040
    assert reversal.balance_transaction_id is not None
    line = await gateway.balance_transaction(reversal.balance_transaction_id)
    assert (line.type, line.reporting_category, line.source_id) == (
        "transfer_refund",
        "transfer_reversal",
        reversal.id,
    )


async def test_no_more_is_reversed_than_was_transferred(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await bank.top_up(5_000)
    made = await _transfer(someone)
    await _transfer(someone, 3_000, "t:2")  # so that the account holds more than the one transfer
    with pytest.raises(ProviderRejected):
        await gateway.reverse_transfer(made.id, amount_minor=1_001, metadata={}, idempotency_key="v:1")
    with pytest.raises(ProviderRejected):
        await gateway.reverse_transfer(made.id, amount_minor=0, metadata={}, idempotency_key="v:2")
    await gateway.reverse_transfer(made.id, amount_minor=1_000, metadata={}, idempotency_key="v:3")
    with pytest.raises(ProviderRejected):
        await gateway.reverse_transfer(made.id, amount_minor=1, metadata={}, idempotency_key="v:4")
    assert await someone.balances() == (2_000, 3_000)


async def test_what_was_paid_out_cannot_be_reversed(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    hold = await someone.captured()
    await bank.pay_out(someone.account_id)
    assert hold.transfer_id is not None
    with pytest.raises(ProviderRejected) as refused:
        await gateway.reverse_transfer(hold.transfer_id, amount_minor=1, metadata={}, idempotency_key="v")
    assert refused.value.provider_code == "balance_insufficient"


async def test_a_refund_moves_every_balance_back_pro_rata(gateway: StripeGateway, people: Make) -> None:
    someone = await people()
    hold = await someone.captured(2_400, 360)
    platform, consultant = await someone.balances()
    assert hold.application_fee_refunded_minor == 0
    refund = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r:1", metadata={"case": "3"})
    assert (refund.status, refund.transfer_reversed_minor) == (RefundStatus.SUCCEEDED, 1_000)
    assert (refund.fee_refunded_minor, refund.fee_refunded_total_minor) == (150, 150)
    assert refund.application_fee_id == hold.application_fee_id
    # The customer is given 1000: 850 of the consultant's share, 150 of our commission.
    assert await someone.balances() == (platform - 150, consultant - 850)
    after = await gateway.retrieve_hold(hold.id)
    assert (after.refunded_minor, after.application_fee_refunded_minor) == (1_000, 150)
    assert hold.transfer_id is not None
    (reversal,) = await gateway.list_transfer_reversals(hold.transfer_id)
    assert reversal.id == refund.transfer_reversal_id


async def test_a_refund_the_platform_bears_leaves_share_and_fee_where_they_are(
    gateway: StripeGateway, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured(2_400, 360)
    platform, consultant = await someone.balances()
    credit = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r:1", from_platform=True)
    assert (credit.status, credit.transfer_reversal_id, credit.transfer_reversed_minor) == (
        RefundStatus.SUCCEEDED,
        None,
        0,
    )
    assert (credit.fee_refunded_total_minor, credit.fee_refunded_minor) == (0, None)
    assert await someone.balances() == (platform - 1_000, consultant)
    rest = await gateway.refund(hold.id, amount_minor=1_400, idempotency_key="r:2")
    assert (rest.transfer_reversed_minor, rest.fee_refunded_total_minor) == (1_400, 210), "of its own amount alone"
    assert await someone.balances() == (platform - 1_000 - 210, consultant - 1_190)
    with pytest.raises(ProviderRejected):
        await gateway.refund(hold.id, amount_minor=1, idempotency_key="r:3", from_platform=True)


async def test_every_refund_of_a_hold_is_listed_with_its_own_part_of_the_fee(
    gateway: StripeGateway, people: Make
) -> None:
    hold = await (await people()).captured(1_001, 150)
    parts = [
        await gateway.refund(hold.id, amount_minor=amount, idempotency_key=f"r:{n}")
        for n, amount in enumerate((333, 333, 335))
    ]
    listed = await gateway.list_refunds(hold.id)
    assert [one.id for one in listed] == [one.id for one in parts][::-1]
    assert [one.fee_refunded_minor for one in listed] == [one.fee_refunded_minor for one in parts][::-1]
    assert sum(one.fee_refunded_minor or 0 for one in listed) == 150
    assert (await gateway.retrieve_refund(parts[1].id)).fee_refunded_minor == parts[1].fee_refunded_minor


async def test_a_part_of_the_fee_that_nobody_can_tell_is_not_guessed(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).captured(1_001, 150)
    tiny = await gateway.refund(hold.id, amount_minor=1, idempotency_key="r:1")  # 0.15 of a cent: no fee refund
    assert (tiny.fee_refunded_minor, tiny.fee_refunded_total_minor) == (None, 0)


async def test_a_refund_may_fail_after_it_succeeded(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    hold = await someone.captured()
    refund = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r:1")
    platform, consultant = await someone.balances()
    await bank.fail_refund(refund.id)
    failed = await gateway.retrieve_refund(refund.id)
    assert (failed.status, failed.failure_reason) == (RefundStatus.FAILED, "expired_or_canceled_card")
    assert await someone.balances() == (platform + 1_000, consultant)  # the consultant's share is not given back
    assert failed.failure_balance_transaction_id is not None
    line = await gateway.balance_transaction(failed.failure_balance_transaction_id)
    assert (line.type, line.amount_minor, line.source_id) == ("refund_failure", 1_000, refund.id)
    assert (await gateway.retrieve_hold(hold.id)).refunded_minor == 0


async def test_a_card_whose_refunds_fail_by_themselves(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people("4000000000005126")).captured()
    refund = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r:1")
    assert refund.status is RefundStatus.SUCCEEDED
    assert [one.status for one in await gateway.list_refunds(hold.id)] == [RefundStatus.FAILED]
    replayed = await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r:1")
    assert replayed.status is RefundStatus.SUCCEEDED  # the stored answer is as old as the first one


async def test_what_does_not_exist_is_missing(gateway: StripeGateway) -> None:
    with pytest.raises(ProviderMissing):
        await gateway.retrieve_refund("re_nothing")
    with pytest.raises(ProviderMissing):
        await gateway.list_transfer_reversals("tr_nothing")
    with pytest.raises(ProviderMissing):
        await gateway.reverse_transfer("tr_nothing", amount_minor=1, metadata={}, idempotency_key="v")
    assert await gateway.list_transfers("no-such-call") == []
