"""``./bench claims``: processes fight for consultants in real PostgreSQL, some are killed; then SQL judges."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import upgrade

PROJECT = Path(__file__).parents[2]
CLAIMS_PER_REQUEST = 3.9  # a quarter of the rings is accepted
FROZEN_S = 2.5  # longer than a lease: whoever wakes up holds tokens that are old
SEED_SQL = """
INSERT INTO question (id, customer_id, title, details, language, tags, state, created_at, changed_at)
  VALUES ('00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'Who is free?', '', 'en', '{{}}', 'open',
          now(), now());
INSERT INTO consultant (user_id, headline, biography, tags, languages, time_zone, rate_minor_per_hour, currency,
    can_receive, status, rating_sum, rating_count, offers_received, offers_accepted, offers_declined, offers_missed,
    missed_in_a_row, calls, changed_in)
  SELECT gen_random_uuid(), '', '', '{{}}', '{{}}', 'UTC', 6000, 'eur', true, 'available', 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM generate_series(1, {consultants});
INSERT INTO request (id, customer_id, question_id, idempotency_key, max_rate_minor_per_hour, currency, cap_minor,
    terms_version, consented_at, state, created_at, promise_at, give_up_at, waiting_over, due_at)
  SELECT gen_random_uuid(), gen_random_uuid(), '00000000-0000-0000-0000-000000000001', gen_random_uuid(), 9000, 'eur',
         4500, '1', now(), 'ringing', now(), now(), now() + interval '1 day', false,
         now() + interval '3 seconds' + n * interval '1 second' / {rate}
    FROM generate_series(1, {requests}) n;
CREATE TABLE heard (n bigserial, consultant_id uuid, offer_id uuid, token bigint, state text, at timestamptz);
CREATE FUNCTION hear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO heard (consultant_id, offer_id, token, state, at)
    VALUES (NEW.consultant_id, NEW.id, NEW.token, NEW.state, clock_timestamp());
  RETURN NULL;
END $$;
CREATE TRIGGER hear AFTER INSERT OR UPDATE ON offer FOR EACH ROW EXECUTE FUNCTION hear();
"""
# The judge reads the trigger's record, which no claim ever reads: what began and ended, on the database's own clock.
OVERLAPS = """
WITH ring AS (
  SELECT consultant_id, token, min(at) FILTER (WHERE state = 'ringing') began,
         coalesce(min(at) FILTER (WHERE state <> 'ringing'), 'infinity') ended
    FROM heard GROUP BY consultant_id, token)
SELECT count(*) FROM (SELECT began < lag(ended) OVER (PARTITION BY consultant_id ORDER BY began) AS twice FROM ring) r
 WHERE twice
