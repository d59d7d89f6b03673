"""What tests of the HTTP edge need: a house whose rooms above ``people`` stand empty, and clients of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from app.wiring import build, close
from core.clock import FakeClock
from core.db import Database
from core.events import Bus
from core.jobs import Jobs
from core.settings import Settings
from people.accounts import AccountService
from people.blocks import BlockService
from people.consents import ConsentService
from people.passwords import Passwords
from people.profiles import ProfileService
from people.ratings import RatingService
from people.roles import Role
from people.tokens import TokenService
from tests.integration.web.visitor import staff
from web.application import build_application
from web.context import House

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[..., Awaitable[Client]]


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A connection to the test's Redis."""
    connection: Redis = Redis.from_url(redis_url, decode_responses=True)
    yield connection
    await connection.aclose()


@pytest.fixture
async def edge(settings: Settings, clock: FakeClock, redis: Redis) -> AsyncIterator[House]:
    """A house with ``people`` in it and nobody above: enough for everything that happens before a handler."""
    bus, jobs = Bus(), Jobs(settings.database_url)
    db = Database(settings.database_url, clock=clock, bus=bus, jobs=jobs)
    tokens, profiles, consents = TokenService(settings.secret_key, clock), ProfileService(), ConsentService()
    rooms: dict[str, Any] = dict.fromkeys(field.name for field in fields(House))
    rooms |= {
        "settings": settings,
        "clock": clock,
        "db": db,
        "jobs": jobs,
        "bus": bus,
        "redis": redis,
        "accounts": AccountService(tokens, profiles, consents, Passwords(cost=4)),
        "tokens": tokens,
        "profiles": profiles,
        "consents": consents,
        "ratings": RatingService(),
        "blocks": BlockService(),
    }
    yield House(**rooms)
    await db.close()


@pytest.fixture
async def house(settings: Settings, clock: FakeClock) -> AsyncIterator[House]:
    """The whole house, as every process has it; nobody behind the provider's and the media node's address."""
    whole = build(settings, clock=clock, bcrypt_cost=4)
    yield whole
    await close(whole)


@pytest.fixture
def built_client(settings: Settings) -> Path:
    """A client as the build leaves it."""
    folder = Path(settings.client_dir)
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Consultant Connect</title>")
    (folder / "assets" / "index-3f2a.js").write_text("console.log('here')")
    (folder / "ring.mp3").write_bytes(b"sound")
    (folder.parent / "secret.txt").write_text("not yours")
    return folder


@pytest.fixture
async def browser(edge: House, aiohttp_client: MakeClient, built_client: Path) -> Client:  # noqa: ARG001 - it must be there
    """A client with a cookie jar, as a browser has one."""
    return await aiohttp_client(build_application(edge))


@pytest.fixture
async def site(house: House, aiohttp_client: MakeClient, built_client: Path) -> Client:  # noqa: ARG001 - must exist
    """A client of the whole house."""
    return await aiohttp_client(build_application(house))


@pytest.fixture
async def admin(house: House) -> dict[str, str]:
    """The headers of an admin of the whole house."""
    return (await staff(house, Role.ADMIN, email=f"admin-{uuid4().hex[:8]}@example.com", name="Adam"))[1]
