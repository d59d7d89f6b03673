"""Outcomes of accepted rings, the counters they move, and the versions of the ranking model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"

MOMENT = sa.DateTime(timezone=True)

# What is known already of calls that were accepted before: an outcome has all its facts in other tables.
BACKFILL = """
INSERT INTO outcome (call_id, question_id, consultant_id, text, tags, language, asked_at, accepted_at,
                     connected, completed, connected_ms, stars, refunded, ended_at, changed_in)
SELECT r.call_id, q.id, o.consultant_id, q.title || E'\\n' || q.details, q.tags, q.language, q.created_at,
       coalesce(o.answered_at, r.created_at),
       coalesce(c.connected_ms, 0) > 0
         OR EXISTS (SELECT FROM request_stage s WHERE s.request_id = r.id AND s.stage = 'connected'),
       coalesce(c.connected_ms >= c.threshold_ms, false), coalesce(c.connected_ms, 0),
       g.stars, coalesce(c.refunded_minor > 0, false), r.call_ended_at, 0
FROM request r
JOIN question q ON q.id = r.question_id
JOIN offer o ON o.request_id = r.id AND o.state = 'accepted'
LEFT JOIN charge c ON c.call_id = r.call_id
LEFT JOIN rating g ON g.call_id = r.call_id AND g.ratee_id = o.consultant_id
WHERE r.call_id IS NOT NULL
"""
COUNT = """
UPDATE consultant SET contacts = found.contacts, successes = found.successes
FROM (SELECT consultant_id, count(*) FILTER (WHERE connected) AS contacts,
             count(*) FILTER (WHERE completed AND NOT refunded AND coalesce(stars, 5) >= 4) AS successes
      FROM outcome GROUP BY consultant_id) AS found
WHERE found.consultant_id = consultant.user_id
"""


def upgrade() -> None:
    for counter in ("contacts", "successes"):
        op.add_column("consultant", sa.Column(counter, sa.Integer, nullable=False, server_default="0"))
    op.create_table(
        "outcome",
        sa.Column("call_id", sa.Uuid, primary_key=True),
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("question.id"), nullable=False),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("accepted_at", MOMENT, nullable=False),
        sa.Column("connected", sa.Boolean, nullable=False),
        sa.Column("completed", sa.Boolean, nullable=False),
        sa.Column("connected_ms", sa.BigInteger, nullable=False),
        sa.Column("stars", sa.Integer),
        sa.Column("refunded", sa.Boolean, nullable=False),
        sa.Column("ended_at", MOMENT),
        sa.Column("changed_in", sa.BigInteger, nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
        sa.CheckConstraint("connected_ms >= 0", name="connected_ms"),
    )
    op.create_index("ix_outcome_changed_in", "outcome", ["changed_in"])
    op.create_index("ix_outcome_question", "outcome", ["question_id", "consultant_id"])
    op.create_index("ix_outcome_accepted_at", "outcome", ["accepted_at"])
    op.execute(
        "CREATE TRIGGER outcome_changed BEFORE INSERT OR UPDATE ON outcome "
        "FOR EACH ROW EXECUTE FUNCTION consultant_changed()"
    )
    op.execute(BACKFILL)
    op.execute(COUNT)


def downgrade() -> None:
    op.drop_table("outcome")
    for counter in ("contacts", "successes"):
        op.drop_column("consultant", counter)
