"""The contract of holds: placed with the customer there or away, refused, enlarged, captured in part, released."""

import pytest

from billing.provider.errors import ProviderDeclined, ProviderRejected
from billing.provider.objects import HoldStatus
from tests.integration.provider.contract.side import Side, fresh


async def test_a_hold_stands_and_says_for_how_long(side: Side) -> None:
    customer_id, consultant, currency = await side.customer(), await side.consultant(), await side.currency()
    card = await side.saved(customer_id)
    created = await side.hold(6_000, customer_id=customer_id, card=card)
    assert (created.status, created.capturable_minor) == (HoldStatus.REQUIRES_CONFIRMATION, 0)
    hold = await side.confirm(created)
    assert (hold.id, hold.status) == (created.id, HoldStatus.REQUIRES_CAPTURE)
    assert (hold.amount_minor, hold.capturable_minor, hold.captured_minor) == (6_000, 6_000, 0)
    assert (hold.currency, hold.customer_id, hold.payment_method_id) == (currency, customer_id, card)
    assert (hold.destination_id, hold.transfer_group) == (consultant, created.transfer_group)
    assert hold.metadata == {"contract": "1"}
    assert hold.balance_transaction_id is None  # nothing was moved
    assert hold.capture_before is not None
    assert hold.capture_before > hold.created_at
    assert await side.gateway.retrieve_hold(hold.id) == hold


async def test_a_saved_card_is_held_while_the_customer_is_away(side: Side) -> None:
    customer_id = await side.customer()
    created = await side.hold(customer_id=customer_id, card=await side.saved(customer_id))
    assert (await side.confirm(created, away=True)).status is HoldStatus.REQUIRES_CAPTURE


async def test_a_bank_that_wants_to_see_the_customer_sends_them_there(side: Side) -> None:
    customer_id = await side.customer()
    card = await side.attached(customer_id, "pm_card_authenticationRequired")
    hold = await side.confirm(await side.hold(customer_id=customer_id, card=card))
    assert (hold.status, hold.capturable_minor) == (HoldStatus.REQUIRES_ACTION, 0)
    assert hold.authenticate_url is not None
    assert hold.authenticate_url.startswith("http")
    released = await side.gateway.cancel(hold.id, idempotency_key=fresh("cancel"))
    assert (released.status, released.authenticate_url) == (HoldStatus.CANCELED, None)


async def test_a_bank_that_wants_to_see_a_customer_who_is_away_declines(side: Side) -> None:
    # docs.stripe.com/payments/save-and-reuse, 'Charge the saved payment method later'
    customer_id = await side.customer()
    card = await side.attached(customer_id, "pm_card_authenticationRequired")
    created = await side.hold(customer_id=customer_id, card=card)
    with pytest.raises(ProviderDeclined) as declined:
        await side.confirm(created, away=True)
    assert declined.value.code == "authentication_required"
    after = await side.gateway.retrieve_hold(created.id)
    assert (after.status, after.payment_method_id) == (HoldStatus.REQUIRES_PAYMENT_METHOD, None)
    assert after.decline is not None
    assert after.decline.code == "authentication_required"
    again = await side.confirm(created, card=await side.saved(customer_id))
    assert (again.id, again.status) == (created.id, HoldStatus.REQUIRES_CAPTURE)


async def test_a_card_that_is_set_up_already_asks_only_a_customer_who_is_there(side: Side) -> None:
    # docs.stripe.com/testing, 'Already set up': "all off-session payments succeed as if the card has been … set up"
    customer_id = await side.customer()
    card = await side.attached(customer_id, "pm_card_authenticationRequiredSetupForOffSession")
    away = await side.confirm(await side.hold(customer_id=customer_id, card=card), away=True)
    assert away.status is HoldStatus.REQUIRES_CAPTURE
    there = await side.confirm(await side.hold(customer_id=customer_id, card=card))
    assert there.status is HoldStatus.REQUIRES_ACTION


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),  # docs.stripe.com/testing says n/a for the latter
    ],
)
async def test_a_declined_hold_says_why_and_takes_another_card(
    side: Side, card: str, code: str, decline_code: str | None
) -> None:
    created = await side.hold(card=card)
    key = fresh("confirm")
    for _ in range(2):  # a decline is an answer like any other: the same key, the same one
        with pytest.raises(ProviderDeclined) as declined:
            await side.gateway.confirm_hold(created.id, return_url="https://example.com/back", idempotency_key=key)
        assert declined.value.code == code
        assert decline_code is None or declined.value.decline_code == decline_code
    after = await side.gateway.retrieve_hold(created.id)
    assert (after.status, after.capturable_minor) == (HoldStatus.REQUIRES_PAYMENT_METHOD, 0)
    assert after.decline is not None
    assert after.decline.code == code
    assert (await side.confirm(created, card="pm_card_visa")).status is HoldStatus.REQUIRES_CAPTURE


