"""Real processes, real ``kill -9``, a Stripe that misbehaves; then every cent is looked for from outside."""

import argparse
import asyncio
import json
import math
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from people.origin import Origin
from tests.bench.chaos.books import Findings, reconcile
from tests.bench.chaos.people import Pair, Session
from tests.bench.chaos.script import RATE_MINOR, Script, scripts
from tests.bench.chaos.trouble import Faults, Killer, supervise
from tests.bench.chaos.watch import Watch
from tests.bench.stage import Two, background, house_of, people
from web.context import House

SETTINGS = {
    "RATE_LIMIT_LOGIN_PER_MIN": "1000",
    "RATE_LIMIT_API_PER_MIN": "50000",
    # Shorter spans of the same rules: nobody waits for a minute for somebody who will not come.
    "LOST_S": "30",
    "RESCUE_S": "20",
    "PREPARE_JOIN_S": "40",
    "AUTHENTICATE_S": "40",
}
MANY = 100  # sessions from which on a run waits for what only five minutes decide
QUIET_S, LONG_QUIET_S = 60.0, 420.0


async def chaos(stack: Stack, wishes: argparse.Namespace) -> dict[str, Any]:
    """Play all sessions while processes die; wait for quiet; reconcile."""
    began = time.monotonic()
    lanes = min(wishes.lanes, wishes.sessions)
    async with house_of(stack) as house:
        made = await people(house, lanes, RATE_MINOR)
        await keep_apart(house, made)
    pairs = [Pair(stack.url, one.customer, one.consultant, str(one.consultant_id)) for one in made]
    watch = Watch(stack.env["DATABASE_URL"])
    killer = Killer(stack, random.Random(f"kills {wishes.seed}"), wishes.kills, watch.note_kill)  # noqa: S311
    many = wishes.sessions >= MANY
    faults = Faults(stack.sandbox_url, random.Random(f"faults {wishes.seed}"), sticky=many)  # noqa: S311
    run = Run(scripts(wishes.sessions, wishes.seed), killer, wishes.kills, lanes)
    async with background(supervise(stack)), background(watch.run()):
        async with AsyncExitStack() as entered, background(faults.run()):
            ready = [await entered.enter_async_context(pair) for pair in pairs]
            killing = asyncio.create_task(killer.run())
            await asyncio.gather(*(run.lane(pair) for pair in ready))
            await killing
        played_s = time.monotonic() - began
        left = await watch.settle(LONG_QUIET_S if many else QUIET_S)
        found = await reconcile(stack.env["DATABASE_URL"], stack.sandbox_url, run.sessions)
    if left:
        found.odd(f"{left} rows are unfinished")
    for line in [*run.troubles, *found.lines]:
        sys.stderr.write(f"! {line}\n")
    return _figures(wishes, watch, killer, faults, run, found, played_s, time.monotonic() - began)


async def keep_apart(house: House, made: Sequence[Two]) -> None:
    """Each customer blocks the consultants of the other pairs.

    Otherwise somebody whose consultant is busy rings another pair's, who pays no heed, is taken offline for it, and is
    missing to their own customer in turn: on a slow machine most rings went that way.
    """
    for one in made:
        for other in made:
            if one is not other:
                async with house.db.begin() as tx:
                    await house.blocks.add(tx, one.customer_id, other.consultant_id, Origin())


class Run:
    """Hands out the scripts and keeps what became of them.

    Sessions and kills wait for one another: the kills fall into sessions from the first to the last.
    """

    def __init__(self, todo: list[Script], killer: Killer, kills: int, lanes: int) -> None:
        self._todo, self._all = todo[::-1], len(todo)
        self._killer, self._kills, self._ahead = killer, kills, lanes
        self.sessions: list[Session] = []
        self.troubles: list[str] = []

    async def lane(self, pair: Pair) -> None:
        """One pair, one session after the other."""
        while self._todo:
            script = self._todo.pop()
            await self._killer.allow(math.ceil(self._kills * (script.number + 1) / self._all))
            await self._killer.reached(self._kills * (script.number - self._ahead) // self._all)
            try:
                self.sessions.append(await pair.play(script))
            except (AssertionError, aiohttp.ClientError, OSError, TimeoutError) as error:
                self.troubles.append(f"session {script.number} was not played: {type(error).__name__}: {error}")


def _figures(
    wishes: argparse.Namespace,
    watch: Watch,
    killer: Killer,
    faults: Faults,
    run: Run,
    found: Findings,
    played_s: float,
    seconds: float,
) -> dict[str, Any]:
    slow = watch.recovered_s or [0.0]
    return {
        "bench": "chaos",
        "seed": wishes.seed,
        "sessions": len(run.sessions),
        "not_played": len(run.troubles),
        "double": found.double,
        "lost": found.lost,
        "imbalance_minor": found.imbalance_minor,
        "unexplained": found.unexplained + len(run.troubles) + watch.held_up,
        "recovered_s_max": round(max(slow), 1),
        "recovered_s_p50": round(statistics.median(slow), 1),
        "slowest": watch.slowest[1].partition(":")[0],
        "kills": killer.done,
        "killed": dict(killer.by_name),
        "faults": faults.added,
        "captured_minor": found.captured_minor,
        "credited_minor": found.credited_minor,
        "states": dict(found.states),
        "close_reasons": dict(found.reasons),
        "strays": found.strays,
        "played_s": round(played_s, 1),
        "seconds": round(seconds, 1),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench chaos``; 1 when a requirement of R1 is missed."""
    parser = argparse.ArgumentParser(prog="./bench chaos", description=__doc__)
    parser.add_argument("--sessions", type=int, default=40)
    parser.add_argument("--kills", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lanes", type=int, default=10, help="pairs of people who talk at the same time")
    parser.add_argument("--keep", type=Path, help="a folder that keeps logs and data")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-chaos-") as folder:
        stack = Stack(
            Plan(
                data=wishes.keep or Path(folder),
                port=free_port(),
                environment="test",
                robot=False,
                seed=False,
                throwaway=True,
                media_nodes=2,
                settings=SETTINGS,
            ),
            lambda line: print(f"· {line}", file=sys.stderr),  # noqa: T201 - progress
        )
        stack.start()
        try:
            found = asyncio.run(chaos(stack, wishes))
        finally:
            stack.stop()
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    exact = not (found["double"] or found["lost"] or found["imbalance_minor"] or found["unexplained"])
    return 0 if exact and found["recovered_s_max"] <= 30 else 1
