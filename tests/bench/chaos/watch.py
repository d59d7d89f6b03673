"""How long a kill holds things up: everything that was due or under way at the kill, until it has moved on."""

import asyncio
import time

import psycopg

EVERY_S = 0.2

# A row per thing that somebody must do now, named so that the name changes once it was done: jobs to be run, commands
# to be sent or under way, deadlines, webhooks, sessions to be closed, bills to be written. What waits on purpose
# (a back-off after an answer from Stripe, a lapse of a span, the time to come back to a lost call) is not due.
DUE = """
SELECT 'job ' || task_name || ':' || id FROM procrastinate.procrastinate_jobs
 WHERE status IN ('todo', 'doing') AND (scheduled_at IS NULL OR scheduled_at <= now())
UNION ALL SELECT 'command:' || id || ':' || attempts FROM command
 WHERE state IN ('intended', 'sent') AND (first_sent_at IS NOT NULL OR due_at <= created_at + interval '10 seconds')
    OR state = 'unknown' AND due_at <= now()
UNION ALL SELECT 'mark:' || id || ':' || next_deadline_at FROM charge WHERE next_deadline_at <= now()
UNION ALL SELECT 'hold:' || id FROM hold WHERE expires_at <= now()
UNION ALL SELECT 'call:' || id || ':' || deadline_at FROM call WHERE deadline_at <= now() AND state <> 'ended'
UNION ALL SELECT 'request:' || id || ':' || due_at FROM request WHERE due_at <= now() AND state = 'ringing'
UNION ALL SELECT 'webhook:' || id || ':' || attempts FROM stripe_event WHERE due_at <= now()
UNION ALL SELECT 'closing:' || call_id FROM media_session WHERE state = 'closing'
UNION ALL SELECT 'bill:' || charge.id FROM charge JOIN media_session USING (call_id)
 WHERE media_session.state = 'closed' AND charge.state = 'metering'
   AND (charge.rescue_until IS NULL OR charge.rescue_until <= now())
"""

UNFINISHED = """
SELECT (SELECT count(*) FROM charge WHERE state NOT IN ('captured', 'released', 'uncollectable', 'abandoned'))
     + (SELECT count(*) FROM hold WHERE state NOT IN ('captured', 'released', 'declined', 'lapsed'))
     + (SELECT count(*) FROM command WHERE state NOT IN ('done', 'refused'))
     + (SELECT count(*) FROM stripe_event WHERE processed_at IS NULL)
     + (SELECT count(*) FROM media_session WHERE state <> 'closed')
     + (SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing'))
"""


class Watch:
    """Samples what is due, and remembers for each kill what was due then."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._open: list[tuple[float, set[str]]] = []
        self.recovered_s: list[float] = []
        self.slowest: tuple[float, str] = (0.0, "")

    async def run(self) -> None:
        """Until cancelled."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            while True:
                self._take(await _names(connection), time.monotonic())
                await asyncio.sleep(EVERY_S)

    async def note_kill(self, at: float) -> None:
        """What is due at this moment must move on."""
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            self._open.append((at, await _names(connection)))

    async def settle(self, seconds: float) -> int:
        """Wait until nothing at all is unfinished; returns how much still is when the time is over."""
        deadline = time.monotonic() + seconds
        async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
            while True:
                row = await (await connection.execute(UNFINISHED)).fetchone()
                left = int(row[0]) if row else 0
                if not left or time.monotonic() > deadline:
                    return left
                await asyncio.sleep(EVERY_S)

    @property
    def held_up(self) -> int:
        """Kills after which something has still not moved."""
        return len(self._open)

    def _take(self, due: set[str], now: float) -> None:
        still: list[tuple[float, set[str]]] = []
        for at, names in self._open:
            left = names & due
            if left:
                self.slowest = max(self.slowest, (now - at, min(left)))
                still.append((at, left))
            else:
                self.recovered_s.append(now - at)
        self._open = still


async def _names(connection: psycopg.AsyncConnection[tuple[str]]) -> set[str]:
    return {name for (name,) in await (await connection.execute(DUE)).fetchall()}
