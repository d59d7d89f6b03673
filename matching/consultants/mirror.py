"""The mirror: keeps this process's index fresh when something changes, so that no question waits for a long read."""

import asyncio
import gc

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from core import logs
from core.db import Database
from matching.consultants.projection import CHANNEL as CONSULTANTS
from matching.consultants.projection import ConsultantProjection
from matching.learning.models_store import CHANNEL as MODELS

log = logs.get(__name__)

CHANNELS = (CONSULTANTS, MODELS)
REST_S = 0.2  # between two reads: when many calls end at once, something changes all the time


class Mirror:
    """Reads what changed after a NOTIFY, a burst of them a few times a second; a ranking still looks for itself."""

    def __init__(self, db: Database, consultants: ConsultantProjection) -> None:
        self._db = db
        self._consultants = consultants
        self._changed = asyncio.Event()

    def nudge(self, _payload: str = "") -> None:
        """Something changed: look soon."""
        self._changed.set()

    async def resync(self) -> None:
        """The connection that brings the nudges is new: whatever was missed is read now."""
        self.nudge()

    async def run(self) -> None:
        """Read and encode for ever; a database that is away is asked again at the next nudge."""
        kept: object = None
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.look()
            except (SQLAlchemyError, psycopg.Error, OSError) as error:
                log.warning("mirror.lost", error=type(error).__name__)
                continue
            if self._consultants.index is not kept:
                keep_from_collector()
                kept = self._consultants.index
            await asyncio.sleep(REST_S)  # what comes meanwhile is read together

    async def look(self) -> None:
        """Read what changed and give vectors to what has none."""
        while True:
            async with self._db.begin() as tx:
                await self._consultants.refresh(tx)
                some = await self._consultants.unencoded_texts(tx)
            if not some or self._changed.is_set():
                break
            await self._consultants.encode(some)


def keep_from_collector() -> None:
    """Take an index that has been loaded out of the garbage collector's sight: it stays until it is worn.

    A full collection goes through all of it and stops everything meanwhile, for 160 ms with 5,000 consultants: once,
    here, and not at any time. What counts references frees the worn one all the same.
    """
    gc.collect()
    gc.freeze()
