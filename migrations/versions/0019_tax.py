"""VAT by country: what each person states, and how each charge was decided. The outbox of mails."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

STATED = [f"{side}_{name}" for side in ("supplier", "customer") for name in ("country", "vat_id", "name", "address")]
DECISION = ("tax_reason", *STATED)
MODES = "tax_mode IN ('inclusive', 'exempt'{})"


def upgrade() -> None:
    op.create_table(
        "billing_details",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("vat_id", sa.Text),
        sa.Column("small_business", sa.Boolean, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("country ~ '^[A-Z]{2}$'", name="country_code"),
    )
    for name in DECISION:
        op.add_column("charge", sa.Column(name, sa.Text))
    op.drop_constraint("tax_mode", "charge", type_="check")
    op.create_check_constraint("tax_mode", "charge", MODES.format(", 'reverse_charge', 'outside_scope'"))
    op.create_check_constraint(
        "reverse_charge_numbers",
        "charge",
        "tax_mode <> 'reverse_charge' OR (supplier_vat_id IS NOT NULL AND customer_vat_id IS NOT NULL)",
    )
    op.create_table(
        "mail",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("(outcome IS NULL) = (due_at IS NOT NULL)", name="due_or_done"),
    )
    op.create_index("ix_mail_due_at", "mail", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("mail")
    op.drop_constraint("reverse_charge_numbers", "charge", type_="check")
    op.drop_constraint("tax_mode", "charge", type_="check")
    op.create_check_constraint("tax_mode", "charge", MODES.format(""))
    for name in reversed(DECISION):
        op.drop_column("charge", name)
    op.drop_table("billing_details")
