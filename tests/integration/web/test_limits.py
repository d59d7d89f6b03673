"""Limits (S10): the sixth log-in and the hundred and first request are refused, whichever process they reach."""

import pytest
from redis.asyncio import Redis

from core.errors import TooMany
from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import Client, error_of, log_in, register
from web.application import build_application
from web.context import House
from web.limits import Limit, Limiter


@pytest.fixture
async def two(edge: House, aiohttp_client: MakeClient) -> tuple[Client, Client]:
    return await aiohttp_client(build_application(edge)), await aiohttp_client(build_application(edge))


async def test_the_sixth_log_in_within_a_minute_is_refused_across_processes(two: tuple[Client, Client]) -> None:
    wrong = {"email": "anna@example.com", "password": "not the password"}
    statuses = [(await two[n % 2].post("/api/auth/login", json=wrong)).status for n in range(5)]
    assert statuses == [401] * 5
    sixth = await two[1].post("/api/auth/login", json={**wrong, "email": " ANNA@example.com"})
    assert sixth.status == 429
    assert 1 <= int(sixth.headers["Retry-After"]) <= 60
    assert (await error_of(sixth))["code"] == "too_many_requests"
    other = await two[0].post("/api/auth/login", json={**wrong, "email": "ben@example.com"})
    assert other.status == 401


async def test_the_hundred_and_first_request_of_a_user_is_refused_across_processes(two: tuple[Client, Client]) -> None:
    await register(two[0])
    headers = await log_in(two[0])
    statuses = [(await two[n % 2].get("/api/me", headers=headers)).status for n in range(101)]
    assert statuses == [200] * 100 + [429]
    assert (await two[0].get("/healthz")).status == 200


async def test_who_types_without_end_is_refused_and_can_do_everything_else(
    house: House, aiohttp_client: MakeClient
) -> None:
    client = await aiohttp_client(build_application(house))
    await register(client)
    headers = await log_in(client)
    text = "My pods keep restarting"
    bodies = {
        "/api/questions/typing": {"title": text, "language": "en"},
        "/api/matches/preview": {"title": text, "language": "en"},
        "/api/questions/similar": {"title": text},
        "/api/keywords": {"text": text},
    }

    async def typed(path: str) -> int:
        async with client.post(path, json=bodies[path], headers=headers) as answer:
            return answer.status

    assert [await typed(path) for path in bodies for _ in range(15)] == [200] * 60
    assert [await typed(path) for path in bodies] == [429] * 4, "one allowance for all that a typed text asks for"
    assert (await client.get("/api/me", headers=headers)).status == 200


async def test_no_address_is_kept_in_redis(two: tuple[Client, Client], redis: Redis) -> None:
    await two[0].post("/api/auth/login", json={"email": "anna@example.com", "password": "not the password"})
    keys = " ".join([key async for key in redis.scan_iter("limit:*")])
    assert "limit:login:" in keys
    assert "anna" not in keys
    assert "127.0.0.1" not in keys


@pytest.fixture
async def lonely() -> Limiter:
    """A limiter whose Redis is gone."""
    gone: Redis = Redis.from_url("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)
    return Limiter(gone, {"login": Limit("login", 5, strict=True), "api": Limit("api", 100)})


async def test_without_redis_log_ins_are_still_counted_in_the_process(lonely: Limiter) -> None:
    for _ in range(5):
        await lonely.hit("login", "anna")
    with pytest.raises(TooMany):
        await lonely.hit("login", "anna")
    await lonely.hit("login", "ben")


async def test_without_redis_everything_else_goes_on(lonely: Limiter) -> None:
    for _ in range(200):
        await lonely.hit("api", "anna")
