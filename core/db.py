"""The database: one engine per process, and the transaction object every use case is given."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from core.clock import Clock
from core.events import Bus, Event
from core.jobs import SEARCH_PATH, Jobs

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text(), dict[str, Any]: JSONB()}  # noqa: RUF012


class Tx:
    """One transaction: its session, its one moment in time, and the door to events, jobs and feeds.

    ``now`` is read once, so that every row of a transaction carries the same time.
    Everything here commits together or not at all.
    """

    def __init__(self, session: AsyncSession, bus: Bus, jobs: Jobs, now: datetime) -> None:
        self.session = session
        self.now = now
        self._bus = bus
        self._jobs = jobs
        self._touched: set[UUID] = set()
        self._signals: set[tuple[str, str]] = set()

    async def publish(self, event: Event) -> None:
        """Tell the other rooms what happened; their handlers run here and now, in this transaction."""
        await self._bus.publish(self, event)

    async def defer(
        self,
        task: str,
        *,
        queueing_lock: str | None = None,
        at: datetime | None = None,
        priority: int = 0,
        **arguments: Any,
    ) -> None:
        """Leave a durable job that exists only if this transaction commits; see Jobs.defer."""
        connection = await self.session.connection()
        raw = await connection.get_raw_connection()
        driver = raw.driver_connection
        assert driver is not None
        await self._jobs.defer(driver, task, queueing_lock=queueing_lock, at=at, priority=priority, **arguments)

    def touch(self, users: Iterable[UUID]) -> None:
        """Mark that what these users see has changed: at commit their feed version rises and ``web`` is told."""
        self._touched.update(users)

    def signal(self, channel: str, payload: str) -> None:
        """Send a PostgreSQL NOTIFY at commit (lost only together with the transaction)."""
        self._signals.add((channel, payload))

    async def _before_commit(self) -> None:
        await self.session.flush()
        if self._touched:
            users = sorted(self._touched)  # sorted: two transactions never wait for each other crosswise
            await self.session.execute(_RAISE_FEEDS, {"users": users})
            self._signals.update(("feed", str(user)) for user in users)
        if self._signals:
            signals = sorted(self._signals)
            channels, payloads = [channel for channel, _ in signals], [payload for _, payload in signals]
            await self.session.execute(_NOTIFY, {"channels": channels, "payloads": payloads})


_RAISE_FEEDS = text(
    "INSERT INTO feed (user_id, version) "
    "SELECT one, 1 FROM unnest(CAST(:users AS uuid[])) WITH ORDINALITY AS touched (one, n) ORDER BY n "
    "ON CONFLICT (user_id) DO UPDATE SET version = feed.version + 1"
)
_NOTIFY = text(
    "SELECT pg_notify(channel, payload) "
    "FROM unnest(CAST(:channels AS text[]), CAST(:payloads AS text[])) AS signals (channel, payload)"
)


class Database:
    """The connection pool, and the one way to open a transaction."""

    def __init__(self, url: str, *, clock: Clock, bus: Bus, jobs: Jobs, pool_size: int = 15) -> None:
        """``pool_size`` is the most connections at once; they are opened as they are needed, and then kept."""
        self.url = url
        self._clock = clock
        self._bus = bus
        self._jobs = jobs
        self.engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,  # a connection for one transaction costs more than the transaction
            pool_use_lifo=True,  # few are kept busy: their statements are prepared, the server's caches are warm
            pool_timeout=5,  # an exhausted pool answers 503 fast instead of hanging
            pool_pre_ping=True,
            connect_args={"options": f"-csearch_path={SEARCH_PATH} -ctimezone=UTC", "connect_timeout": 5},
        )
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """Open a transaction that commits when the block ends and rolls back when it raises."""
        async with self._sessions() as session, session.begin():
            tx = Tx(session, self._bus, self._jobs, self._clock.now())
            yield tx
            await tx._before_commit()  # noqa: SLF001 - the database is the transaction's other half

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def sqlalchemy_url(url: str) -> str:
    """The same address with the psycopg driver named, as SQLAlchemy wants it."""
    for scheme in ("postgresql://", "postgres://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    return url
