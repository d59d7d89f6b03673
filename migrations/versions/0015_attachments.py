"""Files attached to questions; a consultant's rings by their time."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("question_id", sa.Uuid, sa.ForeignKey("question.id"), nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("deleted_at", MOMENT),
        sa.Column("removed_at", MOMENT),
        sa.CheckConstraint("bytes BETWEEN 1 AND 5242880", name="size"),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        sa.CheckConstraint("removed_at IS NULL OR deleted_at IS NOT NULL", name="removed_was_deleted"),
    )
    op.create_index("ix_attachment_question", "attachment", ["question_id"])
    op.create_index("ix_attachment_sha256", "attachment", ["sha256"])
    op.create_index(
        "ix_attachment_expires", "attachment", ["expires_at"], postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "ix_attachment_left",
        "attachment",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL AND removed_at IS NULL"),
    )
    op.create_index("ix_offer_consultant_created", "offer", ["consultant_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_offer_consultant_created", "offer")
    op.drop_table("attachment")
