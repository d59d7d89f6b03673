"""Trusted customers' holds at 8:00, a time to look at the bill, and the house's settings for both, in versions."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

STATES = (
    "state IN ('open', 'holding', 'awaiting_customer', 'metering',{} 'settling',"
    " 'captured', 'released', 'uncollectable', 'abandoned')"
)


def upgrade() -> None:
    op.add_column("charge", sa.Column("late_hold_ms", sa.Integer))
    op.add_column("charge", sa.Column("secured_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "late_hold_secured", "charge", "late_hold_ms IS NULL OR secured_at IS NOT NULL OR coalesce(gross_minor, 0) = 0"
    )
    op.add_column("charge", sa.Column("review_window_s", sa.Integer, nullable=False, server_default="0"))
    op.add_column("charge", sa.Column("review_until", sa.DateTime(timezone=True)))
    op.add_column("charge", sa.Column("waived", sa.Boolean, nullable=False, server_default="false"))
    op.drop_constraint("state", "charge", type_="check")
    op.create_check_constraint("state", "charge", STATES.format(" 'reviewing',"))
    op.create_check_constraint("in_review", "charge", "review_until IS NULL OR state = 'reviewing'")
    op.create_index(
        "ix_charge_review_until", "charge", ["review_until"], postgresql_where=sa.text("review_until IS NOT NULL")
    )
    op.create_table(
        "house_terms",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("late_hold", sa.Boolean, nullable=False),
        sa.Column("review_window_s", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.Uuid, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name="version"),
        sa.CheckConstraint("review_window_s BETWEEN 0 AND 86400", name="review_window"),
    )
    op.execute(
        "CREATE TRIGGER house_terms_append_only BEFORE UPDATE OR DELETE ON house_terms "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("house_terms")
    op.drop_index("ix_charge_review_until", "charge")
    op.drop_constraint("in_review", "charge", type_="check")
    op.drop_constraint("state", "charge", type_="check")
    op.create_check_constraint("state", "charge", STATES.format(""))
    op.drop_column("charge", "waived")
    op.drop_column("charge", "review_until")
    op.drop_column("charge", "review_window_s")
    op.drop_constraint("late_hold_secured", "charge", type_="check")
    op.drop_column("charge", "secured_at")
    op.drop_column("charge", "late_hold_ms")