async def test_a_card_that_could_be_saved_may_still_decline(side: Side) -> None:
    customer_id = await side.customer()
    card = await side.attached(customer_id, "pm_card_chargeCustomerFail")
    with pytest.raises(ProviderDeclined) as declined:
        await side.stands(customer_id=customer_id, card=card)
    assert declined.value.code == "card_declined"


async def test_part_is_captured_and_split_and_the_rest_released(side: Side) -> None:
    # docs.stripe.com/connect/destination-charges: the whole capture goes to the account, the fee comes back from there
    consultant, currency = await side.consultant(), await side.currency()
    hold = await side.stands(6_000)
    key = fresh("capture")
    for _ in range(2):
        taken = await side.gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key=key)
        assert (taken.status, taken.captured_minor, taken.capturable_minor) == (HoldStatus.SUCCEEDED, 2_400, 0)
    taken = await side.written_down(hold)
    assert (taken.application_fee_minor, taken.transfer_minor) == (360, 2_400)

    assert taken.charge_id is not None
    charge = await side.sdk.charges.retrieve_async(taken.charge_id)
    assert (charge.captured, charge.amount, charge.amount_captured) == (True, 6_000, 2_400)
    assert (charge.payment_intent, charge.disputed) == (hold.id, False)

    assert taken.balance_transaction_id is not None
    line = await side.gateway.balance_transaction(taken.balance_transaction_id)
    assert (line.type, line.reporting_category, line.source_id) == ("charge", "charge", taken.charge_id)
    assert (line.amount_minor, line.currency) == (2_400, currency)
    assert line.net_minor == line.amount_minor - line.fee_minor
    assert line.fee_minor == taken.fee_minor

    assert taken.transfer_id is not None
    transfer = await side.sdk.transfers.retrieve_async(taken.transfer_id)
    assert (transfer.amount, transfer.amount_reversed, transfer.destination) == (2_400, 0, consultant)
    assert (transfer.source_transaction, transfer.transfer_group) == (taken.charge_id, hold.transfer_group)
    assert hold.transfer_group is not None
    (listed,) = await side.gateway.list_transfers(hold.transfer_group)
    assert (listed.id, listed.destination_payment_id) == (taken.transfer_id, taken.destination_payment_id)

    assert taken.application_fee_id is not None
    fee = await side.sdk.application_fees.retrieve_async(taken.application_fee_id)
    assert (fee.amount, fee.amount_refunded, fee.account) == (360, 0, consultant)
    assert (fee.originating_transaction, fee.charge) == (taken.charge_id, taken.destination_payment_id)

    lines = await side.eventually(
        "the account has the payment's line",
        lambda: side.lines(consultant, since=hold.created_at),
        lambda found: taken.destination_payment_id in {one.source_id for one in found},
    )
    (payment,) = [one for one in lines if one.source_id == taken.destination_payment_id]
    assert (payment.type, payment.amount_minor, payment.fee_minor, payment.net_minor) == ("payment", 2_400, 360, 2_040)


async def test_all_of_a_hold_is_captured(side: Side) -> None:
    hold = await side.stands(1_000)
    taken = await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=fresh("capture"))
    assert (taken.status, taken.captured_minor) == (HoldStatus.SUCCEEDED, 1_000)


async def test_a_fee_is_never_more_than_what_was_captured(side: Side) -> None:
    # docs.stripe.com/api/payment_intents/capture: "will be capped at the total amount captured"
    taken = await side.captured(1_000, 1_500)
    assert (taken.captured_minor, taken.application_fee_minor) == (1_000, 1_000)


async def test_no_more_is_captured_than_is_held(side: Side) -> None:
    hold = await side.stands(6_000)
    with pytest.raises(ProviderRejected):
        await side.gateway.capture(hold.id, amount_minor=6_001, fee_minor=150, idempotency_key=fresh("capture"))
    after = await side.gateway.retrieve_hold(hold.id)
    assert (after.status, after.capturable_minor, after.captured_minor) == (HoldStatus.REQUIRES_CAPTURE, 6_000, 0)


