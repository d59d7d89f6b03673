"""Runs the mirror of ``matching`` beside a process that ranks: a listener for its channels, and its reader."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.tasks import finish
from matching.mirror import CHANNELS, Mirror
from signaling.listener import Listener
from web.context import House


@asynccontextmanager
async def mirroring(house: House) -> AsyncIterator[None]:
    """Keep this process's index of consultants and outcomes fresh as long as the context lasts."""
    mirror = Mirror(house.db, house.consultants)
    listener = Listener(house.db.url, dict.fromkeys(CHANNELS, mirror.nudge), mirror.resync)
    tasks = [asyncio.create_task(listener.run()), asyncio.create_task(mirror.run())]
    try:
        yield
    finally:
        await finish(*tasks)
