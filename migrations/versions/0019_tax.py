"""VAT by country: what each person states, and how each charge was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0016"

DECISION = ("tax_reason", "supplier_country", "supplier_vat_id", "customer_country", "customer_vat_id")
MODES = "tax_mode IN ('inclusive', 'exempt'{})"


def upgrade() -> None:
    op.create_table(
        "billing_details",
        sa.Column("user_id", sa.Uuid, sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("country", sa.Text, nullable=False),
        sa.Column("vat_id", sa.Text),
        sa.Column("small_business", sa.Boolean, nullable=False),
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


def downgrade() -> None:
    op.drop_constraint("reverse_charge_numbers", "charge", type_="check")
    op.drop_constraint("tax_mode", "charge", type_="check")
    op.create_check_constraint("tax_mode", "charge", MODES.format(""))
    for name in reversed(DECISION):
        op.drop_column("charge", name)
    op.drop_table("billing_details")
