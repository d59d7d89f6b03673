"""The tables of ``signaling``: calls, their participants, chat, presence."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

MOMENT = sa.DateTime(timezone=True)


def create_call() -> None:
    op.create_table(
        "call",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("reference", sa.Text, nullable=False, unique=True),
        sa.Column("request_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("question_id", sa.Uuid, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("close_reason", sa.Text),
        sa.Column("media_ready", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("live_at", MOMENT),
        sa.Column("ended_at", MOMENT),
        sa.Column("deadline_at", MOMENT),
        sa.Column("pause", sa.Text, nullable=False),
        sa.Column("pause_by", sa.Text),
        sa.Column("pause_since", MOMENT),
        sa.Column("chat_seq", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('preparing', 'live', 'interrupted', 'ended')", name="state"),
        sa.CheckConstraint("pause IN ('none', 'proposed', 'agreed')", name="pause"),
        sa.CheckConstraint("(pause = 'none') = (pause_by IS NULL)", name="pause_by"),
        sa.CheckConstraint("(state = 'ended') = (close_reason IS NOT NULL AND ended_at IS NOT NULL)", name="ended"),
        sa.CheckConstraint("customer_id <> consultant_id", name="two_people"),
    )
    op.create_index("ix_call_deadline_at", "call", ["deadline_at"], postgresql_where=sa.text("deadline_at IS NOT NULL"))
    op.create_index("ix_call_customer_id", "call", ["customer_id", "created_at"])
    op.create_index("ix_call_consultant_id", "call", ["consultant_id", "created_at"])
    # A consultant is in one call at a time, whatever two processes believe.
    op.create_index(
        "uq_call_one_per_consultant",
        "call",
        ["consultant_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'ended'"),
    )


def create_participant_and_chat() -> None:
    op.create_table(
        "call_participant",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("call.id"), primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("seen", sa.Boolean, nullable=False),
        sa.Column("last_seen_at", MOMENT),
        sa.Column("microphone", sa.Boolean, nullable=False),
        sa.Column("camera", sa.Boolean, nullable=False),
        sa.Column("screen", sa.Boolean, nullable=False),
        sa.CheckConstraint("role IN ('customer', 'consultant')", name="role"),
    )
    op.create_table(
        "call_peer",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("call.id"), primary_key=True),
        sa.Column("peer_id", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("joined_at", MOMENT, nullable=False),
        sa.Column("replaced_at", MOMENT),
        sa.CheckConstraint("role IN ('customer', 'consultant')", name="role"),
    )
    op.create_table(
        "chat_message",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("call.id"), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("author_id", sa.Uuid, nullable=False),
        sa.Column("author_role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.UniqueConstraint("call_id", "author_id", "client_id"),
        sa.CheckConstraint("author_role IN ('customer', 'consultant')", name="author_role"),
        sa.CheckConstraint("char_length(text) BETWEEN 1 AND 2000", name="text"),
    )


def create_presence() -> None:
    op.create_table(
        "presence",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("switched_on", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("away_reason", sa.Text),
        sa.Column("last_seen_at", MOMENT),
        sa.Column("call_id", sa.Uuid),
        sa.Column("span", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('offline', 'available', 'away', 'in_meeting', 'limited')", name="status"),
    )
    op.create_index(
        "ix_presence_last_seen_at",
        "presence",
        ["last_seen_at"],
        postgresql_where=sa.text("status IN ('available', 'away')"),
    )
    op.create_table(
        "presence_span",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("presence.user_id"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT),
    )


def upgrade() -> None:
    create_call()
    create_participant_and_chat()
    create_presence()


def downgrade() -> None:
    for table in ("presence_span", "presence", "chat_message", "call_peer", "call_participant", "call"):
        op.drop_table(table)
