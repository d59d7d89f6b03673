"""Fencing tokens on rings, credits for a missed promise, and the wish to be told when somebody is online."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

MOMENT = sa.DateTime(timezone=True)
STAGES = "'requested', 'ringing', 'missed', 'declined', 'accepted', 'connected'"


def upgrade() -> None:
    op.add_column("consultant", sa.Column("ring_token", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("offer", sa.Column("token", sa.BigInteger, nullable=False, server_default="0"))
    op.drop_constraint("stage", "request_stage", type_="check")
    op.create_check_constraint("stage", "request_stage", f"stage IN ({STAGES}, 'hold')")
    op.create_table(
        "promise_credit",
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("request.id"), primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("missed_at", MOMENT, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
    )
    op.create_index("ix_promise_credit_customer", "promise_credit", ["customer_id", "missed_at"])
    op.create_table(
        "online_wish",
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("question.id"), primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("told_at", MOMENT),
        sa.Column("consultant_id", sa.Uuid),
        sa.CheckConstraint("(told_at IS NULL) = (consultant_id IS NULL)", name="told"),
    )
    op.create_index("ix_online_wish_customer", "online_wish", ["customer_id"])
    op.create_index("ix_online_wish_due", "online_wish", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("online_wish")
    op.drop_table("promise_credit")
    op.execute("DELETE FROM request_stage WHERE stage = 'hold'")
    op.drop_constraint("stage", "request_stage", type_="check")
    op.create_check_constraint("stage", "request_stage", f"stage IN ({STAGES})")
    op.drop_column("offer", "token")
    op.drop_column("consultant", "ring_token")
