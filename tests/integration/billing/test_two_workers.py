"""R9: two workers at once, each in a thread and a loop of its own, on the same rows: nothing happens twice."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from core.ids import CallId
from media.events import IntervalClosed, IntervalOpened
from tests.fakes.gauge import number, say
from tests.integration.billing.room import Room

CONNECTED_MS = 660_000
PATIENCE_S = 240.0


class Worker(threading.Thread):
    """Looks and works, again and again, until it is told to stop; an error ends it and fails the test."""

    def __init__(self, room: Room) -> None:
        super().__init__(daemon=True)
        self._given = room.settings, room.clock, room.sandbox
        self._stop_now = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as error:  # noqa: BLE001 - told by the thread that joins
            self.error = error

    async def _work(self) -> None:
        own = Room(*self._given)
        async with own.jobs.app.open_async():
            while not self._stop_now.is_set():
                await own.work()
        await own.close()

    def stop(self) -> None:
        self._stop_now.set()
        self.join(60)


@contextmanager
def two_workers(room: Room) -> Iterator[None]:
    workers = [Worker(room), Worker(room)]
    for worker in workers:
        worker.start()
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
    assert [worker.error for worker in workers] == [None, None]


async def until(room: Room, query: str, expected: int) -> None:
    """Wait for a figure of the database."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        async with room.db.begin() as tx:
            found = await tx.session.scalar(text(query))
        if found == expected:
            return
        assert time.monotonic() < deadline, f"{query}: {found}, not {expected}"
        await asyncio.sleep(0.05)  # between two looks at the condition


@pytest.mark.timeout(900)
async def test_r9_two_workers_make_no_interval_mark_hold_or_capture_twice(room: Room) -> None:
    calls = number(200, 12)
    began = time.perf_counter()
    with two_workers(room):
        ours = [await room.open(rate=9_000, cap=4_500, at_work=False) for _ in range(calls)]
        await until(room, "SELECT count(*) FROM charge WHERE state = 'metering'", calls)
        started = room.clock.now()

        async def tell(call: CallId, *, closed: bool) -> None:
            async with room.db.begin() as tx:
                if closed:
                    ended = IntervalClosed(call, 1, started, CONNECTED_MS, "customer_unseen")
                    await room.meter.on_interval_closed(tx, ended)
                else:
                    await room.meter.on_interval_opened(tx, IntervalOpened(call, 1, started))

        for call in ours:
            await asyncio.gather(tell(call, closed=False), tell(call, closed=False))
        room.clock.advance(timedelta(milliseconds=CONNECTED_MS))
        passed = "SELECT count(*) FROM charge_event WHERE kind = 'threshold_passed'"
        await until(room, passed, calls)
        for call in ours:
            await asyncio.gather(tell(call, closed=True), tell(call, closed=True))
            await asyncio.gather(room.end(call, at_work=False), room.end(call, at_work=False))
        await until(room, "SELECT count(*) FROM charge WHERE state = 'captured'", calls)
    async with room.db.begin() as tx:
        repeated = "SELECT charge_id, kind FROM charge_event GROUP BY 1, 2 HAVING count(*) > 1"
        assert (await tx.session.execute(text(repeated))).all() == []
        assert await tx.session.scalar(text("SELECT count(*) FROM billable_interval")) == calls
        assert await tx.session.scalar(text("SELECT count(*) FROM hold")) == calls
        assert await tx.session.scalar(text("SELECT count(*) FROM command")) == 3 * calls
    received = [intent["amount_received"] for intent in await room.intents()]
    assert received == [1_650] * calls
    state = await room.sandbox.state()
    assert len([line for line in state["balance_transaction"] if line["type"] == "charge"]) == calls
    say(f"R9: {calls} calls, two workers, nothing twice, {time.perf_counter() - began:.0f} s")
