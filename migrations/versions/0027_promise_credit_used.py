"""The credit of a missed promise is given back of a later charge: what is owed, what of it is used, by which refund."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

CURRENCY = "currency IN ('eur', 'usd', 'gbp', 'chf', 'jpy')"
PAPERS = (
    "CASE kind WHEN 'invoice' THEN refund_id IS NULL AND corrects_id IS NULL"
    " WHEN 'credit_note' THEN refund_id IS NOT NULL AND corrects_id IS NOT NULL{} ELSE false END"
)
CREDIT = " WHEN 'credit' THEN refund_id IS NOT NULL AND corrects_id IS NULL AND vat_minor = 0"


def upgrade() -> None:
    op.create_table(
        "credit",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_minor", sa.Integer, nullable=False, server_default="0"),
        sa.CheckConstraint("amount_minor > 0 AND used_minor BETWEEN 0 AND amount_minor", name="amount"),
        sa.CheckConstraint(CURRENCY, name="currency"),
    )
    op.create_index(
        "ix_credit_open",
        "credit",
        ["customer_id", "currency", "granted_at"],
        postgresql_where=sa.text("used_minor < amount_minor"),
    )
    op.execute(
        "INSERT INTO credit (id, customer_id, amount_minor, currency, granted_at) "
        "SELECT request_id, customer_id, amount_minor, currency, missed_at FROM promise_credit"
    )
    op.add_column("refund", sa.Column("credit_id", sa.Uuid, sa.ForeignKey("credit.id")))
    op.create_check_constraint("bearer", "refund", "(credit_id IS NOT NULL) = (reason = 'missed_promise')")
    op.create_index("ix_refund_credit_id", "refund", ["credit_id"], postgresql_where=sa.text("credit_id IS NOT NULL"))
    op.add_column("refund_part", sa.Column("platform_minor", sa.Integer, nullable=False, server_default="0"))
    op.drop_constraint("parts_sum", "refund_part", type_="check")
    op.create_check_constraint(
        "parts_sum", "refund_part", "commission_minor + share_minor + platform_minor = amount_minor"
    )
    op.add_column("charge", sa.Column("credited_minor", sa.Integer, nullable=False, server_default="0"))
    op.drop_constraint("refunded_within_captured", "charge", type_="check")
    op.create_check_constraint(
        "refunded_within_captured",
        "charge",
        "refunded_minor >= 0 AND credited_minor >= 0 AND refunded_minor + credited_minor <= captured_minor",
    )
    _papers(CREDIT)


def downgrade() -> None:
    """Raises where a credit was given back already: what is booked and numbered is not taken away."""
    _papers("")
    op.drop_constraint("refunded_within_captured", "charge", type_="check")
    op.create_check_constraint("refunded_within_captured", "charge", "refunded_minor BETWEEN 0 AND captured_minor")
    op.drop_column("charge", "credited_minor")
    op.drop_constraint("parts_sum", "refund_part", type_="check")
    op.create_check_constraint("parts_sum", "refund_part", "commission_minor + share_minor = amount_minor")
    op.drop_column("refund_part", "platform_minor")
    op.drop_constraint("bearer", "refund", type_="check")
    op.drop_column("refund", "credit_id")
    op.drop_table("credit")


def _papers(credit: str) -> None:
    op.drop_constraint("kind", "invoice", type_="check")
    op.create_check_constraint("kind", "invoice", PAPERS.format(credit))
