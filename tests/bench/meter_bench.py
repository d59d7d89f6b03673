"""What metering costs: one real worker process, thousands of live calls, marks as they fall due in real time."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import insert, text

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from billing.charges.charge import State
from billing.metering.terms import DEFAULT_TERMS
from billing.models import BillableIntervalRow, ChargeRow
from core import logs
from core.ids import CallId, UserId, new_id
from media.models import MediaSession, ObservedInterval
from tests.bench.stage import house_of
from tests.bench.vitals import cpu_s, family_cpu_s
from tests.fakes.paid_call import until
from web.context import House

RATE_MINOR, CAP_MINOR = 9_000, 4_500
MARKS_MS = (480_000, 570_000, 600_000, 1_620_000, 1_770_000)
# Calls of thirty minutes pass six marks each. The cap, the sixth, would end them; so their ages are spread over twenty-
# five minutes instead of thirty, and as many marks a second fall due with five.
YOUNGEST_S, SPREAD_S = 265.0, 1_500.0
LONGEST_S = 25.0
SETTLE_S = 3.0  # the worker's start is not its work
VIEWS = 500
LIMIT_CORES = 0.2
MS = timedelta(milliseconds=1)

_OVERDUE = "SELECT count(*) FROM charge WHERE next_deadline_at <= now()"
_PASSED = """
SELECT extract(epoch FROM event.at - seen.started_at) * 1000 - (event.details ->> 'connected_ms')::int
  FROM charge_event event JOIN charge ON charge.id = event.charge_id
  JOIN billable_interval seen ON seen.call_id = charge.call_id WHERE event.at >= %s AND event.at < %s
"""
_RETIRE = "UPDATE charge SET next_deadline_at = NULL"
_OBSERVED = "UPDATE observed_interval SET duration_ms = extract(epoch FROM now() - started_at) * 1000 WHERE open"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a stretch of time cost, in cores, and the marks that were passed in it."""

    worker: float
    postgres: float
    marks_per_s: float
    late_p50_ms: float
    late_max_ms: float


async def metering(stack: Stack, wishes: argparse.Namespace) -> dict[str, Any]:
    """The worker without calls, then with them, ``runs`` times."""
    runs: list[Stretch] = []
    with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
        async with house_of(stack) as house:
            log = stack.plan.data / "logs" / "worker.log"
            await until(lambda: "worker.ready" in log.read_text(), "the worker is ready", 30)
            await asyncio.sleep(SETTLE_S)
            idle = await _stretch(stack, database, wishes.seconds)
            for _ in range(wishes.runs):
                at = await _fill(house, wishes.calls)
                node = asyncio.create_task(_observe(house))
                await until(lambda: not _count(database, _OVERDUE), "what fell due meanwhile is worked off", 60)
                runs.append(await _stretch(stack, database, wishes.seconds))
                view = await _views(house, at)
                node.cancel()
                await asyncio.gather(node, return_exceptions=True)
                database.execute(_RETIRE)
    return _figures(wishes, idle, runs, view)


async def _stretch(stack: Stack, database: psycopg.Connection[Any], seconds: float) -> Stretch:
    pids = stack.pid("worker"), stack.pid("postgres")
    since, began, before = datetime.now(UTC), time.monotonic(), (cpu_s(pids[0]), family_cpu_s(pids[1]))
    await asyncio.sleep(seconds)
    after, lasted_s = (cpu_s(pids[0]), family_cpu_s(pids[1])), time.monotonic() - began
    late = sorted(float(row[0]) for row in database.execute(_PASSED, (since, datetime.now(UTC))))
    return Stretch(
        worker=(after[0] - before[0]) / lasted_s,
        postgres=(after[1] - before[1]) / lasted_s,
        marks_per_s=len(late) / lasted_s,
        late_p50_ms=statistics.median(late) if late else 0.0,
        late_max_ms=max(late, default=0.0),
    )


