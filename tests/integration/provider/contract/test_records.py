"""The contract of what Stripe writes down: keys, errors, single objects, lines, pages, events and their signatures."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe

from billing.provider.errors import ProviderMissing, ProviderRejected, WebhookForged
from billing.provider.gateway import StripeGateway
from billing.provider.objects import ProviderEvent
from tests.integration.provider.contract.side import Side, fresh, signature


async def test_the_same_key_gives_the_same_answer(side: Side) -> None:
    # docs.stripe.com/api/idempotent_requests
    hold, key = await side.stands(), fresh("capture")
    first = await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=key)
    again = await side.gateway.capture(hold.id, amount_minor=1_000, fee_minor=150, idempotency_key=key)
    assert again == first
    assert first.captured_minor == 1_000


async def test_the_same_key_with_other_parameters_is_refused(side: Side) -> None:
    key = fresh("cus")
    await side.sdk.customers.create_async({"metadata": {"n": "1"}}, {"idempotency_key": key})
    with pytest.raises(stripe.IdempotencyError) as refused:
        await side.sdk.customers.create_async({"metadata": {"n": "2"}}, {"idempotency_key": key})
    assert (refused.value.http_status, refused.value.error.type) == (400, "idempotency_error")
    with pytest.raises(ProviderRejected) as rejected:
        await side.gateway.ensure_customer(metadata={"n": "3"}, idempotency_key=key)
    assert rejected.value.provider_code == "idempotency_error"


async def test_a_request_that_never_began_leaves_its_key_free(side: Side) -> None:
    # "If incoming parameters fail validation … no idempotent result is saved because no API endpoint initiates …"
    key = fresh("cus")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await side.sdk.customers.create_async({"no_such_parameter": "1"}, {"idempotency_key": key})
    assert (refused.value.http_status, refused.value.code) == (400, "parameter_unknown")
    assert refused.value.param == "no_such_parameter"
    assert (await side.gateway.ensure_customer(metadata={}, idempotency_key=key)).startswith("cus_")


async def test_an_error_says_what_kind_it_is_and_where_to_read_of_it(side: Side) -> None:
    # docs.stripe.com/api/errors
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await side.sdk.payment_intents.retrieve_async("pi_nothing")
    error = refused.value.error
    assert (refused.value.http_status, error.type, error.code) == (404, "invalid_request_error", "resource_missing")
    assert "pi_nothing" in error.message
    assert error.doc_url.endswith("resource-missing")
    assert refused.value.request_id


async def test_what_does_not_exist_is_missing(side: Side) -> None:
    for missing in (
        side.gateway.retrieve_hold("pi_nothing"),
        side.gateway.retrieve_refund("re_nothing"),
        side.gateway.retrieve_dispute("du_nothing"),
        side.gateway.retrieve_setup_intent("seti_nothing"),
        side.gateway.retrieve_payment_method("pm_nothing"),
        side.gateway.balance_transaction("txn_nothing"),
        side.gateway.list_transfer_reversals("tr_nothing"),
    ):
        with pytest.raises(ProviderMissing) as refused:
            await missing
        assert refused.value.provider_code == "resource_missing"
    assert await side.gateway.list_transfers(fresh("no such")) == []
    with pytest.raises(ProviderRejected):
        await side.gateway.list_payment_methods("cus_nothing")


async def test_a_missing_parameter_is_named(side: Side) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await side.sdk.payment_intents.create_async({"amount": 1_000})
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (
        400,
        "parameter_missing",
        "currency",
    )


async def test_every_object_is_found_by_its_id(side: Side) -> None:
    customer_id = await side.customer()
    hold = await side.captured(customer_id=customer_id, card=await side.saved(customer_id))
    refund = await side.gateway.refund(hold.id, amount_minor=100, idempotency_key=fresh("refund"))
    sdk = side.sdk
    for service, object_id, kind in (
        (sdk.customers, customer_id, "customer"),
        (sdk.payment_methods, hold.payment_method_id, "payment_method"),
        (sdk.payment_intents, hold.id, "payment_intent"),
        (sdk.charges, hold.charge_id, "charge"),
        (sdk.refunds, refund.id, "refund"),
        (sdk.transfers, hold.transfer_id, "transfer"),
        (sdk.application_fees, hold.application_fee_id, "application_fee"),
        (sdk.balance_transactions, hold.balance_transaction_id, "balance_transaction"),
        (sdk.accounts, hold.destination_id, "account"),
    ):
        found = await service.retrieve_async(object_id)
        assert (found.id, found.object) == (object_id, kind)


async def test_every_line_adds_up_and_has_a_category(side: Side) -> None:
    hold = await side.captured()
    await side.gateway.refund(hold.id, amount_minor=1_000, idempotency_key=fresh("refund"))
    consultant = await side.consultant()
    for account_id in (None, consultant):
        lines = await side.lines(account_id)
        assert lines
        assert all(line.net_minor == line.amount_minor - line.fee_minor for line in lines)
        assert all(line.reporting_category for line in lines)
    since = int(hold.created_at.timestamp())
    raw = await side.sdk.balance_transactions.list_async({"limit": 100, "created": {"gte": since}})
    assert all(line.fee == sum(detail.amount for detail in line.fee_details) for line in raw.data)


async def test_lines_are_listed_in_pages_without_a_gap(side: Side) -> None:
    # docs.stripe.com/api/pagination: newest first, "starting_after" goes on where the page before it ended
    hold = await side.captured()
    for n in range(3):
        await side.gateway.refund(hold.id, amount_minor=100 + n, idempotency_key=fresh("refund"))
    within = {"gte": int(hold.created_at.timestamp()), "lte": int(time.time())}
    whole = await side.sdk.balance_transactions.list_async({"limit": 100, "created": within})
    expected = [line.id for line in whole.data]
    assert len(expected) >= 4
    assert [line.created for line in whole.data] == sorted((line.created for line in whole.data), reverse=True)
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = await side.sdk.balance_transactions.list_async({"limit": 2, "created": within, **more})
        assert 1 <= len(page.data) <= 2
        found += [line.id for line in page.data]
        if not page.has_more:
            break
        more = {"starting_after": found[-1]}
    assert [line_id for line_id in found if line_id in expected] == expected  # others may pay meanwhile
    assert len(set(found)) == len(found)
    before = await side.sdk.balance_transactions.list_async(
        {"limit": 2, "created": within, "ending_before": expected[2]}
    )
    assert [line.id for line in before.data] == expected[:2]


async def test_the_gateway_reads_the_same_lines(side: Side) -> None:
    hold = await side.captured()
    since = hold.created_at - timedelta(minutes=1)
    lines = await side.eventually(
        "the capture's lines are listed",
        lambda: side.lines(since=since),
        lambda found: {hold.charge_id, hold.transfer_id, hold.application_fee_id} <= {line.source_id for line in found},
    )
    assert hold.balance_transaction_id is not None
    (listed,) = [line for line in lines if line.id == hold.balance_transaction_id]
    alone = await side.gateway.balance_transaction(hold.balance_transaction_id)
    assert (listed.amount_minor, listed.fee_minor, listed.source_id) == (
        alone.amount_minor,
        alone.fee_minor,
        alone.source_id,
    )
    assert (
        await side.gateway.list_balance_transactions(since - timedelta(seconds=2), since - timedelta(seconds=2)) == []
    )


async def _told(side: Side) -> tuple[str, list[ProviderEvent]]:
    """A hold that was captured, and all that Stripe told since its customer was made."""
    key = fresh("cus")
    customer_id = await side.gateway.ensure_customer(metadata={}, idempotency_key=key)
    asked = {"type": "customer.created", "limit": 100, "created": {"gte": int(time.time()) - 3_600}}
    created = await side.eventually(
        "the customer's event is listed",
        lambda: side.sdk.events.list_async(asked),
        lambda page: customer_id in {event.data.object.id for event in page.data},
    )
    (first,) = [event for event in created.data if event.data.object.id == customer_id]
    assert first.request.idempotency_key == key
    hold = await side.captured(customer_id=customer_id, card=await side.saved(customer_id))
    wanted = {
        ("payment_intent.created", hold.id),
        ("payment_intent.amount_capturable_updated", hold.id),
        ("payment_intent.succeeded", hold.id),
        ("charge.captured", hold.charge_id),
        ("transfer.created", hold.transfer_id),
        ("application_fee.created", hold.application_fee_id),
    }
    events = await side.eventually(
        f"each of {sorted(kind for kind, _ in wanted)} is listed",
        lambda: side.gateway.list_events(str(first.id)),
        lambda found: wanted <= {(event.type, event.object_id) for event in found},
    )
    return hold.id, events


async def test_what_happens_is_told_as_events_oldest_first(side: Side) -> None:
    # docs.stripe.com/api/events/object
    hold_id, events = await _told(side)
    assert [event.created_at for event in events] == sorted(event.created_at for event in events)
    assert len({event.id for event in events}) == len(events)
    (done,) = [event for event in events if (event.type, event.object_id) == ("payment_intent.succeeded", hold_id)]
    assert (done.object_type, done.account_id) == ("payment_intent", None)
    assert (done.object["amount_received"], done.object["status"]) == (2_400, "succeeded")
    raw = await side.sdk.events.retrieve_async(done.id)
    assert (raw.id, raw.object, raw.type, raw.livemode) == (done.id, "event", "payment_intent.succeeded", False)
    assert raw.api_version
    assert raw.pending_webhooks >= 0
    assert raw.data.object.id == hold_id


async def test_an_accounts_own_events_are_listed_on_its_behalf(side: Side) -> None:
    account = await side.gateway.create_account(
        country=await side.country(), metadata={}, idempotency_key=fresh("acct")
    )
    await side.gateway.update_schedule(
        account.id,
        interval="manual",
        weekly_anchor=None,
        monthly_anchor=None,
        delay_days=14,
        idempotency_key=fresh("schedule"),
    )
    found = await side.eventually(
        "the account's event is listed",
        lambda: side.sdk.events.list_async({"type": "account.updated"}, {"stripe_account": account.id}),
        lambda page: bool(page.data),
    )
    assert {event.data.object.id for event in found.data} == {account.id}


async def test_an_event_is_taken_only_with_stripes_signature(side: Side) -> None:
    # docs.stripe.com/webhooks/signature: HMAC-SHA256 over "timestamp.body"; five minutes of tolerance by default
    _, events = await _told(side)
    raw = await side.sdk.events.retrieve_async(events[-1].id)
    body, secret, now = json.dumps(raw.to_dict()), side.webhook_secret, int(datetime.now(UTC).timestamp())
    gateway: StripeGateway = side.gateway
    good = signature(body, secret)
    assert gateway.verify_webhook(body.encode(), good) == events[-1]
    rolled = f"{good.replace(',v1=', f',v1={0:064d},v1=')},v0=ignored"  # a secret being rolled: one of them fits
    assert gateway.verify_webhook(body.encode(), rolled) == events[-1]
    for forged_body, header in (
        (body, None),
        (body, signature(body, "whsec_of_somebody_else")),
        (body, signature(body, secret, now - 301)),
        (body.replace('"livemode": false', '"livemode": true'), good),
        (body, good.replace("v1=", "v0=")),
    ):
        with pytest.raises(WebhookForged):
            gateway.verify_webhook(forged_body.encode(), header)
