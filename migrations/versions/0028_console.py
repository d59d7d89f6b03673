"""What the money console was missing: a payout account's country, payouts on request, views kept here, invoices by day.

The accounts there are were all opened in Germany. Nobody ever kept a view in the table of views.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("payout_account", sa.Column("country", sa.Text))
    op.execute("UPDATE payout_account SET country = 'DE' WHERE provider_account_id IS NOT NULL")
    op.create_check_constraint("country", "payout_account", "country ~ '^[A-Z]{2}$'")
    op.create_table(
        "payout_request",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("first_sent_at", MOMENT),
        sa.Column("due_at", MOMENT),
        sa.Column("absent_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("payout_id", sa.Text, sa.ForeignKey("payout.id"), unique=True),
        sa.Column("outcome", postgresql.JSONB),
        sa.CheckConstraint("amount_minor > 0", name="amount"),
        sa.CheckConstraint("state IN ('intended', 'sent', 'unknown', 'done', 'refused')", name="state"),
        sa.CheckConstraint("(state IN ('done', 'refused')) = (finished_at IS NOT NULL)", name="finished"),
        sa.CheckConstraint("(state = 'done') = (payout_id IS NOT NULL)", name="paid"),
    )
    op.create_index(
        "ix_payout_request_open",
        "payout_request",
        ["consultant_id", "currency"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_index("ix_payout_request_consultant_id", "payout_request", ["consultant_id", "asked_at"])
    op.create_index(
        "ix_payout_request_due_at", "payout_request", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.execute("DELETE FROM saved_view")
    op.drop_column("saved_view", "query")
    op.add_column("saved_view", sa.Column("search", sa.Text, nullable=False))
    op.create_index("ix_invoice_issued_at", "invoice", ["issued_at", "number"])


def downgrade() -> None:
    op.drop_index("ix_invoice_issued_at", "invoice")
    op.execute("DELETE FROM saved_view")
    op.drop_column("saved_view", "search")
    op.add_column("saved_view", sa.Column("query", postgresql.JSONB, nullable=False))
    op.drop_table("payout_request")
    op.drop_constraint("country", "payout_account", type_="check")
    op.drop_column("payout_account", "country")
