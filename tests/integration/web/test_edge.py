"""The edge: whatever is thrown at it, the answer has a form, a request id, the headers, and is never a 500."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from core.db import Database
from tests.integration.web.visitor import Client, error_of, log_in, register, registration
from web.context import HOUSE, House

POOL = 15  # ten connections and five in excess (core.db)
ANSWERS = [
    "/healthz",
    "/readyz",
    "/api/openapi.json",
    "/api/me",
    "/api/nothing",
    "/",
    "/ask/1/matches",
    "/assets/no.js",
]


@pytest.mark.parametrize("path", ANSWERS)
async def test_every_answer_carries_request_id_and_security_headers(browser: Client, path: str) -> None:
    answer = await browser.get(path)
    assert len(answer.headers["X-Request-Id"]) == 32
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Permissions-Policy"].startswith("camera=(self), microphone=(self)")
    assert "aiohttp" not in answer.headers["Server"].lower()


async def test_a_sound_request_id_is_kept_and_a_strange_one_is_not(browser: Client) -> None:
    kept = await browser.get("/api/me", headers={"X-Request-Id": "from-the-proxy-1"})
    assert (await error_of(kept))["request_id"] == "from-the-proxy-1"
    strange = await browser.get("/api/me", headers={"X-Request-Id": "<script>" + "x" * 90})
    assert (await error_of(strange))["request_id"] != "<script>" + "x" * 90


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nothing",
        b'{"email": }',
        b"\xff\xfe",
        b'{"email": "\xff"}',
        b'{"email": "\\ud800"}',
        b'{"email": NaN}',
        b"[" * 50_000,
        b'{"email": "a\x00b"}',
        b'{"a": 1} trailing',
    ],
)
async def test_malformed_json_is_400_in_words(browser: Client, body: bytes) -> None:
    answer = await browser.post("/api/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400
    error = await error_of(answer)
    assert error["code"] == "malformed"
    assert error["message"]


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"7", b'"text"', b"{}", b'{"email": null, "password": []}', b"9" * 4000]
)
async def test_json_of_the_wrong_shape_is_422(browser: Client, body: bytes) -> None:
    answer = await browser.post("/api/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 422
    assert (await error_of(answer))["details"]["fields"]


async def test_an_unknown_field_is_named(browser: Client) -> None:
    answer = await browser.post("/api/auth/register", json=registration(is_admin=True))
    assert answer.status == 422
    assert (await error_of(answer))["details"]["fields"][0]["path"] == "is_admin"


async def test_a_nul_character_never_reaches_the_database(browser: Client) -> None:
    answer = await browser.post("/api/auth/register", json=registration(display_name="An\x00na"))
    assert answer.status == 422
    assert (await error_of(answer))["details"]["fields"][0]["path"] == "display_name"


async def test_a_form_is_not_json(browser: Client) -> None:
    assert (await browser.post("/api/auth/login", data={"email": "a", "password": "b"})).status == 400


@pytest.mark.parametrize("size", [64 * 1024 + 1, 300_000])
async def test_a_body_over_64_kib_is_413(browser: Client, size: int) -> None:
    body = b'{"email": "' + b"x" * size + b'"}'
    answer = await browser.post("/api/auth/login", data=body, headers={"Content-Type": "application/json"})
    assert answer.status == 413
    assert (await error_of(answer))["code"] == "too_large"


async def test_an_oversized_header_is_refused_and_the_server_lives(browser: Client) -> None:
    answer = await browser.get("/api/me", headers={"X-Long": "x" * 20_000})
    assert answer.status == 400
    assert (await browser.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "bearer  ", "x", "Bearer " + "A" * 7000, "Bearer é.é.é"],
)
async def test_whatever_is_no_token_is_401(browser: Client, authorization: str) -> None:
    answer = await browser.get("/api/me", headers={"Authorization": authorization})
    assert answer.status == 401
    await error_of(answer)


async def test_unknown_addresses_and_methods_are_said_as_such(browser: Client) -> None:
    assert (await browser.get("/api/nothing/here")).status == 404
    wrong = await browser.get("/api/auth/login")
    assert wrong.status == 405
    assert wrong.headers["Allow"] == "POST"
    assert (await error_of(wrong))["code"] == "method_not_allowed"


async def test_an_exhausted_pool_is_503_and_says_when_to_come_back(browser: Client) -> None:
    await register(browser)
    headers = await log_in(browser)
    assert browser.app is not None
    house: House = browser.app[HOUSE]
    pool: Any = house.db.engine.pool
    pool._timeout = 0.2
    release, taken = asyncio.Event(), asyncio.Barrier(POOL + 1)
    async with asyncio.TaskGroup() as group:
        for _ in range(POOL):
            group.create_task(hold(house.db, taken, release))
        await taken.wait()
        answer = await browser.get("/api/me", headers=headers)
        release.set()
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert (await browser.get("/api/me", headers=headers)).status == 200


async def hold(db: Database, taken: asyncio.Barrier, release: asyncio.Event) -> None:
    async with db.begin() as tx:
        await tx.session.execute(text("SELECT 1"))
        await taken.wait()
        await release.wait()


async def test_a_value_the_database_cannot_hold_is_the_senders_mistake(browser: Client) -> None:
    answer = await browser.post("/api/auth/login", json={"email": "a@b.c", "password": "x", "n": 10**400})
    assert answer.status == 422