async def _fill(house: House, calls: int) -> list[tuple[CallId, UserId, datetime]]:
    """Live calls of every age, each with its next mark ahead of it; some of them, with customer and beginning."""
    now = datetime.now(UTC)
    charges, intervals, observed, known = [], [], [], []
    for number in range(calls):
        age = timedelta(seconds=YOUNGEST_S + SPREAD_S * number / calls)
        call_id, started = new_id(), now - age
        charges.append(live_charge(call_id, started, age // MS))
        intervals.append(
            {"call_id": call_id, "n": 0, "started_at": started, "duration_ms": 0, "open": True, "cause": None}
        )
        observed.append(
            {"call_id": call_id, "side": "both", "n": 0, "started_at": started, "duration_ms": age // MS, "open": True}
            | {"node_id": "bench", "cause": None}
        )
        known.append((CallId(call_id), UserId(charges[-1]["customer_id"]), started))
    async with house.db.begin() as tx:
        await tx.session.execute(insert(BillableIntervalRow), intervals)
        await tx.session.execute(
            insert(MediaSession),
            [
                {name: one[name] for name in ("call_id", "customer_id", "consultant_id", "created_at")}
                for one in charges
            ],
        )
        await tx.session.execute(insert(ObservedInterval), observed)
        await tx.session.execute(insert(ChargeRow), charges)
    return known[:: max(1, calls // VIEWS)]


async def _observe(house: House) -> None:
    """The media node of all these calls: writes each second what it observed."""
    while True:
        async with house.db.begin() as tx:
            await tx.session.execute(text(_OBSERVED))
        await asyncio.sleep(1)


def live_charge(call_id: object, started: datetime, age_ms: int) -> dict[str, Any]:
    """The columns of the charge of a call that is connected since ``started``."""
    charge_id = new_id()
    ahead = next(mark for mark in MARKS_MS if mark > age_ms)
    return {
        "id": charge_id,
        "call_id": call_id,
        "reference": f"CC-BENCH-{charge_id.hex}",
        "customer_id": new_id(),
        "consultant_id": new_id(),
        "created_at": started,
        "currency": "eur",
        "rate_minor_per_hour": RATE_MINOR,
        "policy": DEFAULT_TERMS.policy,
        "policy_version": DEFAULT_TERMS.version,
        "threshold_ms": DEFAULT_TERMS.threshold_ms,
        "commission_bps": DEFAULT_TERMS.commission_bps,
        "tax_mode": DEFAULT_TERMS.tax_mode,
        "tax_rate_bps": DEFAULT_TERMS.tax_rate_bps,
        "snapshot_cap_minor": CAP_MINOR,
        "terms_version": "2026-1",
        "consented_at": started,
        "state": State.METERING,
        "cap_minor": CAP_MINOR,
        "marked_ms": age_ms,
        "next_deadline_at": started + timedelta(milliseconds=ahead),
        "captured_minor": 0,
    }


async def _views(house: House, known: list[tuple[CallId, UserId, datetime]]) -> dict[str, float]:
    """Ask for meters at any moment: what one costs, and how many are wrong by a millisecond or a cent."""
    wrong, began = 0, time.process_time()
    for call_id, customer, started in known:
        async with house.db.begin() as tx:
            view = await house.meter.view_of(tx, customer, call_id)
        ms = (view.as_of - started) // MS
        due = 0 if ms < DEFAULT_TERMS.threshold_ms else (2 * RATE_MINOR * ms + 3_600_000) // 7_200_000
        wrong += view.connected_ms != ms or view.gross_minor != min(due, CAP_MINOR)
    return {"view_cpu_ms": 1000 * (time.process_time() - began) / len(known), "wrong": wrong}


def _count(database: psycopg.Connection[Any], query: str) -> int:
    row = database.execute(query).fetchone()  # type: ignore[call-overload]
    assert row is not None
    return int(row[0])


def _figures(wishes: argparse.Namespace, idle: Stretch, runs: list[Stretch], view: dict[str, float]) -> dict[str, Any]:
    each = {name: statistics.median(asdict(run)[name] for run in runs) for name in asdict(idle)}
    metering = each["worker"] - idle.worker
    return {
        "bench": "meter",
        "calls": wishes.calls,
        "runs": len(runs),
        "seconds": wishes.seconds,
        "worker_cores": round(each["worker"], 3),
        "worker_cores_worst": round(max(run.worker for run in runs), 3),
        "idle_worker_cores": round(idle.worker, 3),
        "metering_cores": round(metering, 3),
        "postgres_cores": round(each["postgres"], 3),
        "idle_postgres_cores": round(idle.postgres, 3),
        "marks_per_s": round(each["marks_per_s"], 1),
        "ms_per_mark": round(1000 * metering / max(1e-9, each["marks_per_s"]), 2),
        "late_p50_ms": round(each["late_p50_ms"], 1),
        "late_max_ms": round(max(run.late_max_ms for run in runs), 1),
        "view_cpu_ms": round(view["view_cpu_ms"], 2),
        "wrong_views": int(view["wrong"]),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench meter``; 1 when the worker needs more than its share, or a view is wrong."""
    parser = argparse.ArgumentParser(prog="./bench meter", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=20.0, help=f"of each run; at most {LONGEST_S:.0f}")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    if not 0 < wishes.seconds <= LONGEST_S:
        parser.error(f"--seconds: at most {LONGEST_S:.0f}, or calls would reach their cap")
    logs.configure("bench", level="WARNING")
    with tempfile.TemporaryDirectory(prefix="bench-meter-") as folder:
        plan = Plan(data=Path(folder), port=free_port(), environment="test", robot=False, seed=False, throwaway=True)
        stack = Stack(plan, lambda line: print(f"· {line}", file=sys.stderr))  # noqa: T201 - progress
        stack.start()
        try:
            found = asyncio.run(metering(stack, wishes))
        finally:
            stack.stop()
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 0 if found["worker_cores"] <= LIMIT_CORES and not found["wrong_views"] else 1
