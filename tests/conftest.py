"""What every test may ask for: real PostgreSQL and Redis, a clean database, a clock that stands still."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.migrate import upgrade
from core.clock import FakeClock
from core.settings import Settings

# How long one example takes says how busy the machine is, not whether the code is right.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A cluster of its own for every pytest process, with a migrated template database."""
    cluster = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), throwaway=True)
    cluster.start()
    try:
        with psycopg.connect(cluster.url(), autocommit=True) as admin:
            admin.execute("CREATE DATABASE template_migrated")
        upgrade(cluster.url("template_migrated"))
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres: EmbeddedPostgres) -> str:
    """The address of the cluster's administrative database."""
    return postgres.url()


@pytest.fixture
def database_url(postgres: EmbeddedPostgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own for every test: a copy of the migrated template (45 ms), dropped afterwards."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    quoted = sql.Identifier(name)
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template_migrated STRATEGY file_copy").format(quoted))
        yield postgres.url(name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One Redis for every pytest process."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The address of an emptied Redis."""
    import redis  # noqa: PLC0415 - only here

    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a test installation on clean servers."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="test-secret-key-of-enough-characters",
        receipt_key="dGVzdC1yZWNlaXB0LWtleS1vZi0zMi1ieXRlcy0uLi4",
        environment="test",
        stripe_api_base="http://127.0.0.1:9",
        stripe_public_base="http://127.0.0.1:9",
        stripe_secret_key="sk_test_sandbox",
        stripe_webhook_secret="whsec_test_secret",
        media_control_token="test-control-token-of-enough-characters",
        client_dir=str(tmp_path / "client"),
        attachments_dir=str(tmp_path / "attachments"),
    )


@pytest.fixture
async def no_leftover_tasks() -> AsyncIterator[None]:
    """Fail a test that leaves an asyncio task without an owner."""
    before = asyncio.all_tasks()
    yield
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(0), 1)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {left}"
