"""How long people wait: question → first ring, accept → first remote frame, through the whole stack."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.demo_people import LOGINS, PASSWORD
from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.fakes.caller import Caller
from tests.fakes.paid_call import PaidCall, until

LIMITS = {"RATE_LIMIT_LOGIN_PER_MIN": "1000", "RATE_LIMIT_API_PER_MIN": "5000"}


async def rounds(stack: Stack, count: int) -> dict[str, Any]:
    """Call ``count`` times, one after the other."""
    ring_ms, frame_ms = [], []
    async with (
        Caller(stack.url, LOGINS["customer"], PASSWORD) as customer,
        Caller(stack.url, LOGINS["consultant"], PASSWORD) as consultant,
    ):
        for _ in range(count):
            call = PaidCall(stack, customer, consultant)
            asked = time.monotonic()
            offer = await call.ring()
            ring_ms.append(1000 * (time.monotonic() - asked))
            accepted = time.monotonic()
            call.call_id = (await consultant.api("POST", f"/api/offers/{offer}/accept", {}))["call_id"]
            await until(
                lambda: (
                    customer.peer and consultant.peer and customer.peer.video_frames and consultant.peer.video_frames
                ),
                "a frame on each side",
                30,
            )
            assert customer.peer is not None
            assert consultant.peer is not None
            first = max(customer.peer.first_video_at or 0.0, consultant.peer.first_video_at or 0.0)
            frame_ms.append(1000 * (first - accepted))
            await call.leave()
            await call.settled()
    return {
        "bench": "call",
        "rounds": count,
        "question_to_ring_ms": _percentiles(ring_ms),
        "accept_to_frame_ms": _percentiles(frame_ms),
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": round(statistics.median(ordered), 1),
        "p95": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench call``."""
    parser = argparse.ArgumentParser(prog="./bench call", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-call-") as folder:
        plan = Plan(
            data=Path(folder), port=free_port(), environment="test", robot=False, throwaway=True, settings=LIMITS
        )
        stack = Stack(plan, lambda line: print(f"· {line}", file=sys.stderr))  # noqa: T201 - progress
        stack.start()
        try:
            found = asyncio.run(rounds(stack, wishes.rounds))
        finally:
            stack.stop()
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 0
