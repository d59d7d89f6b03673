"""How long it takes to settle many calls that end in the same moment, and how hard Stripe is asked meanwhile."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from core import logs
from core.ids import CallId, OfferId, QuestionId, RequestId, new_id
from matching.events import OfferAccepted
from tests.bench.chaos.script import CAP_MINOR, RATE_MINOR, due_minor
from tests.bench.chaos.trouble import supervise
from tests.bench.counting_proxy import CountingProxy
from tests.bench.stage import Two, background, house_of, people
from tests.fakes.light_peer import LightPeer
from web.context import House

TALKED_MS = 660_000
EVERY_S = 0.25  # between two packets of a person: enough to be seen
JOINING = 8  # people who connect at the same time
LEAVING = 10  # at once: two thirds of a web process's pool; the others wait in its queue
SETTLED_WITHIN_S = 10.0
STRIPE_PER_ENDPOINT, STRIPE_IN_ALL = 25, 100

_STATE = """
SELECT count(*) FILTER (WHERE hold.state = 'held' AND media_session.call_id IS NOT NULL),
       count(*) FILTER (WHERE charge.state = 'captured' AND EXISTS (
           SELECT 1 FROM ledger_transaction WHERE key = 'capture:' || hold.id))
  FROM charge JOIN hold ON hold.charge_id = charge.id LEFT JOIN media_session USING (call_id)
"""
_RUNNING = "SELECT count(DISTINCT call_id) FROM billable_interval WHERE open"
_TALKED = """
SELECT count(*) FROM charge WHERE (SELECT sum(duration_ms) FROM billable_interval
                                    WHERE call_id = charge.call_id AND NOT open) >= threshold_ms
"""
_QUIET = "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE status IN ('todo', 'doing')"
_SETTLED = """
SELECT extract(epoch FROM settled_at - call_ended_at)::float8, gross_minor, captured_minor, connected_ms FROM charge
"""


async def endings(stack: Stack, proxy: CountingProxy, calls: int) -> dict[str, Any]:
    """Open the calls, let them talk, end them all at once, and wait for the last capture to be booked."""
    async with background(supervise(stack)), proxy.running(stack.sandbox_url), house_of(stack) as house:
        pairs = await people(house, calls, RATE_MINOR)
        opened = [(await _open(house, two), two) for two in pairs]
        with psycopg.connect(stack.env["DATABASE_URL"], autocommit=True) as database:
            await _until(database, _STATE, 0, calls, "every hold stands")
            async with AsyncExitStack() as stays:
                await _join(house, opened, stays)
                await _until(database, _RUNNING, 0, calls, "every meter runs")
                for call_id, _ in opened:
                    await house.nodes.skip(call_id, TALKED_MS)
                await _until(database, _TALKED, 0, calls, "everybody has talked")
                await _until(database, _QUIET, 0, 0, "nothing else is under way")
                proxy.reset()
                began = time.monotonic()
                gate = asyncio.Semaphore(LEAVING)
                await asyncio.gather(*(_leave(house, gate, call_id, two) for call_id, two in opened))
                ended_s = time.monotonic() - began
                await _until(database, _STATE, 1, calls, "every call is captured and booked")
                settled_s = time.monotonic() - began
                await _until(database, _QUIET, 0, 0, "every webhook is worked off")
            rows = database.execute(_SETTLED).fetchall()
    return _figures(rows, proxy, ended_s, settled_s, time.monotonic() - began)


async def _open(house: House, two: Two) -> CallId:
    """What an accept does: the call opens and the hold is asked for."""
    call_id = CallId(new_id())
    async with house.db.begin() as tx:
        question = await house.questions.post(
            tx, two.customer_id, title="Why is my query slow?", details="", language="en"
        )
        await tx.publish(
            OfferAccepted(
                request_id=RequestId(new_id()),
                offer_id=OfferId(new_id()),
                question_id=QuestionId(question.id),
                call_id=call_id,
                customer_id=two.customer_id,
                consultant_id=two.consultant_id,
                rate_minor_per_hour=RATE_MINOR,
                max_rate_minor_per_hour=RATE_MINOR,
                currency="eur",
                cap_minor=CAP_MINOR,
                terms_version="2026-1",
                consented_at_iso=tx.now.isoformat(),
            )
        )
    return call_id


async def _join(house: House, opened: list[tuple[CallId, Two]], stays: AsyncExitStack) -> None:
    gate = asyncio.Semaphore(JOINING)

    async def join(call_id: CallId, role: str, user: Any) -> None:
        async with gate:
            peer = LightPeer(EVERY_S)
            stays.push_async_callback(peer.close)
            await peer.join(house.nodes, call_id, role, user)
            peer.start()

    sides = [(call_id, "customer", two.customer_id) for call_id, two in opened]
    sides += [(call_id, "consultant", two.consultant_id) for call_id, two in opened]
    await asyncio.gather(*(join(*side) for side in sides))


async def _leave(house: House, gate: asyncio.Semaphore, call_id: CallId, two: Two) -> None:
    async with gate, house.db.begin() as tx:
        await house.calls.leave(tx, call_id, two.customer_id)


async def _until(database: psycopg.Connection[Any], query: str, column: int, wanted: int, what: str) -> None:
    sys.stderr.write(f"· Waiting until {what}\n")
    deadline = time.monotonic() + 120
    while True:
        row = database.execute(query).fetchone()  # type: ignore[call-overload]
        if row is not None and row[column] == wanted:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within two minutes: {what}; {row} of {wanted}")
        await asyncio.sleep(0.05)


def _figures(
    rows: list[tuple[float, int, int, int]], proxy: CountingProxy, ended_s: float, settled_s: float, all_s: float
) -> dict[str, Any]:
    waits = sorted(row[0] for row in rows)
    wrong = sum(not gross == captured == due_minor(ms, CAP_MINOR) for _, gross, captured, ms in rows)
    peaks = {name: peak for name, peak in proxy.peaks.items() if name}
    return {
        "bench": "endings",
        "calls": len(rows),
        "ended_s": round(ended_s, 2),
        "settled_s": round(settled_s, 2),
        "settled_p50_s": round(statistics.median(waits), 2),
        "wrong_bills": wrong,
        "quiet_s": round(all_s, 1),
        "requests": proxy.requests,
        "peak_per_s": proxy.peaks.get("", 0),
        "peak_per_s_and_endpoint": max(peaks.values(), default=0),
        "peaks": dict(sorted(peaks.items())),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench endings``; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="./bench endings", description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    logs.configure("bench", level="WARNING")
    proxy = CountingProxy()
    with tempfile.TemporaryDirectory(prefix="bench-endings-") as folder:
        plan = Plan(
            data=Path(folder),
            port=free_port(),
            environment="test",
            robot=False,
            seed=False,
            throwaway=True,
            settings={"STRIPE_API_BASE": proxy.url, "PREPARE_JOIN_S": "900", "LOST_S": "900"},
        )
        stack = Stack(plan, lambda line: print(f"· {line}", file=sys.stderr))  # noqa: T201 - progress
        stack.start()
        try:
            found = asyncio.run(endings(stack, proxy, wishes.calls))
        finally:
            stack.stop()
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    polite = found["peak_per_s_and_endpoint"] <= STRIPE_PER_ENDPOINT and found["peak_per_s"] <= STRIPE_IN_ALL
    return 0 if polite and found["settled_s"] <= SETTLED_WITHIN_S and not found["wrong_bills"] else 1
