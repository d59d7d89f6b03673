"""Disputes as the gateway sees them: what each moves on our balance, and what may be answered."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from billing.provider.errors import ProviderMissing, ProviderRejected
from billing.provider.gateway import StripeGateway
from billing.provider.objects import DisputeStatus
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]
FEE = 1_500


async def test_a_dispute_takes_the_amount_and_a_fee_from_the_platform_alone(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured(2_400)
    platform, consultant = await someone.balances()
    dispute = await gateway.retrieve_dispute(await bank.dispute(hold.id, reason="product_not_received"))
    assert (dispute.status, dispute.reason) == (DisputeStatus.NEEDS_RESPONSE, "product_not_received")
    assert (dispute.amount_minor, dispute.charge_id, dispute.payment_intent_id) == (2_400, hold.charge_id, hold.id)
    assert not dispute.is_charge_refundable
    assert dispute.due_by is not None
    assert dispute.due_by > datetime.now(UTC) + timedelta(days=5)
    (line,) = dispute.lines
    assert (line.type, line.reporting_category, line.source_id) == ("adjustment", "dispute", dispute.id)
    assert (line.amount_minor, line.fee_minor, line.net_minor) == (-2_400, FEE, -2_400 - FEE)
    assert await gateway.balance_transaction(line.id) == line
    assert await someone.balances() == (platform - 2_400 - FEE, consultant)
    assert (await gateway.retrieve_hold(hold.id)).disputed


async def test_a_won_dispute_returns_the_amount_but_not_the_fee(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured()
    platform, consultant = await someone.balances()
    dispute_id = await bank.dispute(hold.id)
    assert await bank.decide(dispute_id, "won") == "won"
    dispute = await gateway.retrieve_dispute(dispute_id)
    assert dispute.status is DisputeStatus.WON
    back = dispute.lines[-1]
    assert (back.reporting_category, back.amount_minor, back.fee_minor) == ("dispute_reversal", 2_400, 0)
    assert await someone.balances() == (platform - FEE, consultant)
    assert (await gateway.refund(hold.id, amount_minor=2_400, idempotency_key="r")).amount_minor == 2_400


async def test_a_lost_dispute_moves_nothing_more(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    someone = await people()
    dispute_id = await bank.dispute((await someone.captured()).id)
    before = await someone.balances()
    await bank.decide(dispute_id, "lost")
    assert (await gateway.retrieve_dispute(dispute_id)).status is DisputeStatus.LOST
    assert await someone.balances() == before


async def test_a_charge_that_was_charged_back_cannot_be_refunded(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).captured()
    await bank.dispute(hold.id)
    with pytest.raises(ProviderRejected) as refused:
        await gateway.refund(hold.id, amount_minor=2_400, idempotency_key="r")
    assert refused.value.provider_code == "charge_disputed"


async def test_part_of_a_charge_may_be_disputed_and_never_what_was_refunded(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).captured()
    await gateway.refund(hold.id, amount_minor=1_000, idempotency_key="r")
    with pytest.raises(AssertionError, match="1400"):
        await bank.dispute(hold.id, amount=1_401)
    assert (await gateway.retrieve_dispute(await bank.dispute(hold.id))).amount_minor == 1_400


async def test_an_inquiry_moves_no_money_and_a_full_refund_ends_it(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.captured()
    before = await someone.balances()
    dispute_id = await bank.dispute(hold.id, inquiry=True)
    dispute = await gateway.retrieve_dispute(dispute_id)
    assert (dispute.status, dispute.lines) == (DisputeStatus.WARNING_NEEDS_RESPONSE, ())
    assert dispute.is_charge_refundable
    assert await someone.balances() == before
    await gateway.refund(hold.id, amount_minor=2_400, idempotency_key="r")
    assert (await gateway.retrieve_dispute(dispute_id)).status is DisputeStatus.WARNING_CLOSED


async def test_an_inquiry_may_become_a_dispute_and_only_then_costs(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    dispute_id = await bank.dispute((await someone.captured()).id, inquiry=True)
    platform, consultant = await someone.balances()
    assert await bank.decide(dispute_id, "escalated") == "needs_response"
    assert [line.net_minor for line in (await gateway.retrieve_dispute(dispute_id)).lines] == [-2_400 - FEE]
    assert await someone.balances() == (platform - 2_400 - FEE, consultant)


async def test_evidence_is_handed_in_once(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    dispute_id = await bank.dispute((await (await people()).captured()).id)
    evidence = {"product_description": "A call of 24 minutes.", "service_date": "2026-11-03"}
    for _ in range(2):  # the same key: one submission
        answered = await gateway.submit_evidence(dispute_id, evidence=evidence, idempotency_key="e:1")
        assert (answered.status, answered.submission_count) == (DisputeStatus.UNDER_REVIEW, 1)
        assert dict(answered.evidence) == evidence
        assert not answered.past_due
    with pytest.raises(ProviderRejected):
        await gateway.submit_evidence(dispute_id, evidence=evidence, idempotency_key="e:2")


async def test_evidence_stripe_has_no_name_for_is_refused(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    dispute_id = await bank.dispute((await (await people()).captured()).id)
    with pytest.raises(ProviderRejected) as refused:
        await gateway.submit_evidence(dispute_id, evidence={"our_word": "please"}, idempotency_key="e:1")
    assert refused.value.param == "evidence[our_word]"
    with pytest.raises(ProviderRejected):
        await gateway.submit_evidence(dispute_id, evidence={"uncategorized_text": "x" * 150_001}, idempotency_key="e:2")
    assert (await gateway.retrieve_dispute(dispute_id)).submission_count == 0


@pytest.mark.parametrize(
    ("text", "status"), [("winning_evidence", DisputeStatus.WON), ("losing_evidence", DisputeStatus.LOST)]
)
async def test_stripes_test_texts_decide_a_dispute(
    gateway: StripeGateway, bank: RunningSandbox, people: Make, text: str, status: DisputeStatus
) -> None:
    dispute_id = await bank.dispute((await (await people()).captured()).id)
    answered = await gateway.submit_evidence(dispute_id, evidence={"uncategorized_text": text}, idempotency_key="e")
    assert answered.status is DisputeStatus.UNDER_REVIEW
    assert (await gateway.retrieve_dispute(dispute_id)).status is status


async def test_a_dispute_is_accepted_once_and_for_all(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    dispute_id = await bank.dispute((await someone.captured()).id)
    before = await someone.balances()
    for _ in range(2):
        assert (await gateway.accept_dispute(dispute_id, idempotency_key="a:1")).status is DisputeStatus.LOST
    assert await someone.balances() == before
    with pytest.raises(ProviderRejected):
        await gateway.accept_dispute(dispute_id, idempotency_key="a:2")
    with pytest.raises(ProviderRejected):
        await gateway.submit_evidence(dispute_id, evidence={}, idempotency_key="e")


async def test_an_inquiry_is_not_accepted_but_refunded(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    dispute_id = await bank.dispute((await (await people()).captured()).id, inquiry=True)
    with pytest.raises(ProviderRejected):
        await gateway.accept_dispute(dispute_id, idempotency_key="a")


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("4000000000000259", DisputeStatus.NEEDS_RESPONSE),
        ("4000000000001976", DisputeStatus.WARNING_NEEDS_RESPONSE),
    ],
)
async def test_some_cards_dispute_by_themselves_after_the_capture(
    gateway: StripeGateway, people: Make, number: str, status: DisputeStatus
) -> None:
    hold = await (await people(number)).captured()
    assert not hold.disputed  # it comes a moment later, as at Stripe
    since = datetime.now(UTC) - timedelta(minutes=1)
    (dispute,) = await gateway.list_disputes(since=since)
    assert (dispute.status, dispute.reason, dispute.payment_intent_id) == (status, "fraudulent", hold.id)
    assert await gateway.list_disputes(since=since + timedelta(hours=1)) == []


async def test_what_does_not_exist_is_missing(gateway: StripeGateway) -> None:
    with pytest.raises(ProviderMissing):
        await gateway.retrieve_dispute("du_nothing")
    with pytest.raises(ProviderMissing):
        await gateway.accept_dispute("du_nothing", idempotency_key="a")
    with pytest.raises(ProviderMissing):
        await gateway.submit_evidence("du_nothing", evidence={}, idempotency_key="e")
