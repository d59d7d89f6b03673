"""The contract of refunds and transfers: what goes back to whom, what is refused, and what comes back."""

import pytest
import stripe

from billing.provider.errors import ProviderRejected
from billing.provider.objects import RefundStatus, Transfer
from tests.integration.provider.contract.side import Side, fresh


async def _transfer(side: Side, transfer_group: str | None) -> Transfer:
    assert transfer_group is not None
    (found,) = await side.gateway.list_transfers(transfer_group)
    return found


async def test_part_is_given_back_and_then_the_rest(side: Side) -> None:
    # docs.stripe.com/api/refunds/create: transfer and application fee go back in proportion; all of them with the rest
    hold = await side.captured(2_400, 360)
    key = fresh("refund")
    for _ in range(2):
        part = await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=key, metadata={"case": "3"})
        assert (part.amount_minor, part.currency) == (1_000, hold.currency)
        assert part.status in {RefundStatus.SUCCEEDED, RefundStatus.PENDING}
        assert (part.payment_intent_id, part.charge_id, part.metadata) == (hold.id, hold.charge_id, {"case": "3"})
    assert (part.transfer_reversed_minor, part.fee_refunded_total_minor) == (1_000, 150)
    assert part.fee_refunded_minor in {150, None}  # None: Stripe's figures do not tell
    assert (await _transfer(side, hold.transfer_group)).reversed_minor == 1_000
    rest = await side.gateway.refund(hold.id, amount_minor=1_400, idempotency_key=fresh("refund"))
    assert (rest.transfer_reversed_minor, rest.fee_refunded_total_minor) == (1_400, 360)
    assert (await _transfer(side, hold.transfer_group)).reversed_minor == 2_400
    assert hold.application_fee_id is not None
    fee = await side.sdk.application_fees.retrieve_async(hold.application_fee_id)
    assert (fee.amount_refunded, fee.refunded) == (360, True)
    assert {part.id, rest.id} <= {one.id for one in await side.gateway.list_refunds(hold.id)}
    again = await side.gateway.retrieve_refund(part.id)
    assert (again.id, again.amount_minor, again.transfer_reversal_id) == (part.id, 1_000, part.transfer_reversal_id)


async def test_a_refund_is_a_line_on_both_balances(side: Side) -> None:
    consultant = await side.consultant()
    hold = await side.captured(2_400, 360)
    refund = await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))
    assert refund.balance_transaction_id is not None
    line = await side.gateway.balance_transaction(refund.balance_transaction_id)
    assert (line.reporting_category, line.amount_minor, line.source_id) == ("refund", -1_000, refund.id)
    assert hold.transfer_id is not None
    (reversal,) = await side.gateway.list_transfer_reversals(hold.transfer_id)
    assert (reversal.id, reversal.amount_minor, reversal.transfer_id) == (
        refund.transfer_reversal_id,
        1_000,
        hold.transfer_id,
    )
    assert reversal.balance_transaction_id is not None
    back = await side.gateway.balance_transaction(reversal.balance_transaction_id)
    assert (back.reporting_category, back.amount_minor, back.source_id) == ("transfer_reversal", 1_000, reversal.id)
    lines = await side.eventually(
        "the account has the reversal's line",
        lambda: side.lines(consultant, since=hold.created_at),
        lambda found: reversal.destination_refund_id in {one.source_id for one in found},
    )
    (taken,) = [one for one in lines if one.source_id == reversal.destination_refund_id]
    assert (taken.reporting_category, taken.amount_minor) == ("refund", -1_000)


async def test_a_refund_that_does_not_reverse_leaves_the_consultant_everything(side: Side) -> None:
    # docs.stripe.com/connect/destination-charges, 'Issue refunds': "the destination account keeps the funds"
    hold = await side.captured(2_400, 360)
    key = fresh("refund")
    refund = await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=key, from_platform=True)
    assert (refund.amount_minor, refund.transfer_reversal_id) == (1_000, None)
    assert (await _transfer(side, hold.transfer_group)).reversed_minor == 0
    assert (await side.gateway.retrieve_hold(hold.id)).application_fee_refunded_minor == 0


