"""``./bench meter``: live calls metered per second and core, over real PostgreSQL."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from sqlalchemy import insert

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import upgrade
from billing.charges.charge import State
from billing.metering.service import MeterService
from billing.metering.terms import DEFAULT_TERMS
from billing.models import BillableIntervalRow, ChargeRow
from core.clock import FakeClock
from core.db import Database
from core.events import Bus
from core.ids import new_id
from core.jobs import Jobs

SCRATCH = "meter_bench"
MARKS_MS = (480_000, 570_000, 600_000, 1_620_000, 1_770_000)
CALL_S = 1_800  # a call of thirty minutes has five marks before its cap


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark and print one line."""
    parser = argparse.ArgumentParser(prog="bench meter", description=__doc__)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--workers", type=int, default=4, help="concurrent loops within one process (one core)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(argv)
    with _database() as url:
        result = asyncio.run(_measure(url, given.calls, given.workers))
    line = json.dumps(result) if given.json else ", ".join(f"{name}: {value}" for name, value in result.items())
    sys.stdout.write(line + "\n")
    return 0


@contextmanager
def _database() -> Iterator[str]:
    """A scratch database on the given server, or on an embedded one; gone afterwards."""
    given = os.environ.get("DATABASE_URL")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        server = None if given else EmbeddedPostgres(Path(folder) / "postgres", throwaway=False)
        if server is not None:
            server.start()
        try:
            admin_url = given or (server.url() if server else "")
            with psycopg.connect(admin_url, autocommit=True) as admin:
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(SCRATCH))
                admin.execute(drop)
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(SCRATCH)))
                url = urlunsplit(urlsplit(admin_url)._replace(path=f"/{SCRATCH}"))
                upgrade(url)
                try:
                    yield url
                finally:
                    admin.execute(drop)
        finally:
            if server is not None:
                server.stop()


async def _measure(url: str, calls: int, workers: int) -> dict[str, float | int | str]:
    clock, jobs, bus = FakeClock(), Jobs(url), Bus()
    db = Database(url, clock=clock, bus=bus, jobs=jobs, pool_size=workers)
    meter = MeterService()
    await _fill(db, clock, calls)
    started_at, passed = clock.now(), 0
    wall_s = cpu_s = 0.0
    for mark_ms in MARKS_MS:
        clock.advance(started_at + timedelta(milliseconds=mark_ms) - clock.now())
        wall, cpu = time.perf_counter(), time.process_time()
        passed += sum(await asyncio.gather(*(meter.run_due(db) for _ in range(workers))))
        wall_s += time.perf_counter() - wall
        cpu_s += time.process_time() - cpu
    idle = time.perf_counter()
    nothing = await meter.run_due(db)
    idle_ms = (time.perf_counter() - idle) * 1_000
    await db.close()
    if passed != calls * len(MARKS_MS) or nothing:
        raise SystemExit(f"expected {calls * len(MARKS_MS)} marks to be passed, saw {passed} and {nothing}")
    per_core_s = passed / max(cpu_s, 1e-9)
    return {
        "bench": "meter",
        "calls": calls,
        "marks_passed": passed,
        "marks_per_s": round(passed / wall_s, 1),
        "marks_per_s_and_core": round(per_core_s, 1),
        "live_calls_per_core": int(per_core_s * CALL_S / (len(MARKS_MS) + 1)),
        "idle_tick_ms": round(idle_ms, 2),
    }


async def _fill(db: Database, clock: FakeClock, calls: int) -> None:
    """Live calls, all of them connected since now; the first deadline is the first warning."""
    at = clock.now()
    charges, intervals = [], []
    for number in range(calls):
        call_id = new_id()
        charges.append(_charge(call_id, number, at))
        intervals.append({"call_id": call_id, "n": 0, "started_at": at, "duration_ms": 0, "open": True, "cause": None})
    async with db.begin() as tx:
        await tx.session.execute(insert(ChargeRow), charges)
        await tx.session.execute(insert(BillableIntervalRow), intervals)


def _charge(call_id: object, number: int, at: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "call_id": call_id,
        "reference": f"CC-BENCH-{number}",
        "customer_id": new_id(),
        "consultant_id": new_id(),
        "created_at": at,
        "currency": "eur",
        "rate_minor_per_hour": 9_000,
        "policy": DEFAULT_TERMS.policy,
        "policy_version": DEFAULT_TERMS.version,
        "threshold_ms": DEFAULT_TERMS.threshold_ms,
        "commission_bps": DEFAULT_TERMS.commission_bps,
        "tax_mode": DEFAULT_TERMS.tax_mode,
        "tax_rate_bps": DEFAULT_TERMS.tax_rate_bps,
        "snapshot_cap_minor": 4_500,
        "terms_version": "2026-1",
        "consented_at": at,
        "state": State.METERING,
        "cap_minor": 4_500,
        "marked_ms": 0,
        "next_deadline_at": at + timedelta(milliseconds=MARKS_MS[0]),
        "captured_minor": 0,
    }


if __name__ == "__main__":
    sys.exit(main())