"""
CHECKS = {
    "double_rings": OVERLAPS,
    "ended_twice": "SELECT count(*) FROM (SELECT FROM heard WHERE state <> 'ringing' GROUP BY offer_id "
    "HAVING count(*) > 1) r",
    "same_token_twice": "SELECT count(*) FROM (SELECT FROM offer GROUP BY consultant_id, token HAVING count(*) > 1) r",
    "questions_lost": "SELECT count(*) FROM request r WHERE state <> 'matched' AND due_at IS NULL "
    "OR state = 'matched' AND 1 <> (SELECT count(*) FROM offer o WHERE o.request_id = r.id AND o.state = 'accepted')",
    "questions_unanswered": "SELECT count(*) FROM request WHERE state <> 'matched'",
    "claims": "SELECT count(*) FROM offer",
    "leases_expired": "SELECT count(*) FROM offer WHERE state = 'missed'",
}


class Fight:
    """The processes, and what befalls them."""

    def __init__(self, url: str, folder: Path, wishes: argparse.Namespace) -> None:
        self._url, self._folder, self._wishes = url, folder, wishes
        self._chance = random.Random(wishes.seed)  # noqa: S311 - no secret
        self._running: list[subprocess.Popen[bytes]] = []
        self._started = 0
        self._read: dict[Path, int] = {}
        self._counted = 0
        self.killed = self.frozen = 0

    def run(self) -> float:
        """Until everybody is done or the time is over; returns the seconds it took."""
        began = time.monotonic()
        fates = self._fates()
        for _ in range(self._wishes.processes):
            self._start()
        try:
            while self._running and time.monotonic() - began < self._wishes.limit_s:
                time.sleep(0.2)  # the bench's own beat
                while fates and self._claims() >= fates[0]:
                    fates.pop(0)
                    self._befall()
                self._running = [one for one in self._running if one.poll() is None]
        finally:
            for one in self._running:
                one.kill()
                one.wait()
        return time.monotonic() - began

    def _fates(self) -> list[int]:
        """After how many claims the next process is killed; spread over the run."""
        kills, claims = self._wishes.kill, self._wishes.claims
        return [round(claims * (n + 0.5) / (kills + 0.5)) for n in range(kills)]

    def _claims(self) -> int:
        """How many lines were told by now; what was counted once is not read again."""
        for path in self._folder.glob("*.jsonl"):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                self._counted += file.read().count(b"\n")
                self._read[path] = file.tell()
        return self._counted

    def _start(self) -> None:
        self._started += 1
        told = self._folder / f"{self._started}.jsonl"
        command = [sys.executable, "-m", "tests.bench.claims_worker", self._url, str(self._started), str(told)]
        self._running.append(subprocess.Popen(command, cwd=PROJECT))

    def _befall(self) -> None:
        """Kill one at once and start another; every third time another one is frozen beyond its leases."""
        alive = [one for one in self._running if one.poll() is None]
        if not alive:
            return
        one = self._chance.choice(alive)
        one.kill()
        one.wait()
        self.killed += 1
        self._start()
        if self.killed % 3 == 0 and len(alive) > 1:
            other = self._chance.choice([each for each in alive if each is not one])
            other.send_signal(signal.SIGSTOP)
            time.sleep(FROZEN_S)  # that is what being frozen means
            other.send_signal(signal.SIGCONT)
            self.frozen += 1


def measure(wishes: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Set the market up, let them fight, ask the database what happened."""
    cluster = EmbeddedPostgres(folder / "postgres", throwaway=not wishes.durable)
    cluster.start()
    try:
        upgrade(cluster.url())
        told = folder / "told"
        told.mkdir()
        requests = round(wishes.claims / CLAIMS_PER_REQUEST)
        with psycopg.connect(cluster.url(), autocommit=True) as admin:
            admin.execute(SEED_SQL.format(consultants=wishes.consultants, requests=requests, rate=wishes.rate).encode())
            fight = Fight(cluster.url(), told, wishes)
            took_s = fight.run()
            found = {name: _one(admin, query) for name, query in CHECKS.items()}
        return {
            **found,
            "requests": requests,
            "killed": fight.killed,
            "frozen": fight.frozen,
            **_times(told),
            **_load(took_s),
        }
    finally:
        cluster.stop()


def _one(admin: psycopg.Connection[Any], query: str) -> int:
    row = admin.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _times(told: Path) -> dict[str, Any]:
    """Percentiles of the claim alone and of the whole transaction; a killed process may have torn its last line."""
    lines = [line for path in told.glob("*.jsonl") for line in path.read_text().splitlines() if line.endswith("}")]
    said = [json.loads(line) for line in lines]
    found: dict[str, Any] = {"late_answers_refused": sum("refused" in one for one in said)}
    for name in ("claim_ms", "whole_ms"):
        cuts = quantiles([one[name] for one in said if name in one], n=100, method="inclusive")
        found |= {f"{name[:-3]}_p50_ms": round(cuts[49], 2), f"{name[:-3]}_p99_ms": round(cuts[98], 2)}
    return found


def _load(took_s: float) -> dict[str, Any]:
    return {"took_s": round(took_s, 1), "cores": os.cpu_count(), "load_average": os.getloadavg()[0]}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench claims``; 1 when anybody was rung twice at once or a question was lost."""
    parser = argparse.ArgumentParser(prog="./bench claims", description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kill", type=int, default=12, help="processes killed on the way; each is replaced")
    parser.add_argument("--consultants", type=int, default=60)
    parser.add_argument("--rate", type=float, default=100.0, help="new requests a second, about four claims each")
    parser.add_argument("--limit-s", type=float, default=3_600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durable", action="store_true", help="wait for the disk at every commit, as in production")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-claims-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's own user must reach its cluster
        found = {"bench": "claims", **measure(wishes, Path(folder))}
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return (
        1 if any(found[name] for name in ("double_rings", "ended_twice", "same_token_twice", "questions_lost")) else 0
    )


if __name__ == "__main__":
    raise SystemExit(main())
