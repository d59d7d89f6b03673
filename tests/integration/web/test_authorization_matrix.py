"""The authorization matrix (S1): every route x every role x own, a stranger's, nobody's. A new route needs a row."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from people.roles import Role
from tests.integration.web.visitor import Client, error_of, staff
from web.context import HOUSE
from web.routing import collect

TABLE = Path(__file__).parent / "authorization_matrix.txt"
ROLES = [role.value for role in Role]


@dataclass(frozen=True)
class Row:
    who: frozenset[str]
    method: str
    path: str
    owned: str | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def admits(self, role: str) -> bool:
        return bool(self.who & {"public", "user", role})


def read() -> list[Row]:
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return [Row(frozenset(who.split(",")), method, path, *(rest or [None])) for who, method, path, *rest in lines]


ROWS = read()
ROUTES = {(row.method, row.path): row for row in collect()}
CLOSED = [row for row in ROWS if "public" not in row.who and (row.method, row.path) in ROUTES]


def test_the_table_and_the_routes_are_the_same() -> None:
    written = {(row.name, row.who, row.owned) for row in ROWS}
    served = {
        (f"{row.method} {row.path}", frozenset(access.value for access in row.access), row.owned)
        for row in ROUTES.values()
    }
    assert served == written


def address(path: str) -> str:
    """The path with an id in it that is nobody's."""
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + str(uuid4()) + rest.partition("}")[2]
    return path


async def headers_for(client: Client, role: str) -> dict[str, str]:
    assert client.app is not None
    house = client.app[HOUSE]
    return (await staff(house, Role(role), email=f"{role}-{uuid4().hex[:8]}@example.com", name=role))[1]


async def ask(client: Client, row: Row, headers: dict[str, str]) -> Any:
    body = {"json": {}} if row.method in {"POST", "PUT", "PATCH"} else {}
    return await client.request(row.method, address(row.path), headers=headers, **body)


@pytest.mark.parametrize("row", CLOSED, ids=lambda row: row.name)
async def test_without_a_session_every_closed_route_is_401(browser: Client, row: Row) -> None:
    for headers in ({}, {"Authorization": "Bearer forged.token.here"}):
        answer = await ask(browser, row, headers)
        assert answer.status == 401
        await error_of(answer)


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_that_is_not_admitted_is_403_before_anything_else_is_looked_at(browser: Client, role: str) -> None:
    headers = await headers_for(browser, role)
    for row in CLOSED:
        if not row.admits(role):
            answer = await ask(browser, row, headers)
            assert answer.status == 403, row.name
            assert (await error_of(answer))["code"] == "forbidden"
