"""A visitor: registers, logs in and asks, the way the client does."""

from typing import Any

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from core.ids import UserId
from people.origin import Origin
from people.roles import Role
from web.context import House

PASSWORD = "a walk in the rain"
Client = TestClient[web.Request, web.Application]


def registration(email: str = "anna@example.com", role: str = "customer", **changes: Any) -> dict[str, Any]:
    documents = ["terms", "privacy", *(["consultant_agreement"] if role == "consultant" else [])]
    return {
        "email": email,
        "password": PASSWORD,
        "role": role,
        "display_name": "Anna",
        "locale": "en",
        "time_zone": "Europe/Berlin",
        "consents": [{"document": name, "version": "2026-01"} for name in documents],
        **changes,
    }


async def register(client: Client, email: str = "anna@example.com", role: str = "customer") -> None:
    async with client.post("/api/auth/register", json=registration(email, role)) as answer:
        assert answer.status == 201, await answer.text()


async def log_in(client: Client, email: str = "anna@example.com", password: str = PASSWORD) -> dict[str, str]:
    """Log in; the headers that carry the access token."""
    async with client.post("/api/auth/login", json={"email": email, "password": password}) as answer:
        body = await answer.json()
        assert answer.status == 200, body
    return {"Authorization": f"Bearer {body['access_token']}"}


async def staff(house: House, *roles: Role, email: str, name: str) -> tuple[UserId, dict[str, str]]:
    """Somebody with these roles, with the headers that carry their access token."""
    user = await house.accounts.create_staff(
        house.db, email=email, password=PASSWORD, display_name=name, roles=[*roles], origin=Origin()
    )
    session = await house.accounts.login(house.db, email, PASSWORD, Origin())
    return user, {"Authorization": f"Bearer {session.access_token}"}


def csrf(client: Client) -> dict[str, str]:
    """The header that repeats the csrf cookie."""
    return {"X-CSRF-Token": client.session.cookie_jar.filter_cookies(client.make_url("/"))["csrf"].value}


async def error_of(answer: ClientResponse) -> dict[str, Any]:
    """The error of an answer, which must have the one form."""
    body = await answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details", "request_id"}
    assert body["error"]["request_id"] == answer.headers["X-Request-Id"]
    found: dict[str, Any] = body["error"]
    return found
