"""The ``worker`` process: every timer and every durable job. Any number may run; rows are claimed, not ticks."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import uvloop
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import SQLAlchemyError

from app.mirroring import mirroring
from app.wiring import build, close, load_settings
from core import logs
from core.db import Database
from signaling.listener import Listener
from web.context import House

log = logs.get(__name__)

TICK_S = 0.25
HEARTBEAT_S = 2.0
SWEEP_S = 600.0
RECONCILE_S = 60.0  # how often it is looked whether a comparison, a refit or a look at an account is due
STALLED_AFTER_S = 8.0  # a job whose worker has not been heard of for this long is given to another
RESTART_PAUSE_S = 1.0

Due = Callable[[Database], Awaitable[int]]


async def look(room: str, run_due: Due, db: Database) -> None:
    """One tick of one room: work off what is due; rows that could not be worked off stay due."""
    try:
        await run_due(db)
    except (SQLAlchemyError, ConnectorException, psycopg.Error, OSError) as error:
        log.warning("tick.database_unavailable", room=room, error=type(error).__name__)


async def rescue_stalled_jobs(house: House) -> None:
    """Give the jobs of killed workers back to the queue."""
    manager = house.jobs.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_S):
        await manager.retry_job(job)
        log.info("job.rescued", task=job.task_name)


async def run_jobs(house: House) -> None:
    """Run jobs for ever; a lost database connection restarts the loop, it does not end the process."""
    while True:
        try:
            await house.jobs.app.run_worker_async(
                concurrency=8,
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_AFTER_S,
                install_signal_handlers=False,
                delete_jobs="successful",
                shutdown_graceful_timeout=10,
            )
        except (ConnectorException, psycopg.Error, OSError) as error:
            log.warning("jobs.database_unavailable", error=type(error).__name__)
        await asyncio.sleep(RESTART_PAUSE_S)  # back-off between two attempts to reach the database


class Heed:
    """Works off a room the moment somebody says that something is due there; the tick is only the second chance."""

    def __init__(self, house: House) -> None:
        self._db = house.db
        self._rooms: dict[str, Due] = {"requests": house.requests.run_due, "wishes": house.wishes.run_due}
        self._due: set[str] = set()
        self._heard = asyncio.Event()
        self.listener = Listener(house.db.url, {"due": self._hear}, self._resync)

    def _hear(self, room: str) -> None:
        if room in self._rooms:
            self._due.add(room)
            self._heard.set()

    async def _resync(self) -> None:
        for room in self._rooms:
            self._hear(room)

    async def run(self) -> None:
        """Listen and look for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listener.run())
            group.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            due, self._due = self._due, set()
            for room in sorted(due):
                await look(room, self._rooms[room], self._db)


def schedule(house: House) -> AsyncIOScheduler:
    """A tick per room. The tick only says *look*: the truth is in rows with a due time."""
    rooms: dict[str, Due] = {
        "requests": house.requests.run_due,
        "wishes": house.wishes.run_due,
        "calls": house.calls.run_due,
        "presence": house.presence.run_due,
        "sessions": house.sessions.run_due,
        "meter": house.meter.run_due,
        "charges": house.charges.run_due,
        "rescues": house.rescues.run_due,
        "collection": house.collection.run_due,
        "payouts": house.payouts.run_due,
        "payouts_on_request": house.payouts_on_request.run_due,
    }
    scheduler = AsyncIOScheduler(job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None})
    for room, run_due in rooms.items():
        scheduler.add_job(look, "interval", seconds=TICK_S, args=[room, run_due, house.db], id=room)
    for every_s, run_due in ((HEARTBEAT_S, house.recordings.run_due), (SWEEP_S, house.recordings.sweep)):
        scheduler.add_job(look, "interval", seconds=every_s, args=["recordings", run_due, house.db])
    for every_s, run_due in ((HEARTBEAT_S, house.attachments.run_due), (SWEEP_S, house.attachments.sweep)):
        scheduler.add_job(look, "interval", seconds=every_s, args=["attachments", run_due, house.db])
    scheduler.add_job(look, "interval", seconds=HEARTBEAT_S, args=["mails", house.mails.run_due, house.db])
    scheduler.add_job(
        look, "interval", seconds=RECONCILE_S, args=["reconciliation", house.reconciliation.run_due, house.db]
    )
    scheduler.add_job(
        look, "interval", seconds=RECONCILE_S, args=["account_watch", house.account_watch.run_due, house.db]
    )
    scheduler.add_job(look, "interval", seconds=RECONCILE_S, args=["refit", house.refit.run_due, house.db])
    # The first look at once: what a killed worker had at hand has waited for this start already.
    at_once = datetime.now(UTC)
    scheduler.add_job(
        rescue_stalled_jobs, "interval", seconds=HEARTBEAT_S, args=[house], id="stalled-jobs", next_run_time=at_once
    )
    return scheduler


async def main() -> None:
    """Start, work until SIGTERM or SIGINT, stop cleanly."""
    settings = load_settings()
    logs.configure("worker")
    house = build(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    scheduler = schedule(house)
    async with house.jobs.app.open_async(), mirroring(house.db, house.consultants):
        jobs = asyncio.create_task(run_jobs(house))
        heed = asyncio.create_task(Heed(house).run())
        scheduler.start()
        log.info("worker.ready")
        stopped = asyncio.create_task(stop.wait())
        ended, _ = await asyncio.wait({jobs, heed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        scheduler.shutdown(wait=False)
        for task in (jobs, heed, stopped):
            task.cancel()
        await asyncio.gather(jobs, heed, stopped, return_exceptions=True)
    await close(house)
    for one in ended:
        one.result()  # only the signal ends it well; anything else is told, and the process ends with 1


if __name__ == "__main__":
    uvloop.run(main())
