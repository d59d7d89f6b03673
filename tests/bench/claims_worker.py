"""One process of ``./bench claims``: claims consultants for due requests, answers some of its rings, forgets others.

Started as ``python -m tests.bench.claims_worker URL SEED FILE``; it stops when nothing is left, and may be killed at
any moment. What it measured is appended to FILE, a JSON line for each claim.
"""

import asyncio
import json
import random
import sys
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from sqlalchemy import func, select, text

from core.clock import SystemClock
from core.db import Database, Tx
from core.events import Bus
from core.jobs import Jobs
from matching.dispatch import claims, offer, request, store
from matching.models import OfferRow, RequestRow

LEASE = timedelta(seconds=1)
HELD_S = (0.0, 0.06)  # how long a ring rings before it is answered
ACCEPTED, FORGOTTEN = 0.25, 0.02
TRIED = 6  # candidates of one look
IDLE_S = 0.1  # eight processes that ask in vain more often would measure one another
COUNTED_EVERY = 50  # looks in vain between two counts of what is left
AGAIN = timedelta(milliseconds=20)
AT_ONCE = 3  # rings a process has out


class Worker:
    """Claims and answers, as a dispatcher's process does, with the product's own statements."""

    def __init__(self, db: Database, chance: random.Random, consultants: list[UUID], told: Path) -> None:
        self._db, self._chance, self._consultants = db, chance, consultants
        self._told = told.open("a", buffering=1)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._answers: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Until no request waits."""
        idle = 0
        while True:
            await self._places.acquire()
            began = time.perf_counter()
            async with self._db.begin() as tx:
                rows = await store.claim_due(tx, 1)
                ring, claim_ms = await self._look(tx, rows[0]) if rows else (None, 0.0)
            if ring is not None:
                whole_ms = (time.perf_counter() - began) * 1_000
                self._tell(claim_ms=round(claim_ms, 3), whole_ms=round(whole_ms, 3))
                task = asyncio.create_task(self._answer(ring))
                self._answers.add(task)
                task.add_done_callback(self._answers.discard)
                continue
            self._places.release()
            idle += not rows
            if idle >= COUNTED_EVERY:
                idle = 0
                if await self._nothing_left():
                    break
            await asyncio.sleep(IDLE_S)  # nothing is due this moment
        await asyncio.gather(*self._answers)

    def _tell(self, **what: float) -> None:
        self._told.write(json.dumps(what) + "\n")

    async def _nothing_left(self) -> bool:
        async with self._db.begin() as tx:
            query = select(func.count()).where(RequestRow.state == request.State.RINGING)
            return not await tx.session.scalar(query)

    async def _look(self, tx: Tx, row: RequestRow) -> tuple[OfferRow | None, float]:
        """End what lapsed, then ring one of a few consultants that the others want as well."""
        for ringing in await store.ringing_of_request(tx, row.id):
            if ringing.rings_until <= tx.now:
                await claims.settle(tx, ringing, offer.Move.MISS)
        rung = await store.rung(tx, row.id)
        listed = [one for one in self._chance.sample(self._consultants, TRIED) if one not in rung]
        began = time.perf_counter()
        for one in listed:
            ring = await claims.claim(
                tx,
                one,
                request_id=row.id,
                currency=row.currency,
                max_rate_minor_per_hour=row.max_rate_minor_per_hour,
                rings_until=tx.now + LEASE,
                score_centi=0,
                reasons=[],
            )
            if ring is not None:
                row.due_at = ring.rings_until
                return ring, (time.perf_counter() - began) * 1_000
        row.due_at = tx.now + AGAIN
        return None, 0.0

    async def _answer(self, ring: OfferRow) -> None:
        """Accept, decline or forget after a while; a ring that was ended meanwhile is not touched any more."""
        try:
            await asyncio.sleep(self._chance.uniform(*HELD_S))  # it rings
            if self._chance.random() < FORGOTTEN:
                return
            move = offer.Move.ACCEPT if self._chance.random() < ACCEPTED else offer.Move.DECLINE
            async with self._db.begin() as tx:
                row = await store.locked(tx, ring.request_id)
                if not await claims.settle(tx, ring, move):
                    self._tell(refused=1)
                elif move is offer.Move.ACCEPT:
                    row.state = request.advance(request.State(row.state), request.Move.MATCH)
                    row.call_id, row.due_at = ring.id, None
                else:
                    row.due_at = tx.now
        finally:
            self._places.release()


async def main(url: str, seed: str, told: str) -> None:
    """Work until nothing is left."""
    db = Database(url, clock=SystemClock(), bus=Bus(), jobs=Jobs(url), pool_size=AT_ONCE + 2)
    async with db.begin() as tx:
        users = list(await tx.session.scalars(text("SELECT user_id FROM consultant ORDER BY user_id")))
    await Worker(db, random.Random(seed), users, Path(told)).run()  # noqa: S311 - no secret
    await db.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))  # as every process of the product runs
