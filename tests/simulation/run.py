"""``python -m tests.simulation.run --seeds 10000 --from 0 --jobs 2``: play many seeds; ``--seed N --trace`` one."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psycopg
import uvloop
from psycopg import sql

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import upgrade
from core import logs
from tests.simulation.play import Outcome, Play, describe
from tests.simulation.script import Script, draw, paid
from tests.simulation.studio import Studio

_EVERY_S = 10.0


async def play(studio: Studio, script: Script) -> Outcome:
    """One script on a studio; what a failed one left undone is swept away."""
    outcome = await Play(script, studio).run()
    if outcome.violations:
        studio.sweep()
    return outcome


async def _part(database_url: str, first: int, number: int, stride: int, drawn: Callable[[int], Script]) -> int:
    """Play every ``stride``-th seed and report each as a line of JSON."""
    studio = Studio(database_url)
    await studio.open()
    for seed in range(first, number, stride):
        outcome = await play(studio, drawn(seed))
        facts = {"seed": seed, "calls": outcome.calls, "captured": outcome.captured, "wrong": outcome.violations}
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
    await studio.close()
    return 0


async def _one(database_url: str, script: Script, *, trace: bool) -> int:
    studio = Studio(database_url)
    await studio.open()
    outcome = await play(studio, script)
    await studio.close()
    sys.stdout.write(describe(script) + "\n")
    if trace:
        sys.stdout.write("\n".join(outcome.trace) + "\n")
    for wrong in outcome.violations:
        sys.stdout.write(f"✗ {wrong}\n")
    sys.stdout.write(f"{'✗' if outcome.violations else '✓'} seed {script.seed}: {len(outcome.trace)} steps\n")
    return 1 if outcome.violations else 0


def _many(cluster: EmbeddedPostgres, first: int, seeds: int, jobs: int, *more: str) -> int:
    began = said = time.monotonic()
    done = calls = captured = 0
    wrong: dict[int, list[str]] = {}
    parts = []
    for job in range(jobs):
        command = [sys.executable, "-m", "tests.simulation.run", "--part", str(job), "--jobs", str(jobs)]
        command += ["--from", str(first), "--seeds", str(seeds), "--database-url", database(cluster), *more]
        parts.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    for fact in _lines(parts):
        done, calls, captured = done + 1, calls + fact["calls"], captured + fact["captured"]
        if fact["wrong"]:
            wrong[fact["seed"]] = fact["wrong"]
            sys.stdout.write(f"✗ seed {fact['seed']}: {'; '.join(fact['wrong'])}\n")
        if time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            sys.stdout.write(f"  {done} seeds, {len(wrong)} wrong, {done / (said - began):.1f}/s\n")
        sys.stdout.flush()
    spent = time.monotonic() - began
    broken = any(part.wait() for part in parts)
    good = not wrong and not broken and done == seeds
    sys.stdout.write(
        f"{'✓' if good else '✗'} {done} seeds from {first}: {calls} calls, {captured} minor units captured, "
        f"{len(wrong)} seeds with violations{' ' + str(sorted(wrong)) if wrong else ''}, {spent:.0f} s, "
        f"{done / spent:.1f} seeds/s\n"
    )
    return 0 if good else 1


def _lines(parts: "list[subprocess.Popen[str]]"):  # type: ignore[no-untyped-def]  # noqa: ANN202
    import selectors  # noqa: PLC0415 - only here

    with selectors.DefaultSelector() as selector:
        for n, part in enumerate(parts):
            assert part.stdout is not None
            selector.register(part.stdout, selectors.EVENT_READ, n)
        while selector.get_map():
            for key, _ in selector.select():
                line = key.fileobj.readline()  # type: ignore[union-attr]
                if line:
                    yield json.loads(line)
                    continue
                selector.unregister(key.fileobj)
                if parts[key.data].wait():  # it said why; what the others find would not be all seeds
                    for part in parts:
                        part.terminate()
                    return


def database(cluster: EmbeddedPostgres) -> str:
    """A fresh copy of the migrated template."""
    name = f"simulation_{uuid4().hex[:12]}"
    with psycopg.connect(cluster.url(), autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template_migrated STRATEGY file_copy").format(sql.Identifier(name))
        )
    return cluster.url(name)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.run", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--paid", action="store_true", help="one paid call each: only what comes after it differs")
    parser.add_argument("--trace", action="store_true", help="print every step of it")
    parser.add_argument("--part", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--database-url", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Start a cluster of its own and play."""
    given = arguments()
    logs.configure("simulation", level="ERROR")
    drawn = paid if given.paid else draw
    if given.part is not None:
        last = given.first + given.seeds
        return uvloop.run(_part(given.database_url, given.first + given.part, last, given.jobs, drawn))
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            Path(folder).chmod(0o755)
        cluster = EmbeddedPostgres(Path(folder) / "postgres", throwaway=True)
        cluster.start()
        try:
            with psycopg.connect(cluster.url(), autocommit=True) as admin:
                admin.execute("CREATE DATABASE template_migrated")
            upgrade(cluster.url("template_migrated"))
            if given.seed is not None:
                return uvloop.run(_one(database(cluster), drawn(given.seed), trace=given.trace))
            return _many(cluster, given.first, given.seeds, given.jobs, *(["--paid"] if given.paid else []))
        finally:
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
