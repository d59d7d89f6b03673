"""``./bench claims``: processes fight for consultants in real PostgreSQL, some are killed; then SQL judges.

*A claim* is one call of ``claims.claim``: it wins a ring or finds the consultant taken. ``--claims`` and ``claims`` in
the result count **only those that won**; ``claims_lost`` come on top. *Contended*: of sixty consultants all requests
want the same few (see ``claims_worker.WANTED``), so that many claims meet a phone that rings already or a row that
another process has locked; ``lost_share`` says how many. The processes share nothing but the database. They are paced
(``--rate``), since on a machine without a spare processor a time would be the time spent waiting for one.

Times, as the process that asks sees them, the first statements of new processes and connections included:
``claim_*``: the claim that won; ``lost_*``: one that did not; ``won_*``: the one that won with those that were lost
before it; ``whole_*``: the transaction from taking up the request to the commit. ``workers_cpu_ms`` and
``postgres_cpu_ms``: processor time for each ring, its answer and all that goes with it included.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

import psycopg

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import upgrade
from tests.bench.claims_fight import Fight
from tests.bench.vitals import lineage_cpu_s

CLAIMS_PER_REQUEST = 4.0  # 4.08 are to be expected (see claims_worker.ACCEPTED, FORGOTTEN): rather more than asked for
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
         now() + interval '5 seconds' + n * interval '1 second' / {rate}
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
SELECT count(*) FROM (
  SELECT began < max(ended) OVER (PARTITION BY consultant_id ORDER BY began
                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS twice FROM ring) r
 WHERE twice
"""
CHECKS = {
    "double_rings": OVERLAPS,
    "ended_twice": "SELECT count(*) FROM (SELECT FROM heard WHERE state <> 'ringing' GROUP BY offer_id "
    "HAVING count(*) > 1) r",
    "same_token_twice": "SELECT count(*) FROM (SELECT FROM offer GROUP BY consultant_id, token HAVING count(*) > 1) r",
    # A ring whose token is not its consultant's newest can never end: that phone would ring for ever.
    "fenced_off": "SELECT count(*) FROM offer o JOIN consultant c ON c.user_id = o.consultant_id "
    "WHERE o.state = 'ringing' AND o.token <> c.ring_token",
    "questions_lost": "SELECT count(*) FROM request r WHERE state <> 'matched' AND due_at IS NULL "
    "OR state = 'matched' AND ARRAY[r.call_id] <> "
    "ARRAY(SELECT o.id FROM offer o WHERE o.request_id = r.id AND o.state = 'accepted')",
    "questions_unanswered": "SELECT count(*) FROM request WHERE state <> 'matched'",
    "claims": "SELECT count(*) FROM offer",
    "leases_expired": "SELECT count(*) FROM offer WHERE state = 'missed'",
}
FORBIDDEN = (
    "double_rings",
    "ended_twice",
    "same_token_twice",
    "fenced_off",
    "questions_lost",
    "questions_unanswered",
    "crashed",
)


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
            before_s = lineage_cpu_s(_pid(cluster))
            took_s = fight.run()
            postgres_s = lineage_cpu_s(_pid(cluster)) - before_s
            found = {name: _one(admin, query) for name, query in CHECKS.items()}
        return {
            **found,
            "requests": requests,
            "killed": fight.killed,
            "frozen": fight.frozen,
            "crashed": fight.crashed,
            **_said(told),
            "postgres_cpu_ms": round(1_000 * postgres_s / max(1, found["claims"]), 2),
            **_load(took_s),
        }
    finally:
        cluster.stop()


def _pid(cluster: EmbeddedPostgres) -> int:
    assert cluster.pid is not None
    return cluster.pid


def _one(admin: psycopg.Connection[Any], query: str) -> int:
    row = admin.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _said(told: Path) -> dict[str, Any]:
    """What the processes measured; a killed one may have torn its last line."""
    by_process = [
        [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
        for path in told.glob("*.jsonl")
    ]
    said = [one for lines in by_process for one in lines]
    lost = [ms for one in said for ms in one.get("lost_ms", ())]
    won = [one for one in said if "claim_ms" in one]
    cpu_s = sum(max((one.get("cpu_s", 0.0) for one in lines), default=0.0) for lines in by_process)
    return {
        "claims_lost": len(lost),
        "lost_share": round(len(lost) / max(1, len(lost) + len(won)), 3),
        "late_answers_refused": sum("refused" in one for one in said),
        **_percentiles("claim", [one["claim_ms"] for one in won]),
        **_percentiles("lost", lost),
        **_percentiles("won", [one["won_ms"] for one in won]),
        **_percentiles("whole", [one["whole_ms"] for one in won]),
        "workers_cpu_ms": round(1_000 * cpu_s / max(1, len(won)), 2),
    }


def _percentiles(name: str, all_ms: list[float]) -> dict[str, float]:
    if len(all_ms) < 2:  # quantiles wants two
        return {}
    cuts = quantiles(all_ms, n=100, method="inclusive")
    return {f"{name}_p50_ms": round(cuts[49], 2), f"{name}_p99_ms": round(cuts[98], 2)}


def _load(took_s: float) -> dict[str, Any]:
    return {"took_s": round(took_s, 1), "cores": os.cpu_count(), "load_average": os.getloadavg()[0]}


def main(argv: Sequence[str] | None = None) -> int:
    """Entry of ``./bench claims``; 1 when anything of ``FORBIDDEN`` was seen."""
    parser = argparse.ArgumentParser(prog="./bench claims", description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--kill", type=int, default=12, help="processes killed on the way; each is replaced")
    parser.add_argument("--consultants", type=int, default=60)
    parser.add_argument("--rate", type=float, default=18.0, help="new requests a second, about four rings each")
    parser.add_argument("--limit-s", type=float, default=3_600.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durable", action="store_true", help="wait for the disk at every commit, as in production")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    wishes = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-claims-") as folder:
        Path(folder).chmod(0o755)  # PostgreSQL's own user must reach its cluster
        found = {"bench": "claims", **measure(wishes, Path(folder))}
    sys.stdout.write((json.dumps(found) if wishes.json else json.dumps(found, indent=2)) + "\n")
    return 1 if any(found[name] for name in FORBIDDEN) else 0


if __name__ == "__main__":
    raise SystemExit(main())
