"""Holds raised in place, cards and accounts looked at again without an event."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

MOMENT = sa.DateTime(timezone=True)
KINDS = "kind IN ('create', 'confirm', 'capture', 'cancel', 'refund', 'reverse', 'return', 'evidence'{})"


def upgrade() -> None:
    _raises()
    op.add_column("saved_card", sa.Column("looked_at", MOMENT))
    op.add_column("payout_account", sa.Column("look_due_at", MOMENT))
    op.execute("UPDATE payout_account SET look_due_at = now() WHERE provider_account_id IS NOT NULL")
    op.create_index(
        "ix_payout_account_look_due_at",
        "payout_account",
        ["look_due_at"],
        postgresql_where=sa.text("look_due_at IS NOT NULL"),
    )


def _raises() -> None:
    op.add_column("hold", sa.Column("incremental", sa.Boolean, nullable=False, server_default="false"))
    op.create_table(
        "hold_raise",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.id"), nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("client_key", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("from_minor", sa.Integer, nullable=False),
        sa.Column("to_minor", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.UniqueConstraint("hold_id", "n"),
        sa.CheckConstraint("state IN ('asked', 'granted', 'declined', 'given_up', 'late')", name="state"),
        sa.CheckConstraint("0 < from_minor AND from_minor < to_minor", name="larger"),
        sa.CheckConstraint("(state = 'asked') = (finished_at IS NULL)", name="finished"),
    )
    op.create_index("ix_hold_raise_one", "hold_raise", ["hold_id"], unique=True, postgresql_where="state = 'asked'")
    op.create_index(
        "ix_hold_raise_expires_at", "hold_raise", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    op.drop_constraint("kind", "command", type_="check")
    op.create_check_constraint("kind", "command", KINDS.format(", 'increment'"))


def downgrade() -> None:
    op.drop_constraint("kind", "command", type_="check")
    op.create_check_constraint("kind", "command", KINDS.format(""))
    op.drop_table("hold_raise")
    op.drop_column("hold", "incremental")
    op.drop_index("ix_payout_account_look_due_at", "payout_account")
    op.drop_column("payout_account", "look_due_at")
    op.drop_column("saved_card", "looked_at")
