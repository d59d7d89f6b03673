"""One process of ``./bench claims``: claims consultants for due requests, answers some of its rings, forgets others.

It stops when nothing is left, and may be killed at any moment. What it measured is appended to a file, a JSON line for
each look at a request: ``lost_ms`` of every claim that found the consultant taken; of the one that won ``claim_ms``,
``won_ms`` with the lost ones before it, ``whole_ms`` of the transaction; ``cpu_s`` of the process up to there.
"""

import asyncio
import json
import random
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import uvloop
from sqlalchemy import select, text

from core.clock import SystemClock
from core.db import Database, Tx
from core.events import Bus
from core.jobs import Jobs
from matching.dispatch import claims, offer, request, store
from matching.models import OfferRow, RequestRow

LEASE = timedelta(seconds=1)
HELD_S = (0.0, 0.06)  # how long a ring rings before it is answered
ACCEPTED, FORGOTTEN = 0.25, 0.02
WANTED = 12  # the first of one order that all share, so that everybody wants the same few
TRIED = 6  # of them in one look, in any order
IDLE_S = (0.1, 0.3)  # eight processes that ask in vain more often would measure one another
ASKED_EVERY = 20  # looks in vain before asking whether anything is left
AGAIN = timedelta(milliseconds=100)  # after a look at which all were taken; sooner they would still be
AT_ONCE = 2  # rings a process has out


class Worker:
    """Claims and answers, as a dispatcher's process does, with the product's own statements."""

    def __init__(self, db: Database, chance: random.Random, consultants: list[UUID], told: Path) -> None:
        self._db, self._chance, self._consultants = db, chance, consultants
        self._told = told.open("a", buffering=1)
        self._places = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Until no request waits and every ring is answered."""
        idle = 0
        async with asyncio.TaskGroup() as answers:
            while True:
                await self._places.acquire()
                seen, ring = await self._move_on()
                if ring is not None:
                    answers.create_task(self._answer(ring))
                    continue
                self._places.release()
                if seen:
                    continue
                idle += 1
                if idle % ASKED_EVERY == 0 and await self._nothing_left():
                    return
                await asyncio.sleep(self._chance.uniform(*IDLE_S))  # nothing is due this moment

    async def _move_on(self) -> tuple[bool, OfferRow | None]:
        """Look at the request that is due the longest; whether there was one, and the ring."""
        began = time.perf_counter()
        async with self._db.begin() as tx:
            rows = await store.claim_due(tx, 1)
            ring, times = await self._look(tx, rows[0]) if rows else (None, {})
        if ring is not None:
            self._tell(**times, whole_ms=_since(began), cpu_s=round(time.process_time(), 3))
        elif rows:
            self._tell(**times)
        return bool(rows), ring

    def _tell(self, **what: float | list[float]) -> None:
        self._told.write(json.dumps(what) + "\n")

    async def _nothing_left(self) -> bool:
        async with self._db.begin() as tx:
            query = select(RequestRow.id).where(RequestRow.state == store.RINGING)
            return await tx.session.scalar(query.limit(1)) is None

    async def _look(self, tx: Tx, row: RequestRow) -> tuple[OfferRow | None, dict[str, float | list[float]]]:
        """End what lapsed, then ring one of the few consultants that the others want as well."""
        for ringing in await store.ringing_of_request(tx, row.id):
            if ringing.rings_until <= tx.now:
                await claims.settle(tx, ringing, offer.Move.MISS)
        rung = await store.rung(tx, row.id)
        wanted = [one for one in self._consultants if one not in rung][:WANTED]
        began = time.perf_counter()
        lost_ms: list[float] = []
        for one in self._chance.sample(wanted, min(TRIED, len(wanted))):
            tried = time.perf_counter()
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
                return ring, {"claim_ms": _since(tried), "won_ms": _since(began), "lost_ms": lost_ms}
            lost_ms.append(_since(tried))
        row.due_at = tx.now + AGAIN
        return None, {"lost_ms": lost_ms}

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


def _since(began: float) -> float:
    return round((time.perf_counter() - began) * 1_000, 3)


async def _work(url: str, seed: int, told: Path) -> None:
    db = Database(url, clock=SystemClock(), bus=Bus(), jobs=Jobs(url), pool_size=AT_ONCE + 2)
    async with db.begin() as tx:
        users = list(await tx.session.scalars(text("SELECT user_id FROM consultant ORDER BY user_id")))
    await Worker(db, random.Random(seed), users, told).run()  # noqa: S311 - no secret
    await db.close()


def work(url: str, seed: int, told: Path) -> None:
    """Work until nothing is left: what a forked process runs, on the loop that every process of the product has."""
    uvloop.run(_work(url, seed, told))
