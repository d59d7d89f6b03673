"""What billing relies on when it talks to Stripe, proved against the sandbox over the wire."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from billing.provider.errors import (
    ProviderBusy,
    ProviderDeclined,
    ProviderMissing,
    ProviderRejected,
    ProviderUnknown,
)
from billing.provider.gateway import StripeGateway
from billing.provider.objects import HoldStatus, SetupStatus
from tests.fakes.sandbox import RunningSandbox
from tests.integration.provider.conftest import People

Make = Callable[..., Awaitable[People]]
BACK = "http://localhost:8000/back"


async def test_a_hold_is_placed_captured_and_split(gateway: StripeGateway, people: Make) -> None:
    someone = await people()
    hold = await someone.confirmed(6_000)
    assert (hold.status, hold.capturable_minor) == (HoldStatus.REQUIRES_CAPTURE, 6_000)
    assert hold.capture_before is not None
    assert hold.capture_before - hold.created_at >= timedelta(days=6, hours=23)
    taken = await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
    assert (taken.status, taken.captured_minor, taken.application_fee_minor) == (HoldStatus.SUCCEEDED, 2_400, 360)
    assert taken.transfer_minor == 2_400
    assert taken.balance_transaction_id is not None
    line = await gateway.balance_transaction(taken.balance_transaction_id)
    assert (line.amount_minor, line.net_minor) == (2_400, 2_400 - line.fee_minor)
    assert line.fee_minor == taken.fee_minor


async def test_the_platform_keeps_its_commission_and_the_consultant_the_rest(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    hold = await someone.confirmed()
    await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
    state = await bank.state()
    lines = {line["type"]: line["net"] for line in state["balance_transaction"]}
    assert lines["payment"] == 2_040  # on the consultant's account
    assert lines["transfer"] + lines["application_fee"] == -2_040  # on ours


async def test_a_released_hold_takes_nothing(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    hold = await (await people()).confirmed()
    released = await gateway.cancel(hold.id, idempotency_key="cancel:1")
    assert (released.status, released.capturable_minor, released.captured_minor) == (HoldStatus.CANCELED, 0, 0)
    assert "balance_transaction" not in await bank.state()


@pytest.mark.parametrize("amount", [6_001, 49, 0, -1])
async def test_a_capture_outside_the_authorization_is_refused(
    gateway: StripeGateway, people: Make, amount: int
) -> None:
    hold = await (await people()).confirmed(6_000)
    with pytest.raises(ProviderRejected):
        await gateway.capture(hold.id, amount_minor=amount, fee_minor=0, idempotency_key="capture:1:1")
    assert (await gateway.retrieve_hold(hold.id)).status is HoldStatus.REQUIRES_CAPTURE


async def test_a_hold_is_captured_once(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed()
    await gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key="capture:1:1")
    with pytest.raises(ProviderRejected) as refused:
        await gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key="capture:1:2")
    assert refused.value.provider_code == "payment_intent_unexpected_state"


async def test_a_negative_fee_is_refused(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed()
    with pytest.raises(ProviderRejected):
        await gateway.capture(hold.id, amount_minor=1_000, fee_minor=-1, idempotency_key="capture:1:1")


@pytest.mark.parametrize(("number", "decline_code"), [("4000000000000341", "generic_decline")])
async def test_a_card_that_was_saved_may_still_decline_the_hold(
    gateway: StripeGateway, people: Make, number: str, decline_code: str
) -> None:
    someone = await people(number)
    hold = await someone.hold()
    with pytest.raises(ProviderDeclined) as declined:
        await gateway.confirm_hold(hold.id, return_url=BACK, idempotency_key="confirm:1:1")
    assert (declined.value.code, declined.value.decline_code) == ("card_declined", decline_code)
    after = await gateway.retrieve_hold(hold.id)
    assert (after.status, after.payment_method_id) == (HoldStatus.REQUIRES_PAYMENT_METHOD, None)
    assert after.decline is not None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4242424242424241", "Your card number is incorrect."),
    ],
)
async def test_a_bad_card_is_not_saved_and_another_one_may_follow(
    gateway: StripeGateway, bank: RunningSandbox, number: str, text: str
) -> None:
    customer_id = await gateway.ensure_customer(metadata={}, idempotency_key="c")
    setup = await gateway.create_setup_intent(customer_id, idempotency_key="s")
    assert await bank.save_card(setup.id, setup.client_secret, number) == {"status": "declined", "message": text}
    assert (await gateway.retrieve_setup_intent(setup.id)).status is SetupStatus.REQUIRES_PAYMENT_METHOD
    await bank.save_card(setup.id, setup.client_secret)
    assert (await gateway.retrieve_setup_intent(setup.id)).status is SetupStatus.SUCCEEDED


async def test_three_d_secure_at_saving(gateway: StripeGateway, bank: RunningSandbox) -> None:
    customer_id = await gateway.ensure_customer(metadata={}, idempotency_key="c")
    setup = await gateway.create_setup_intent(customer_id, idempotency_key="s")
    answer = await bank.save_card(setup.id, setup.client_secret, "4000002500003155")
    assert answer["status"] == "requires_action"
    await bank.authenticate(setup.id)
    assert (await gateway.retrieve_setup_intent(setup.id)).status is SetupStatus.SUCCEEDED


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("succeeded", HoldStatus.REQUIRES_CAPTURE), ("failed", HoldStatus.REQUIRES_PAYMENT_METHOD)],
)
async def test_three_d_secure_at_the_hold(
    gateway: StripeGateway, bank: RunningSandbox, people: Make, outcome: str, status: HoldStatus
) -> None:
    hold = await (await people("4000003800000446")).confirmed()
    assert hold.status is HoldStatus.REQUIRES_ACTION
    assert hold.authenticate_url == f"{bank.url}/_sandbox/authenticate/{hold.id}"
    await bank.authenticate(hold.id, outcome)
    after = await gateway.retrieve_hold(hold.id)
    assert (after.status, after.authenticate_url) == (status, None)
    assert (after.decline is None) == (outcome == "succeeded")


async def test_a_time_out_after_success_leaves_an_unknown_that_the_same_key_resolves(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).confirmed()
    await bank.misbehave("timeout_after_success", "payment_intents.capture")
    with pytest.raises(ProviderUnknown) as unknown:
        await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
    assert not unknown.value.replayed
    again = await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
    assert again.captured_minor == 2_400
    assert len((await bank.state())["transfer"]) == 1


async def test_a_creation_with_unknown_outcome_is_found_by_its_metadata(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    someone = await people()
    await bank.misbehave("timeout_after_success", "payment_intents.create")
    with pytest.raises(ProviderUnknown):
        await someone.hold()
    assert [one.metadata["hold"] for one in await gateway.list_holds(someone.customer_id)] == ["1"]


async def test_a_stored_500_is_replayed_for_ever_and_says_so(
    gateway: StripeGateway, bank: RunningSandbox, people: Make
) -> None:
    hold = await (await people()).confirmed()
    await bank.misbehave("error_500_after_success", "payment_intents.capture")
    for replayed in (False, True, True):
        with pytest.raises(ProviderUnknown) as unknown:
            await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
        assert unknown.value.replayed is replayed
    assert (await gateway.retrieve_hold(hold.id)).captured_minor == 2_400


@pytest.mark.parametrize("kind", ["rate_429", "lock_409"])
async def test_busy_means_the_same_key_a_little_later(
    gateway: StripeGateway, bank: RunningSandbox, people: Make, kind: str
) -> None:
    hold = await (await people()).confirmed()
    await bank.misbehave(kind, "payment_intents.cancel")
    with pytest.raises(ProviderBusy):
        await gateway.cancel(hold.id, idempotency_key="cancel:1")
    assert (await gateway.cancel(hold.id, idempotency_key="cancel:1")).status is HoldStatus.CANCELED


async def test_stripe_down_is_an_unknown_outcome(gateway: StripeGateway, bank: RunningSandbox) -> None:
    await bank.misbehave("down", times=2)
    for _ in range(2):
        with pytest.raises(ProviderUnknown):
            await gateway.ensure_customer(metadata={}, idempotency_key="c")
    assert await bank.state() == {}
    assert (await gateway.ensure_customer(metadata={}, idempotency_key="c")).startswith("cus_")


async def test_silence_beyond_the_time_out_is_an_unknown_outcome(bank: RunningSandbox) -> None:
    hasty = StripeGateway(api_key=bank.api_key, api_base=bank.url, webhook_secret="whsec_x", timeout_s=0.2)
    await bank.misbehave("slow", "customers.create", delay_ms=2_000)
    with pytest.raises(ProviderUnknown):
        await hasty.ensure_customer(metadata={}, idempotency_key="c")
    with pytest.raises(ProviderBusy):  # the first request still runs under this key
        await hasty.ensure_customer(metadata={}, idempotency_key="c")
    await hasty.close()


async def test_a_key_used_with_other_parameters_is_our_bug(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed()
    await gateway.capture(hold.id, amount_minor=2_400, fee_minor=360, idempotency_key="capture:1:1")
    with pytest.raises(ProviderRejected) as rejected:
        await gateway.capture(hold.id, amount_minor=2_401, fee_minor=360, idempotency_key="capture:1:1")
    assert rejected.value.provider_code == "idempotency_error"
    assert not rejected.value.retryable


async def test_the_same_key_twice_is_one_object(gateway: StripeGateway, bank: RunningSandbox) -> None:
    first = await gateway.ensure_customer(metadata={"user": "1"}, idempotency_key="c")
    assert await gateway.ensure_customer(metadata={"user": "1"}, idempotency_key="c") == first
    assert len((await bank.state())["customer"]) == 1


async def test_what_does_not_exist_is_missing(gateway: StripeGateway) -> None:
    with pytest.raises(ProviderMissing):
        await gateway.retrieve_hold("pi_nothing")


async def test_nobody_is_charged_for_a_consultant_who_cannot_be_paid(gateway: StripeGateway, people: Make) -> None:
    someone = await people()
    fresh = await gateway.create_account(country="DE", metadata={}, idempotency_key="acct:new")
    assert not fresh.can_receive
    someone.account_id = fresh.id
    with pytest.raises(ProviderRejected) as rejected:
        await someone.hold()
    assert rejected.value.param == "transfer_data[destination]"


async def test_an_amount_under_the_minimum_is_refused(people: Make) -> None:
    someone = await people()
    with pytest.raises(ProviderRejected) as rejected:
        await someone.hold(29, "gbp")
    assert rejected.value.provider_code == "amount_too_small"
    assert (await someone.hold(30, "gbp")).amount_minor == 30


async def test_a_refund_returns_share_and_commission_pro_rata(gateway: StripeGateway, people: Make) -> None:
    hold = await (await people()).confirmed()
    await gateway.capture(hold.id, amount_minor=1_001, fee_minor=150, idempotency_key="capture:1:1")
    returned = 0
    for n, amount in enumerate((333, 333, 335)):
        refund = await gateway.refund(hold.id, amount_minor=amount, idempotency_key=f"refund:{n}")
        assert refund.transfer_reversed_minor == amount
        assert refund.fee_refunded_total_minor >= returned
        returned = refund.fee_refunded_total_minor
    assert returned == 150
    with pytest.raises(ProviderRejected):
        await gateway.refund(hold.id, amount_minor=1, idempotency_key="refund:9")


async def test_a_lapsed_hold_cannot_be_captured(gateway: StripeGateway, bank: RunningSandbox, people: Make) -> None:
    hold = await (await people()).confirmed()
    await bank.lapse(hold.id)
    assert (await gateway.retrieve_hold(hold.id)).cancellation_reason == "automatic"
    with pytest.raises(ProviderRejected):
        await gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key="capture:1:1")


async def test_a_detached_card_pays_nothing_more(gateway: StripeGateway, people: Make) -> None:
    someone = await people()
    hold = await someone.hold()
    assert (await gateway.detach(someone.payment_method_id, idempotency_key="detach")).customer_id is None
    with pytest.raises(ProviderRejected):
        await gateway.confirm_hold(hold.id, return_url=BACK, idempotency_key="confirm:1:1")


async def test_events_are_listed_oldest_first_and_from_any_point_on(gateway: StripeGateway, people: Make) -> None:
    await (await people()).confirmed()
    for n in range(105):  # more than one page
        await gateway.ensure_customer(metadata={}, idempotency_key=f"many:{n}")
    everything = await gateway.list_events()
    assert [event.type for event in everything[:2]] == ["customer.created", "setup_intent.created"]
    assert len(everything) == len({event.id for event in everything}) > 105
    assert await gateway.list_events(everything[2].id) == everything[3:]
