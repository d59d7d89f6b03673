"""What tests may ask of the sandbox's banks, refused where it makes no sense, and the reads no gateway method uses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.resources import accounts
from tests.fakes.sandbox import RunningSandbox, in_process

HEADERS = {"Authorization": "Bearer sk_test_x"}


@pytest.fixture
async def bank() -> AsyncIterator[RunningSandbox]:
    async with in_process() as running:
        yield running


@pytest.fixture
async def http(bank: RunningSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(bank.url, headers=HEADERS) as session:
        yield session


async def _post(http: aiohttp.ClientSession, path: str, **params: str) -> dict[str, Any]:
    async with http.post(f"/v1/{path}", data=params) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def _get(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with http.get(f"/v1/{path}") as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def _captured(http: aiohttp.ClientSession, **more: str) -> dict[str, Any]:
    return await _post(
        http, "payment_intents", amount="1000", currency="eur", payment_method="pm_card_visa", confirm="true", **more
    )


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"reason": "because"}, 400),
        ({"inquiry": "yes"}, 400),
        ({"amount": 0}, 400),
        ({"amount": 1_001}, 400),
        ({"amount": True}, 400),
        ({"amount": 1_000}, 200),
    ],
)
async def test_a_dispute_must_make_sense(http: aiohttp.ClientSession, given: dict[str, Any], status: int) -> None:
    intent = await _captured(http)
    async with http.post(f"/_sandbox/dispute/{intent['id']}", json=given) as answer:
        assert answer.status == status, await answer.text()


async def test_a_decision_turns_only_by_an_appeal(http: aiohttp.ClientSession, bank: RunningSandbox) -> None:
    intent = await _captured(http)
    dispute_id = await bank.dispute(intent["id"])
    async with http.post(f"/_sandbox/dispute/{intent['id']}") as answer:
        assert answer.status == 409
    for outcome, status in (("escalated", 409), ("drawn", 400), ("won", 200), ("won", 409), ("lost", 200)):
        async with http.post(f"/_sandbox/dispute/{dispute_id}/decide", json={"outcome": outcome}) as answer:
            assert answer.status == status


async def test_a_card_by_token_disputes_by_itself(http: aiohttp.ClientSession, bank: RunningSandbox) -> None:
    params = {"amount": "1000", "currency": "eur", "payment_method": "pm_card_createDispute", "confirm": "true"}
    answered = await _post(http, "payment_intents", **params)
    (dispute,) = (await bank.state())["dispute"]
    assert (dispute["payment_intent"], dispute["status"]) == (answered["id"], "needs_response")


async def test_a_saved_card_is_brought_up_to_date(http: aiohttp.ClientSession, bank: RunningSandbox) -> None:
    customer = await _post(http, "customers")
    method = await _post(http, "payment_methods/pm_card_visa/attach", customer=customer["id"])
    path = f"payment_methods/{method['id']}"
    changed = await _post(http, path, **{"card[exp_year]": "2040", "metadata[a]": "b"})
    assert (changed["card"]["exp_month"], changed["card"]["exp_year"]) == (method["card"]["exp_month"], 2040)
    assert (await _post(http, path, **{"metadata[a]": ""}))["metadata"] == {}
    assert (await _post(http, path, **{"card[exp_month]": "13"}))["error"]["code"] == "invalid_expiry_month"
    assert "payment_method.updated" in {event["type"] for event in (await bank.state())["event"]}
    await _post(http, f"{path}/detach")
    assert "error" in await _post(http, path, **{"metadata[a]": "b"})


async def test_a_fees_refunds_are_listed_beside_and_inside_of_it(
    http: aiohttp.ClientSession, bank: RunningSandbox
) -> None:
    account = await _post(http, "accounts", **{"capabilities[transfers][requested]": "true", "type": "express"})
    link = {"account": account["id"], "type": "account_onboarding", "return_url": "http://a", "refresh_url": "http://b"}
    await bank.onboard((await _post(http, "account_links", **link))["url"])
    intent = await _captured(http, **{"transfer_data[destination]": account["id"], "application_fee_amount": "150"})
    both = {"reverse_transfer": "true", "refund_application_fee": "true"}
    for _ in range(12):
        await _post(http, "refunds", payment_intent=intent["id"], amount="50", **both)
    (fee,) = (await bank.state())["application_fee"]
    listed = (await _get(http, f"application_fees/{fee['id']}/refunds?limit=100"))["data"]
    assert len(listed) == 12
    assert sum(one["amount"] for one in listed) == fee["amount_refunded"] == 90
    shown = (await _get(http, f"application_fees/{fee['id']}"))["refunds"]
    assert (shown["data"], shown["has_more"]) == (listed[:10], True)
    charge = await _get(http, f"charges/{intent['latest_charge']}?expand[]=refunds")
    assert (len(charge["refunds"]["data"]), charge["refunds"]["has_more"]) == (10, True)


async def test_reversing_a_transfer_may_return_the_fee_in_proportion(
    http: aiohttp.ClientSession, bank: RunningSandbox
) -> None:
    account = await _post(http, "accounts", **{"capabilities[transfers][requested]": "true", "type": "express"})
    link = {"account": account["id"], "type": "account_onboarding", "return_url": "http://a", "refresh_url": "http://b"}
    await bank.onboard((await _post(http, "account_links", **link))["url"])
    await _captured(http, **{"transfer_data[destination]": account["id"], "application_fee_amount": "150"})
    (transfer,) = (await bank.state())["transfer"]
    await _post(http, f"transfers/{transfer['id']}/reversals", amount="500", refund_application_fee="true")
    assert (await bank.state())["application_fee"][0]["amount_refunded"] == 75


async def test_a_new_account_is_paid_out_daily(bank: RunningSandbox, http: aiohttp.ClientSession) -> None:
    await _post(http, "accounts", type="express")
    (account,) = (await bank.state())["account"]
    assert accounts.schedule(account) == {"delay_days": 3, "interval": "daily"}
