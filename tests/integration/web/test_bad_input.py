"""Bad input (S2 in small): generated rubbish on every route, and never an answer in the five hundreds."""

import random
from typing import Any
from uuid import uuid4

import pytest

from people.origin import Origin
from people.roles import Role
from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import PASSWORD, log_in, register
from web.application import build_application
from web.context import House
from web.routing import Route, collect

ROUTES = [row for row in collect() if row.limit != "none"]
SEEDS = range(6)
SCALARS: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**30,
    0.5,
    "",
    "x",
    "x" * 5000,
    "\u202e<script>",
    "\U0001f469\u200d\U0001f467",
    "2026-01-05T09:00:00Z",
    "eur",
    "en",
    str(uuid4()),
    "'; DROP TABLE account; --",
    "%00",
    "\x7f",
]


def rubbish(dice: random.Random, depth: int = 0) -> Any:
    kind = dice.random()
    if depth < 3 and kind < 0.15:
        return [rubbish(dice, depth + 1) for _ in range(dice.randint(0, 30))]
    if depth < 3 and kind < 0.25:
        return {dice.choice(["a", "document", "type"]): rubbish(dice, depth + 1) for _ in range(3)}
    return dice.choice(SCALARS)


def body_for(row: Route, dice: random.Random) -> Any:
    """The right field names with wrong values, so that the rubbish gets past the first door."""
    if row.body is None or dice.random() < 0.1:
        return rubbish(dice)
    return {name: rubbish(dice) for name in row.body.model_fields if dice.random() < 0.9}


def query_for(row: Route, dice: random.Random) -> dict[str, str]:
    names = ["x"] if row.query is None else list(row.query.model_fields)
    return {name: str(rubbish(dice))[:200] for name in names if dice.random() < 0.7}


def path_for(row: Route, dice: random.Random) -> str:
    parts = row.path.split("/")
    given = [
        dice.choice([str(uuid4()), "0", "a" * 300, "nil", "seti_1", "é"]) if "{" in part else part for part in parts
    ]
    return "/".join(given)


@pytest.mark.parametrize("seed", SEEDS)
async def test_rubbish_is_never_answered_with_a_five_hundred(
    house: House, aiohttp_client: MakeClient, seed: int
) -> None:
    client = await aiohttp_client(build_application(house))
    dice = random.Random(seed)  # noqa: S311 - a failing seed must replay
    await house.accounts.create_staff(
        house.db, email="all@example.com", password=PASSWORD, display_name="All", roles=list(Role), origin=Origin()
    )
    failed = []
    for row in ROUTES:
        session = await house.accounts.login(house.db, "all@example.com", PASSWORD, Origin())
        headers = {"Authorization": f"Bearer {session.access_token}"}
        body = {"json": body_for(row, dice)} if row.method in {"POST", "PUT", "PATCH"} else {}
        path, query = path_for(row, dice), query_for(row, dice)
        async with client.request(row.method, path, headers=headers, params=query, **body) as answer:
            if answer.status >= 500 and answer.status not in {502, 503}:
                failed.append((row.method, path, query, body))
        await house.redis.flushdb()
    assert failed == []


@pytest.mark.parametrize("path", ["/api/consultant/statement.csv", "/api/consultant/statement.pdf"])
async def test_digits_of_other_scripts_are_no_month(house: House, aiohttp_client: MakeClient, path: str) -> None:
    client = await aiohttp_client(build_application(house))
    await register(client, "ben@example.com", "consultant")
    headers = await log_in(client, "ben@example.com")
    async with client.get(path, headers=headers, params={"month": "20٢٦-01"}) as answer:
        assert answer.status == 422
