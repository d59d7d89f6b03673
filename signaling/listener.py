"""The listener: PostgreSQL's NOTIFY on a connection of its own, back again after every loss."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import psycopg
from psycopg import sql

from core import logs

log = logs.get(__name__)

CONNECT_TIMEOUT_S = 5
QUIET_S = 5.0  # after so long without a word the connection is tried
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 2.0

Handler = Callable[[str], None]


class Listener:
    """Calls the handler of a channel with each payload; ``resync`` runs after each (re)connection.

    Notifications sent while it was away are lost, so ``resync`` must look at everything anew.
    """

    def __init__(self, url: str, handlers: Mapping[str, Handler], resync: Callable[[], Awaitable[None]]) -> None:
        self._url = url
        self._handlers = handlers
        self._resync = resync
        self.listening = asyncio.Event()
        self.backend_pid: int | None = None

    async def run(self) -> None:
        """Listen for ever."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("listener.lost", error=type(error).__name__)
            pause = FIRST_PAUSE_S if self.listening.is_set() else min(pause * 2, LONGEST_PAUSE_S)
            self.listening.clear()
            await asyncio.sleep(pause)  # back-off between two attempts to reach the database

    async def _listen(self) -> None:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with connection:
            for channel in self._handlers:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.backend_pid = connection.info.backend_pid
            await self._resync()
            self.listening.set()
            while True:
                async for note in connection.notifies(timeout=QUIET_S):
                    self._handle(note.channel, note.payload)
                async with asyncio.timeout(CONNECT_TIMEOUT_S):  # quiet, or dead?
                    await connection.execute("SELECT 1")

    def _handle(self, channel: str, payload: str) -> None:
        try:
            self._handlers[channel](payload)
        except (ValueError, KeyError):  # whoever may connect to the database may NOTIFY anything
            log.warning("listener.malformed", channel=channel)
