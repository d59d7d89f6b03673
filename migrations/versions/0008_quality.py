"""Quality of calls: a sample of each side every two seconds, as the server and as the browser see it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One row a side, source and two seconds; and whether a side holds its picture back."""
    op.create_table(
        "call_quality",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("media_session.call_id"), primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("rtt_ms", sa.Integer),
        sa.Column("loss_permille", sa.Integer, nullable=False),
        sa.Column("jitter_ms", sa.Integer, nullable=False),
        sa.Column("kbps", sa.Integer, nullable=False),
        sa.Column("freezes", sa.Integer, nullable=False, server_default="0"),
        sa.Column("video_held", sa.Boolean, nullable=False, server_default="false"),
        sa.CheckConstraint("side IN ('customer', 'consultant')", name="side"),
        sa.CheckConstraint("source IN ('server', 'client')", name="source"),
        sa.CheckConstraint("loss_permille BETWEEN 0 AND 1000", name="loss"),
    )
    op.add_column("call_participant", sa.Column("video_held", sa.Boolean, nullable=False, server_default="false"))


def downgrade() -> None:
    op.drop_column("call_participant", "video_held")
    op.drop_table("call_quality")