@pytest.mark.parametrize("amount", [2_401, 1_401])
async def test_no_more_is_given_back_than_is_left(side: Side, amount: int) -> None:
    hold = await side.captured(2_400, 360)
    if amount < 2_400:
        await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))
    with pytest.raises(ProviderRejected):
        await side.gateway.refund(hold.id, amount_minor=amount, idempotency_key=fresh("refund"))
    reversed_minor = (await _transfer(side, hold.transfer_group)).reversed_minor
    assert reversed_minor == (1_000 if amount < 2_400 else 0)


async def test_what_was_given_back_whole_is_not_given_back_again(side: Side) -> None:
    hold = await side.captured(1_000, 150)
    await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))
    with pytest.raises(ProviderRejected) as refused:
        await side.gateway.refund(hold.id, amount_minor=1, idempotency_key=fresh("refund"))
    assert refused.value.provider_code == "charge_already_refunded"


async def test_what_was_never_captured_is_not_refunded_by_amount(side: Side) -> None:
    hold = await side.hold()
    with pytest.raises(ProviderRejected):
        await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))


async def test_a_refund_may_come_back(side: Side) -> None:
    # docs.stripe.com/testing, 'Refunds': it begins as succeeded, and fails some time later
    hold = await side.captured(2_400, 360, card="pm_card_refundFail")
    refund = await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))
    failed = await side.eventually(
        "the refund came back",
        lambda: side.gateway.retrieve_refund(refund.id),
        lambda now: now.status is RefundStatus.FAILED,
    )
    assert failed.failure_reason
    assert failed.failure_balance_transaction_id is not None
    line = await side.gateway.balance_transaction(failed.failure_balance_transaction_id)
    assert line.amount_minor == 1_000


async def test_a_transfer_is_made_once_and_taken_back_in_parts(side: Side) -> None:
    consultant = await side.consultant()
    await side.topped_up(1_000)
    group, key = fresh("contract"), fresh("transfer")
    for _ in range(2):
        made = await side.gateway.create_transfer(
            destination_id=consultant,
            amount_minor=1_000,
            currency=await side.currency(),
            transfer_group=group,
            metadata={"dispute": "7"},
            idempotency_key=key,
        )
    assert (made.amount_minor, made.reversed_minor, made.destination_id) == (1_000, 0, consultant)
    assert (await _transfer(side, group)) == made
    assert made.balance_transaction_id is not None
    line = await side.gateway.balance_transaction(made.balance_transaction_id)
    assert (line.reporting_category, line.amount_minor, line.source_id) == ("transfer", -1_000, made.id)
    await side.funded(consultant, 400)
    key = fresh("reversal")
    for _ in range(2):
        back = await side.gateway.reverse_transfer(
            made.id, amount_minor=400, metadata={"dispute": "7"}, idempotency_key=key
        )
    assert (back.transfer_id, back.amount_minor, back.metadata) == (made.id, 400, {"dispute": "7"})
    assert await side.gateway.list_transfer_reversals(made.id) == [back]
    assert (await _transfer(side, group)).reversed_minor == 400
    with pytest.raises(ProviderRejected):
        await side.gateway.reverse_transfer(made.id, amount_minor=601, metadata={}, idempotency_key=fresh("reversal"))


async def test_the_platform_transfers_no_more_than_it_has(side: Side) -> None:
    with pytest.raises(ProviderRejected) as refused:
        await side.gateway.create_transfer(
            destination_id=await side.consultant(),
            amount_minor=max(await side.available(), 0) + 99_999_00,
            currency=await side.currency(),
            transfer_group=fresh("contract"),
            metadata={},
            idempotency_key=fresh("transfer"),
        )
    assert refused.value.provider_code == "balance_insufficient"


async def test_a_refund_needs_something_to_refund(side: Side) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await side.sdk.refunds.create_async({"amount": 100})
    assert refused.value.http_status == 400
