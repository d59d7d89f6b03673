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
             count(*) FILTER (WHERE succeeded) AS successes
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
        sa.Column(
            "succeeded",
            sa.Boolean,
            sa.Computed("completed AND NOT refunded AND coalesce(stars, 5) >= 4", persisted=True),
            nullable=False,
        ),
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
    _models()


def _models() -> None:
    op.create_table(
        "ranking_model",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("trained_from", MOMENT),
        sa.Column("trained_to", MOMENT),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("metrics", postgresql.JSONB, nullable=False),
        sa.Column("reasons", postgresql.JSONB, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("promoted_at", MOMENT),
        sa.Column("promoted_by", sa.Uuid),
        sa.Column("reason", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('active', 'candidate', 'rejected', 'retired')", name="state"),
        sa.CheckConstraint("state <> 'active' OR promoted_at IS NOT NULL", name="active_was_promoted"),
        sa.CheckConstraint("(trained_from IS NULL) = (trained_to IS NULL)", name="trained"),
    )
    # Exactly one version ranks: the database refuses a second.
    op.create_index(
        "uq_ranking_model_active",
        "ranking_model",
        ["state"],
        unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "refit",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("started_by", sa.Uuid),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("outcome", sa.Text),
        sa.Column("version", sa.Text, sa.ForeignKey("ranking_model.version")),
        sa.Column("training", sa.Integer, nullable=False),
        sa.Column("holdout", sa.Integer, nullable=False),
        sa.CheckConstraint("stage IN ('waiting', 'reading', 'fitting', 'judging', 'figures', 'done')", name="stage"),
        sa.CheckConstraint("outcome IN ('promoted', 'rejected', 'candidate', 'too_few', 'given_up')", name="outcome"),
        sa.CheckConstraint("(finished_at IS NULL) = (outcome IS NULL)", name="finished_with_outcome"),
    )
    op.create_index("ix_refit_started_at", "refit", ["started_at"])
    op.create_index(
        "uq_refit_running",
        "refit",
        [sa.text("(finished_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "matching_day",
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("model_version", sa.Text, primary_key=True),
        sa.Column("figures", postgresql.JSONB, nullable=False),
        sa.Column("computed_at", MOMENT, nullable=False),
    )
    op.create_index("ix_question_created_at", "question", ["created_at"])
    op.create_index("ix_request_question", "request", ["question_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_request_question", "request")
    op.drop_index("ix_question_created_at", "question")
    for table in ("matching_day", "refit", "ranking_model"):
        op.drop_table(table)
    op.drop_table("outcome")
    for counter in ("contacts", "successes"):
        op.drop_column("consultant", counter)
