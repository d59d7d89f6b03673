"""The tables of ``matching``: questions, the consultant projection, matches, requests and offers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)
WORDS = postgresql.ARRAY(sa.Text)

STAMP = """
CREATE FUNCTION consultant_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_in := pg_current_xact_id()::text::bigint;
  RETURN NEW;
END $$
"""


def upgrade() -> None:
    _questions()
    _consultants()
    _requests()
    _offers()


def _questions() -> None:
    op.create_table(
        "question",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("tags", WORDS, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.CheckConstraint("state IN ('open', 'withdrawn', 'answered')", name="state"),
    )
    op.create_index("ix_question_customer", "question", ["customer_id", "created_at"])
    op.create_table(
        "question_match",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("question.id"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("inputs", postgresql.JSONB, nullable=False),
        sa.Column("results", postgresql.JSONB, nullable=False),
        sa.CheckConstraint("purpose IN ('shown', 'ring')", name="purpose"),
    )
    op.create_index("ix_question_match_question", "question_match", ["question_id", "id"])


def _consultants() -> None:
    op.create_table(
        "consultant",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("biography", sa.Text, nullable=False),
        sa.Column("tags", WORDS, nullable=False),
        sa.Column("languages", WORDS, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("rate_minor_per_hour", sa.Integer),
        sa.Column("currency", sa.Text),
        sa.Column("can_receive", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("rating_sum", sa.Integer, nullable=False),
        sa.Column("rating_count", sa.Integer, nullable=False),
        sa.Column("response_ms", sa.Integer),
        sa.Column("offers_received", sa.Integer, nullable=False),
        sa.Column("offers_accepted", sa.Integer, nullable=False),
        sa.Column("offers_declined", sa.Integer, nullable=False),
        sa.Column("offers_missed", sa.Integer, nullable=False),
        sa.Column("missed_in_a_row", sa.Integer, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("changed_in", sa.BigInteger, nullable=False),
        sa.CheckConstraint("status IN ('offline', 'available', 'away', 'in_meeting', 'limited')", name="status"),
        sa.CheckConstraint("rating_sum BETWEEN rating_count AND 5 * rating_count", name="rating"),
    )
    op.create_index("ix_consultant_changed_in", "consultant", ["changed_in"])
    op.execute(STAMP)
    op.execute(
        "CREATE TRIGGER consultant_changed BEFORE INSERT OR UPDATE ON consultant "
        "FOR EACH ROW EXECUTE FUNCTION consultant_changed()"
    )
    op.create_table(
        "customer_standing",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("rating_sum", sa.Integer, nullable=False),
        sa.Column("rating_count", sa.Integer, nullable=False),
    )
    op.create_table(
        "match_block",
        sa.Column("blocker_id", sa.Uuid, primary_key=True),
        sa.Column("blocked_id", sa.Uuid, primary_key=True),
    )
    op.create_index("ix_match_block_blocked", "match_block", ["blocked_id"])


def _requests() -> None:
    op.create_table(
        "request",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("question.id"), nullable=False),
        sa.Column("chosen_id", sa.Uuid),
        sa.Column("idempotency_key", sa.Uuid, nullable=False),
        sa.Column("max_rate_minor_per_hour", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("cap_minor", sa.Integer, nullable=False),
        sa.Column("terms_version", sa.Text, nullable=False),
        sa.Column("consented_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("promise_at", MOMENT, nullable=False),
        sa.Column("give_up_at", MOMENT, nullable=False),
        sa.Column("waiting_over", sa.Boolean, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("close_reason", sa.Text),
        sa.Column("call_id", sa.Uuid, unique=True),
        sa.Column("call_ended_at", MOMENT),
        sa.UniqueConstraint("customer_id", "idempotency_key"),
        sa.CheckConstraint("state IN ('ringing', 'matched', 'cancelled', 'exhausted')", name="state"),
        sa.CheckConstraint("(state = 'matched') = (call_id IS NOT NULL)", name="matched_has_call"),
        sa.CheckConstraint("max_rate_minor_per_hour > 0 AND cap_minor > 0", name="amounts"),
    )
    # One open request, or one running call, per customer: the database keeps it, whatever the clients do.
    op.create_index(
        "uq_request_active",
        "request",
        ["customer_id"],
        unique=True,
        postgresql_where=sa.text("state = 'ringing' OR (state = 'matched' AND call_ended_at IS NULL)"),
    )
    op.create_index(
        "ix_request_due", "request", ["due_at"], postgresql_where=sa.text("state = 'ringing' AND due_at IS NOT NULL")
    )
    op.create_index("ix_request_customer", "request", ["customer_id", "created_at"])
    op.create_table(
        "request_stage",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("request.id"), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("consultant_id", sa.Uuid),
        sa.CheckConstraint(
            "stage IN ('requested', 'ringing', 'missed', 'declined', 'accepted', 'connected')", name="stage"
        ),
    )
    op.create_index("ix_request_stage_request", "request_stage", ["request_id", "id"])


def _offers() -> None:
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("request.id"), nullable=False),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("rate_minor_per_hour", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("match_id", sa.BigInteger, sa.ForeignKey("question_match.id")),
        sa.Column("score_centi", sa.Integer, nullable=False),
        sa.Column("reasons", postgresql.JSONB, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("rings_until", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT),
        sa.Column("decline_reason", sa.Text),
        sa.Column("decline_note", sa.Text),
        sa.UniqueConstraint("request_id", "consultant_id"),
        sa.CheckConstraint(
            "state IN ('ringing', 'accepted', 'declined', 'missed', 'withdrawn', 'taken')", name="state"
        ),
    )
    # A consultant hears one ring at a time, and a request is accepted once.
    op.create_index(
        "uq_offer_ringing", "offer", ["consultant_id"], unique=True, postgresql_where=sa.text("state = 'ringing'")
    )
    op.create_index(
        "uq_offer_accepted", "offer", ["request_id"], unique=True, postgresql_where=sa.text("state = 'accepted'")
    )


def downgrade() -> None:
    for table in ("offer", "request_stage", "request", "match_block", "customer_standing", "consultant"):
        op.drop_table(table)
    op.execute("DROP FUNCTION consultant_changed()")
    op.drop_table("question_match")
    op.drop_table("question")
