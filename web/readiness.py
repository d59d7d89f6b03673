"""Readiness: whether this process should be given work (database, schema, not draining); Redis only degrades it."""

import asyncio
from pathlib import Path

from aiohttp import web
from alembic.script import ScriptDirectory
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from core.db import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"
TIMEOUT_S = 2


class Readiness:
    """Answers what is well, and remembers that the process is on its way out."""

    def __init__(self, db: Database, redis: Redis) -> None:
        self._db = db
        self._redis = redis
        self._head: str | None = None
        self.draining = False

    async def checks(self) -> dict[str, str]:
        """One word per part: ``ok``, ``down``, ``behind``, ``degraded``, ``draining``."""
        database, redis = await asyncio.gather(self._schema(), self._cache())
        return {**database, "redis": redis, "process": "draining" if self.draining else "ok"}

    async def _schema(self) -> dict[str, str]:
        if self._head is None:
            self._head = await asyncio.to_thread(lambda: ScriptDirectory(str(MIGRATIONS)).get_current_head())
        try:
            async with asyncio.timeout(TIMEOUT_S), self._db.begin() as tx:
                version = await tx.session.scalar(text("SELECT version_num FROM alembic_version"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return {"database": "down", "migrations": "down"}
        return {"database": "ok", "migrations": "ok" if version == self._head else "behind"}

    async def _cache(self) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._redis.ping()
        except (RedisError, OSError, TimeoutError):
            return "degraded"
        return "ok"


READINESS = web.AppKey("readiness", Readiness)
