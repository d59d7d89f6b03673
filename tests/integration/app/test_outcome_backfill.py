"""Calls accepted before outcomes were kept have theirs after the migration, with the counters they move."""

from uuid import uuid4

import psycopg
from alembic import command
from psycopg import sql

from app.embedded.postgres import EmbeddedPostgres
from app.migrate import config, upgrade

BEFORE = "0012"


def test_calls_of_before_become_outcomes_and_counters(postgres: EmbeddedPostgres) -> None:
    name = "outcome_backfill"
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres.url(name)
    command.upgrade(config(url), BEFORE)
    ids = {key: uuid4() for key in ("question", "request", "offer", "call", "customer", "consultant", "charge")}
    with psycopg.connect(url) as old:
        for statement in STORY:
            old.execute(statement, ids)
    upgrade(url)
    with psycopg.connect(url) as new:
        outcome = new.execute(
            "SELECT text, tags, connected, completed, connected_ms, stars, refunded, succeeded FROM outcome"
        ).fetchall()
        counters = new.execute("SELECT contacts, successes FROM consultant").fetchall()
    assert outcome == [("How is this taxed?\nA lot.", ["tax"], True, True, 700_000, None, False, True)]
    assert counters == [(1, 1)]


STORY = (
    """
    INSERT INTO consultant (user_id, headline, biography, tags, languages, time_zone, can_receive, status, rating_sum,
      rating_count, offers_received, offers_accepted, offers_declined, offers_missed, missed_in_a_row, calls,
      changed_in)
    VALUES (%(consultant)s, '', '', '{}', '{}', 'UTC', true, 'offline', 0, 0, 1, 1, 0, 0, 0, 0, 0)
    """,
    """
    INSERT INTO question (id, customer_id, title, details, language, tags, state, created_at, changed_at)
    VALUES (%(question)s, %(customer)s, 'How is this taxed?', 'A lot.', 'en', '{tax}', 'answered', now(), now())
    """,
    """
    INSERT INTO request (id, customer_id, question_id, idempotency_key, max_rate_minor_per_hour, currency, cap_minor,
      terms_version, consented_at, state, created_at, promise_at, give_up_at, waiting_over, call_id, call_ended_at)
    VALUES (%(request)s, %(customer)s, %(question)s, %(request)s, 9000, 'eur', 6000, '1', now(), 'matched', now(),
      now(), now(), false, %(call)s, now())
    """,
    """
    INSERT INTO offer (id, request_id, consultant_id, state, rate_minor_per_hour, currency, score_centi, reasons,
      created_at, rings_until, answered_at)
    VALUES (%(offer)s, %(request)s, %(consultant)s, 'accepted', 9000, 'eur', 0, '[]', now(), now(), now())
    """,
    """
    INSERT INTO charge (id, call_id, reference, customer_id, consultant_id, created_at, currency, rate_minor_per_hour,
      policy, policy_version, threshold_ms, commission_bps, tax_mode, tax_rate_bps, snapshot_cap_minor, terms_version,
      consented_at, state, cap_minor, marked_ms, connected_ms, billed_ms, gross_minor, commission_minor, net_minor,
      captured_minor, settled_at)
    VALUES (%(charge)s, %(call)s, 'CC-20260101-7KQ2', %(customer)s, %(consultant)s, now(), 'eur', 9000, 'whole_call',
      '1', 600000, 1500, 'inclusive', 0, 6000, '1', now(), 'captured', 6000, 0, 700000, 700000, 1750, 263, 1487, 1750,
      now())
    """,
)
