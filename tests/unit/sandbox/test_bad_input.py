"""Whatever is sent, the sandbox answers with Stripe's error and never falls over."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import render, schema
from sandbox.errors import ApiError
from sandbox.form import decode
from sandbox.operations import OPERATIONS, Operation
from sandbox.resources import accounts, customers, disputes, payment_intents, payouts, refunds, setup_intents
from sandbox.store import Obj, Store
from sandbox.world import Request, World
from tests.fakes.sandbox import RunningSandbox, in_process

NAMES = [
    *("amount", "currency", "customer", "payment_method", "capture_method", "confirm", "metadata", "expand", "limit"),
    *("transfer_data", "application_fee_amount", "amount_to_capture", "payment_intent", "charge", "created", "type"),
    *("starting_after", "ending_before", "capabilities", "country", "account", "return_url", "refresh_url", "reason"),
    *("off_session", "reverse_transfer", "cancellation_reason", "usage", "types", "delivery_success", "settings"),
    *("destination", "transfer_group", "evidence", "submit", "refund_application_fee", "payout", "card", "status"),
]
PARTS = ["", "[]", "[0]", "[x]", "[destination]", "[transfers][requested]", "[gte]", "[lt]", "[payouts]"]
PARTS += ["[payouts][schedule][interval]", "[payouts][schedule][delay_days]", "[uncategorized_text]", "[exp_month]"]
VALUES = ["", "eur", "1", "-1", "100", "true", "manual", "express", "pm_card_visa", "cus_1", "acct_1", "data.x", "é"]
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(PARTS), st.sampled_from(VALUES))


BASES = {
    "payment_intents.create": "amount=100&currency=eur&",
    "account_links.create": "account=ACCOUNT&type=account_onboarding&return_url=http://a&refresh_url=http://b&",
    "refunds.create": "payment_intent=INTENT&",
    "transfers.create": "destination=ACCOUNT&currency=eur&",
}


def _world() -> tuple[World, dict[str, str]]:
    """A world with one of everything, and the ids in it by noun."""
    world = World(Store(None), public_url="http://localhost", announce=lambda _event: None)
    customer = customers.create(world, Request(params={}))
    account = accounts.create(world, Request(params={"capabilities": {"transfers": {"requested": "true"}}}))
    accounts.onboard(world, account)
    params = {
        "amount": "1000",
        "currency": "eur",
        "customer": customer["id"],
        "payment_method": "pm_card_visa",
        "capture_method": "manual",
        "confirm": "true",
        "transfer_data": {"destination": account["id"]},
    }
    intent = payment_intents.create(world, Request(params=params))
    setup = setup_intents.create(world, Request(params={"payment_method": "pm_card_visa"}))
    ids = {
        "customers": customer["id"],
        "accounts": account["id"],
        "payment_intents": intent["id"],
        "setup_intents": setup["id"],
        "payment_methods": intent["payment_method"],
        "charges": intent["latest_charge"],
    }
    ids |= _captured(world, {**params, "application_fee_amount": "150", "capture_method": "automatic"}, account)
    return world, ids


def _captured(world: World, params: dict[str, Any], account: Obj) -> dict[str, str]:
    """What follows a capture: a transfer, a fee, a refund, a dispute and a payout."""
    intent = payment_intents.create(world, Request(params=params))
    charge = world.need("charge", intent["latest_charge"])
    given_back = {"payment_intent": intent["id"], "amount": "100", "reverse_transfer": "true"}
    refund = refunds.create(world, Request(params={**given_back, "refund_application_fee": "true"}))
    dispute = disputes.start(world, charge, reason="fraudulent", amount=900, inquiry=False)
    (payout,) = payouts.pay(world, account)
    return {
        "transfers": charge["transfer"],
        "application_fees": charge["application_fee"],
        "refunds": refund["id"],
        "disputes": dispute["id"],
        "payouts": payout["id"],
        "balance_transactions": charge["balance_transaction"],
    }


@settings(max_examples=600, deadline=None)
@given(operation=st.sampled_from(OPERATIONS), pairs=st.lists(PAIRS, max_size=5))
def test_no_parameters_make_it_stumble(operation: Operation, pairs: list[tuple[str, str, str]]) -> None:
    world, ids = _world()
    base = BASES.get(operation.name, "").replace("ACCOUNT", ids["accounts"]).replace("INTENT", ids["payment_intents"])
    path = {"id": ids.get(operation.path.split("/")[2], "pi_1")}
    with contextlib.suppress(ApiError):  # anything else is an accident
        params = decode(base + "&".join(f"{name}{part}={value}" for name, part, value in pairs))
        schema.check(params, operation.params)
        request = Request(params=params, path=path)
        if operation.listing is not None:
            render.expand(world, render.page(operation.listing(world, request), params, operation.path), params)
        elif operation.answer is not None:
            render.expand(world, operation.answer(world, request), params)


@pytest.fixture
async def bank() -> AsyncIterator[RunningSandbox]:
    async with in_process() as running:
        yield running


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/customers", b"name=%ff\xff", 400),
        ("/v1/customers", b"a[b[=1", 400),
        ("/v1/nothing", b"", 404),
        ("/v1/payouts", b"amount=1&currency=eur", 400),
        ("/v1/accounts", b"external_account=btok_1", 400),
        ("/v1/accounts", b"external_account[object]=bank_account&external_account[account_number]=", 400),
        ("/v1/customers/cus_1", b"invoice_settings[default_payment_method]=pm_1", 404),
        ("/v1/customers", b"name=" + b"x" * 300_000, 413),
        ("/_sandbox/card-form", b"not json", 400),
        ("/_sandbox/card-form", b"[]", 400),
        ("/_sandbox/card-form", b"{}", 404),
        ("/_sandbox/authenticate/pi_1", b'{"outcome": ["succeeded"]}', 404),
        ("/_sandbox/misbehave", b"\xff", 400),
        ("/_sandbox/onboard/acct_1", b"", 404),
        ("/_sandbox/age-keys?seconds=x", b"", 400),
        ("/_sandbox/dispute/pi_1", b"", 404),
        ("/_sandbox/dispute/du_1/decide", b'{"outcome": "won"}', 404),
        ("/_sandbox/refund/re_1/fail", b"", 404),
        ("/_sandbox/restrict/acct_1", b"[", 404),
        ("/_sandbox/payout/acct_1", b"", 404),
        ("/_sandbox/payout/po_1/settle", b"", 404),
        ("/_sandbox/payout/po_1/fail", b"", 404),
        ("/_sandbox/payout/po_1/cancel", b"", 404),
        ("/_sandbox/topup", b"", 400),
        ("/_sandbox/topup", b'{"amount": true}', 400),
        ("/_sandbox/topup", b'{"amount": 1, "currency": "xxx"}', 400),
        ("/_sandbox/tamper", b"{}", 404),
        ("/_sandbox/tamper", b"nonsense", 400),
        ("/_sandbox/forget", b'{"id": ["pi_1"]}', 404),
    ],
)
async def test_a_malformed_body_is_an_error_and_not_an_accident(
    bank: RunningSandbox, path: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": "Bearer sk_test_x", "Content-Type": "application/x-www-form-urlencoded"}
    async with aiohttp.ClientSession(bank.url) as http, http.post(path, data=body, headers=headers) as answer:
        assert answer.status == status
