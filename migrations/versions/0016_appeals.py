"""Disputes that turned, webhooks whose work failed, comparisons in parts."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("dispute", sa.Column("turns", sa.Integer, nullable=False, server_default="0"))
    op.add_column("stripe_event", sa.Column("failures", sa.Integer, nullable=False, server_default="0"))
    op.add_column("provider_line", sa.Column("charge_id", sa.Uuid))
    op.create_table(
        "reconciliation_part",
        sa.Column("run_id", sa.Uuid, sa.ForeignKey("reconciliation_run.id"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("closing", sa.Boolean, nullable=False),
        sa.Column("consultant_id", sa.Uuid),
        sa.Column("account_id", sa.Text),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("checked", sa.Integer, nullable=False, server_default="0"),
        sa.Column("differences", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index(
        "ix_reconciliation_part_due",
        "reconciliation_part",
        ["run_id", "due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("reconciliation_part")
    op.drop_column("provider_line", "charge_id")
    op.drop_column("stripe_event", "failures")
    op.drop_column("dispute", "turns")