async def test_a_hold_is_captured_once(side: Side) -> None:
    hold = await side.stands()
    await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=fresh("capture"))
    with pytest.raises(ProviderRejected) as refused:
        await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=fresh("capture"))
    assert refused.value.provider_code == "payment_intent_unexpected_state"


async def test_yen_are_counted_whole(side: Side) -> None:
    # docs.stripe.com/currencies#zero-decimal. Elsewhere than in Japan the balance's lines are in another currency.
    hold = await side.stands(1_234, "jpy")
    assert (hold.amount_minor, hold.capturable_minor, hold.currency) == (1_234, 1_234, "jpy")
    taken = await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=fresh("capture"))
    assert (taken.status, taken.captured_minor, taken.currency) == (HoldStatus.SUCCEEDED, 1_000, "jpy")
    refund = await side.gateway.refund(hold.id, amount_minor=333, idempotency_key=fresh("refund"))
    assert (refund.amount_minor, refund.currency) == (333, "jpy")


async def test_less_than_the_least_that_may_be_charged_is_refused(side: Side) -> None:
    with pytest.raises(ProviderRejected) as refused:
        await side.stands(1)
    assert refused.value.provider_code == "amount_too_small"


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_mastercard"])
async def test_a_hold_is_enlarged_where_its_bank_offers_it(side: Side, card: str) -> None:
    # docs.stripe.com/payments/incremental-authorization; Stripe offers it by brand, category and pricing
    hold = await side.stands(6_000, card=card)
    if not hold.incremental:
        with pytest.raises(ProviderRejected):
            await side.gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key=fresh("raise"))
        assert (await side.gateway.retrieve_hold(hold.id)).capturable_minor == 6_000
        return
    key = fresh("raise")
    for _ in range(2):
        larger = await side.gateway.increment_hold(hold.id, amount_minor=9_000, idempotency_key=key)
        assert (larger.status, larger.amount_minor) == (HoldStatus.REQUIRES_CAPTURE, 9_000)
    for amount in (9_000, 8_999):  # "This amount must be greater than the currently authorized amount"
        with pytest.raises(ProviderRejected):
            await side.gateway.increment_hold(hold.id, amount_minor=amount, idempotency_key=fresh("raise"))
    taken = await side.gateway.capture(hold.id, amount_minor=8_000, fee_minor=1_200, idempotency_key=fresh("capture"))
    assert taken.captured_minor == 8_000


async def test_a_released_hold_takes_nothing_and_is_over(side: Side) -> None:
    hold = await side.stands()
    key = fresh("cancel")
    for _ in range(2):
        released = await side.gateway.cancel(hold.id, idempotency_key=key)
        assert (released.status, released.capturable_minor, released.captured_minor) == (HoldStatus.CANCELED, 0, 0)
        assert (released.balance_transaction_id, released.transfer_id) == (None, None)
    for late in (
        side.gateway.cancel(hold.id, idempotency_key=fresh("cancel")),
        side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=fresh("capture")),
        side.confirm(hold),
    ):
        with pytest.raises(ProviderRejected) as refused:
            await late
        assert refused.value.provider_code == "payment_intent_unexpected_state"


async def test_a_hold_nobody_confirmed_is_released_too(side: Side) -> None:
    released = await side.gateway.cancel((await side.hold()).id, idempotency_key=fresh("cancel"))
    assert released.status is HoldStatus.CANCELED


async def test_several_holds_stand_beside_each_other(side: Side) -> None:
    customer_id = await side.customer()
    card = await side.saved(customer_id)
    first, second, third = [await side.stands(amount, customer_id=customer_id, card=card) for amount in (900, 800, 700)]
    await side.gateway.capture(second.id, amount_minor=500, fee_minor=75, idempotency_key=fresh("capture"))
    await side.gateway.cancel(third.id, idempotency_key=fresh("cancel"))
    # An unknown creation is looked for in this list, newest first.
    listed = await side.eventually(
        "the customer's holds are listed",
        lambda: side.gateway.list_holds(customer_id),
        lambda found: (
            [one.status for one in found] == [HoldStatus.CANCELED, HoldStatus.SUCCEEDED, HoldStatus.REQUIRES_CAPTURE]
        ),
    )
    assert [(one.id, one.capturable_minor, one.captured_minor) for one in listed] == [
        (third.id, 0, 0),
        (second.id, 0, 500),
        (first.id, 900, 0),
    ]
