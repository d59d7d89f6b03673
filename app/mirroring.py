"""Runs the mirror of ``matching`` beside a process that ranks: a listener for its channels, and its reader."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.db import Database
from core.tasks import finish
from matching.consultants.mirror import CHANNELS, Mirror
from matching.consultants.projection import ConsultantProjection
from signaling.listener import Listener


@asynccontextmanager
async def mirroring(db: Database, consultants: ConsultantProjection) -> AsyncIterator[Listener]:
    """Keep this process's index of consultants and outcomes fresh as long as the context lasts; yields the listener."""
    mirror = Mirror(db, consultants)
    listener = Listener(db.url, dict.fromkeys(CHANNELS, mirror.nudge), mirror.resync)
    tasks = [asyncio.create_task(listener.run()), asyncio.create_task(mirror.run())]
    try:
        yield listener
    finally:
        await finish(*tasks)
