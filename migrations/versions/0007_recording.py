"""Recordings: what each side said, computed consent of both, and files."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.DateTime(timezone=True)
SIDE = "side IN ('customer', 'consultant')"


def upgrade() -> None:
    """Nobody can set ``recording``: the database computes it from both consents."""
    op.add_column("media_session", sa.Column("recording_customer", sa.Boolean, nullable=False, server_default="false"))
    op.add_column(
        "media_session", sa.Column("recording_consultant", sa.Boolean, nullable=False, server_default="false")
    )
    op.add_column(
        "media_session",
        sa.Column(
            "recording",
            sa.Boolean,
            sa.Computed("recording_customer AND recording_consultant", persisted=True),
            nullable=False,
        ),
    )
    op.create_table(
        "recording_consent",
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("media_session.call_id"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("given", sa.Boolean, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.CheckConstraint(SIDE, name="side"),
    )
    op.create_table(
        "recording_file",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, sa.ForeignKey("media_session.call_id"), nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("duration_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("bytes", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.CheckConstraint(SIDE, name="side"),
    )
    op.create_index("ix_recording_file_call", "recording_file", ["call_id", "started_at"])
    op.create_index(
        "ix_recording_file_expires", "recording_file", ["expires_at"], postgresql_where=sa.text("deleted_at IS NULL")
    )


def downgrade() -> None:
    op.drop_table("recording_file")
    op.drop_table("recording_consent")
    for column in ("recording", "recording_consultant", "recording_customer"):
        op.drop_column("media_session", column)
