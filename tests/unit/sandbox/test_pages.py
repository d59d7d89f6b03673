"""The sandbox's pages: for one parent only, in both languages, with nothing to inject into."""

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.pages.texts import CARD, ONBOARD, SECURE
from tests.fakes.sandbox import PARENT_ORIGIN, RunningSandbox, in_process

CALL = {"Authorization": "Bearer sk_test_x"}


@pytest.fixture
async def bank() -> AsyncIterator[RunningSandbox]:
    async with in_process() as running:
        yield running


@pytest.fixture
async def http(bank: RunningSandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(bank.url) as session:
        yield session


async def _post(http: aiohttp.ClientSession, path: str, **params: str) -> dict[str, Any]:
    async with http.post(path, data=params, headers=CALL) as answer:
        body: dict[str, Any] = await answer.json()
        return body


async def _form(http: aiohttp.ClientSession, **query: str) -> tuple[int, str, str]:
    async with http.get("/_sandbox/card-form", params=query) as answer:
        return answer.status, await answer.text(), answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("locale", "language"), [("en", "en"), ("de-AT", "de"), ("fr", "en")])
async def test_the_card_form_speaks_the_customers_language(
    http: aiohttp.ClientSession, locale: str, language: str
) -> None:
    setup = await _post(http, "/v1/setup_intents")
    status, page, _ = await _form(http, setup_intent=setup["id"], client_secret=setup["client_secret"], locale=locale)
    assert status == 200
    assert f'<html lang="{language}">' in page
    assert CARD[language]["save"] in page
    assert '<label for="number">' in page


async def test_the_card_form_runs_no_script_but_its_own_and_only_in_our_checkout(http: aiohttp.ClientSession) -> None:
    setup = await _post(http, "/v1/setup_intents")
    _, page, policy = await _form(http, setup_intent=setup["id"], client_secret=setup["client_secret"])
    nonce = re.search(r"script-src 'nonce-([\w-]+)'", policy)
    assert nonce is not None
    assert page.count("<script") == page.count(f'<script nonce="{nonce[1]}">') == 1
    assert f"frame-ancestors 'self' {PARENT_ORIGIN}" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"\son\w+=", page.split("<script")[0])


@pytest.mark.parametrize("secret", ["", "wrong", "</script>", "ü"])
async def test_a_wrong_secret_sees_no_form(http: aiohttp.ClientSession, secret: str) -> None:
    setup = await _post(http, "/v1/setup_intents")
    status, page, _ = await _form(http, setup_intent=setup["id"], client_secret=secret)
    assert status == 404
    assert "<input" not in page


async def test_no_card_number_is_kept(http: aiohttp.ClientSession, bank: RunningSandbox) -> None:
    setup = await _post(http, "/v1/setup_intents")
    await bank.save_card(setup["id"], setup["client_secret"], "4242 4242 4242 4242")
    async with http.get("/_sandbox/state") as answer:
        assert "4242424242424242" not in await answer.text()


async def test_a_live_key_is_refused_over_the_wire(http: aiohttp.ClientSession) -> None:
    for headers in ({}, {"Authorization": "Bearer sk_live_1"}, {"Authorization": "Basic eDp5"}):
        async with http.post("/v1/customers", headers=headers) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]["type"] == "invalid_request_error"


async def test_an_onboarding_link_leads_back_and_only_there(http: aiohttp.ClientSession) -> None:
    account = await _post(http, "/v1/accounts", **{"capabilities[transfers][requested]": "true", "type": "express"})
    there = {"return_url": "http://localhost:8000/done", "refresh_url": "http://localhost:8000/again"}
    link = await _post(http, "/v1/account_links", account=account["id"], type="account_onboarding", **there)
    path = link["url"].split("/", 3)[3]
    async with http.get(f"/{path}&locale=de") as answer:
        assert ONBOARD["de"]["done"] in await answer.text()
        assert "form-action 'self' http://localhost:8000;" in answer.headers["Content-Security-Policy"]
    async with http.post(f"/{path}", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, there["return_url"])
    async with http.get(f"/_sandbox/onboard/{account['id']}?link=alink_forged") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("catalogue", [CARD, SECURE, ONBOARD])
def test_both_languages_say_the_same_things(catalogue: dict[str, dict[str, str]]) -> None:
    assert catalogue["en"].keys() == catalogue["de"].keys()
    assert all(text.strip() for texts in catalogue.values() for text in texts.values())


@pytest.mark.parametrize(
    "given", [{"kind": "nonsense"}, {}, [], {"kind": "down", "whatever": 1}, {"kind": "down", "times": "x"}]
)
async def test_a_misbehaviour_that_does_not_exist_is_said(http: aiohttp.ClientSession, given: object) -> None:
    async with http.post("/_sandbox/misbehave", json=given) as answer:
        assert answer.status == 400
