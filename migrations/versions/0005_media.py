"""The tables of ``media``."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "media_session",
        sa.Column("call_id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("node_id", sa.Text),
        sa.Column("state", sa.Text, nullable=False, server_default="open"),
        sa.Column("paused", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('open', 'closing', 'closed')", name="state"),
    )
    op.create_index(
        "ix_media_session_living", "media_session", ["node_id"], postgresql_where=sa.text("state <> 'closed'")
    )
    op.create_table(
        "observed_interval",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("media_session.call_id"), primary_key=True),
        sa.Column("side", sa.Text, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.CheckConstraint("side IN ('customer', 'consultant', 'both')", name="side"),
        sa.CheckConstraint("duration_ms >= 0", name="duration"),
    )
    op.create_index("ix_observed_interval_open", "observed_interval", ["node_id"], postgresql_where=sa.text("open"))
    op.create_table(
        "media_node",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("control_url", sa.Text, nullable=False),
        sa.Column("calls", sa.Integer, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("media_node")
    op.drop_table("observed_interval")
    op.drop_table("media_session")
