"""Adjustments: bills that are waived and entries that correct the books, each asked for by somebody."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

MOMENT = sa.DateTime(timezone=True)
STATES = "state IN ('trying', 'paid', 'given_up'{})"
KINDS = "kind IN ('refund', 'release'{})"


def upgrade() -> None:
    op.create_table(
        "adjustment",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("destination", sa.Text),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Uuid, nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("state IN ('awaiting', 'rejected', 'booked')", name="state"),
        sa.CheckConstraint(
            "(kind = 'correction') = (source IS NOT NULL) AND (source IS NULL) = (destination IS NULL)"
            " AND kind IN ('waive', 'correction')",
            name="kind",
        ),
    )
    op.create_index("ix_adjustment_charge_id", "adjustment", ["charge_id"])
    _allow("collection", "state", STATES.format(", 'waived'"))
    _allow("approval", "kind", KINDS.format(", 'waive', 'correction'"))


def downgrade() -> None:
    _allow("approval", "kind", KINDS.format(""))
    _allow("collection", "state", STATES.format(""))
    op.drop_table("adjustment")


def _allow(table: str, name: str, condition: str) -> None:
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, condition)
