"""The contract of disputes: opened by a bank, answered, accepted, decided."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.provider.errors import ProviderRejected
from billing.provider.objects import Dispute, DisputeStatus, Hold
from tests.integration.provider.contract.side import Side, fresh


async def _disputed(side: Side, card: str = "pm_card_createDispute") -> tuple[Hold, Dispute]:
    """A capture and the dispute that some of Stripe's test cards open a little later."""
    hold = await side.captured(2_400, 360, card=card)
    found = await side.eventually(
        "the bank disputes the capture",
        lambda: side.gateway.list_disputes(since=hold.created_at),
        lambda disputes: hold.id in {one.payment_intent_id for one in disputes},
    )
    (dispute,) = [one for one in found if one.payment_intent_id == hold.id]
    return hold, dispute


async def _until(side: Side, dispute_id: str, status: DisputeStatus) -> Dispute:
    return await side.eventually(
        f"the dispute is {status}",
        lambda: side.gateway.retrieve_dispute(dispute_id),
        lambda now: now.status is status,
    )


async def test_a_dispute_takes_the_money_from_the_platform(side: Side) -> None:
    # docs.stripe.com/connect/destination-charges: the platform bears disputes, not the connected account
    hold, dispute = await _disputed(side)
    assert (dispute.status, dispute.reason) == (DisputeStatus.NEEDS_RESPONSE, "fraudulent")
    assert (dispute.amount_minor, dispute.currency, dispute.charge_id) == (2_400, hold.currency, hold.charge_id)
    assert (dispute.submission_count, dispute.past_due) == (0, False)
    assert dispute.due_by is not None
    assert dispute.due_by > datetime.now(UTC)
    withdrawn = await side.eventually(
        "the money was withdrawn",
        lambda: side.gateway.retrieve_dispute(dispute.id),
        lambda now: bool(now.lines),
    )
    (line,) = withdrawn.lines
    assert (line.type, line.reporting_category, line.source_id) == ("adjustment", "dispute", dispute.id)
    assert (line.amount_minor, line.net_minor) == (-2_400, -2_400 - line.fee_minor)
    assert line.fee_minor >= 0
    assert (await side.gateway.retrieve_hold(hold.id)).disputed
    assert hold.transfer_group is not None
    (transfer,) = await side.gateway.list_transfers(hold.transfer_group)
    assert transfer.reversed_minor == 0
    with pytest.raises(ProviderRejected):
        await side.gateway.refund(hold.id, amount_minor=2_400, idempotency_key=fresh("refund"))


@pytest.mark.parametrize(
    ("text", "status"), [("winning_evidence", DisputeStatus.WON), ("losing_evidence", DisputeStatus.LOST)]
)
async def test_evidence_is_handed_in_and_decides(side: Side, text: str, status: DisputeStatus) -> None:
    # docs.stripe.com/testing#evidence
    _, dispute = await _disputed(side)
    evidence, key = {"uncategorized_text": text, "service_date": "2026-11-03"}, fresh("evidence")
    for _ in range(2):
        answered = await side.gateway.submit_evidence(dispute.id, evidence=evidence, idempotency_key=key)
        assert answered.status in {DisputeStatus.UNDER_REVIEW, status}
        assert evidence.items() <= dict(answered.evidence).items()
    decided = await _until(side, dispute.id, status)
    assert decided.submission_count == 1
    if status is DisputeStatus.WON:
        decided = await side.eventually(
            "the money is reinstated",
            lambda: side.gateway.retrieve_dispute(dispute.id),
            lambda now: len(now.lines) > 1,
        )
        assert sum(line.amount_minor for line in decided.lines) == 0
        assert {line.reporting_category for line in decided.lines} == {"dispute", "dispute_reversal"}
    with pytest.raises(ProviderRejected):
        await side.gateway.submit_evidence(dispute.id, evidence=evidence, idempotency_key=fresh("evidence"))


async def test_evidence_stripe_has_no_name_for_is_refused(side: Side) -> None:
    _, dispute = await _disputed(side)
    with pytest.raises(ProviderRejected):
        await side.gateway.submit_evidence(
            dispute.id, evidence={"our_word": "please"}, idempotency_key=fresh("evidence")
        )
    assert (await side.gateway.retrieve_dispute(dispute.id)).submission_count == 0


async def test_an_accepted_dispute_is_lost(side: Side) -> None:
    # docs.stripe.com/api/disputes/close: "Closing a dispute is irreversible"
    _, dispute = await _disputed(side)
    key = fresh("accept")
    for _ in range(2):
        assert (await side.gateway.accept_dispute(dispute.id, idempotency_key=key)).status is DisputeStatus.LOST
    with pytest.raises(ProviderRejected):
        await side.gateway.submit_evidence(dispute.id, evidence={}, idempotency_key=fresh("evidence"))


async def test_an_inquiry_moves_no_money_and_may_be_refunded(side: Side) -> None:
    hold, dispute = await _disputed(side, "pm_card_createDisputeInquiry")
    assert (dispute.status, dispute.lines) == (DisputeStatus.WARNING_NEEDS_RESPONSE, ())
    assert dispute.is_charge_refundable
    refund = await side.gateway.refund(hold.id, amount_minor=2_400, idempotency_key=fresh("refund"))
    assert refund.amount_minor == 2_400


async def test_disputes_are_read_alike_one_by_one_and_as_a_list(side: Side) -> None:
    await _disputed(side)
    since = datetime.now(UTC) - timedelta(days=7)
    disputes = await side.gateway.list_disputes(since=since)
    assert disputes
    assert all(dispute.created_at >= since for dispute in disputes)
    for dispute in disputes[:10]:  # whatever the test account holds is read without a gap
        alone = await side.gateway.retrieve_dispute(dispute.id)
        assert (alone.id, alone.amount_minor, alone.created_at) == (
            dispute.id,
            dispute.amount_minor,
            dispute.created_at,
        )
