"""The meter with many calls: every mark is passed once, whoever looks and however many are due."""

import asyncio
from datetime import timedelta

from sqlalchemy import insert, text

from billing.metering.service import AT_ONCE
from billing.models import BillableIntervalRow, ChargeRow
from core.ids import new_id
from tests.bench.meter_bench import MARKS_MS, live_charge
from tests.integration.billing.room import Room

CALLS = 2 * AT_ONCE + 7


async def test_more_marks_than_fit_one_transaction_are_passed_once_by_two_workers(room: Room) -> None:
    await room.meter.run_due(room.db)  # its first look is at everything
    started = room.clock.now()
    charges = [live_charge(new_id(), started, 0) for _ in range(CALLS)]
    intervals = [
        {"call_id": one["call_id"], "n": 0, "started_at": started, "duration_ms": 0, "open": True, "cause": None}
        for one in charges
    ]
    async with room.db.begin() as tx:
        await tx.session.execute(insert(ChargeRow), charges)
        await tx.session.execute(insert(BillableIntervalRow), intervals)
    for mark_ms in MARKS_MS:
        room.clock.advance(started + timedelta(milliseconds=mark_ms) - room.clock.now())
        assert sum(await asyncio.gather(*(room.meter.run_due(room.db) for _ in range(2)))) == CALLS
        assert await room.meter.run_due(room.db) == 0
    async with room.db.begin() as tx:
        told = "SELECT kind, count(*), count(DISTINCT charge_id) FROM charge_event GROUP BY kind"
        passed = {kind: (rows, of) for kind, rows, of in await tx.session.execute(text(told))}
        touched = "feed JOIN charge ON user_id IN (customer_id, consultant_id)"
        feeds = f"SELECT count(*), min(version), max(version) FROM {touched}"  # noqa: S608 - two constants
        seen = (await tx.session.execute(text(feeds))).one()
    assert len(passed) == len(MARKS_MS)
    assert set(passed.values()) == {(CALLS, CALLS)}
    assert tuple(seen) == (2 * CALLS, len(MARKS_MS), len(MARKS_MS)), "both sides of each call were told each time"
