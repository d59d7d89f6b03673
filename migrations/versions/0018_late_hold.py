"""Trusted customers' holds at 8:00, and the house's settings for money, in versions."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("charge", sa.Column("late_hold_ms", sa.Integer))
    op.add_column("charge", sa.Column("secured_at", sa.DateTime(timezone=True)))
    op.create_check_constraint(
        "late_hold_secured", "charge", "late_hold_ms IS NULL OR secured_at IS NOT NULL OR coalesce(gross_minor, 0) = 0"
    )
    op.create_table(
        "house_terms",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("late_hold", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("set_by", sa.Uuid, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name="version"),
    )
    op.execute(
        "CREATE TRIGGER house_terms_append_only BEFORE UPDATE OR DELETE ON house_terms "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("house_terms")
    op.drop_constraint("late_hold_secured", "charge", type_="check")
    op.drop_column("charge", "secured_at")
    op.drop_column("charge", "late_hold_ms")
