"""Several saved cards a customer; the calls of one customer by the time of their bill."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

MOMENT = sa.DateTime(timezone=True)
SHOWN = ("brand", "last4", "exp_month", "exp_year")


def upgrade() -> None:
    op.create_table(
        "saved_card",
        sa.Column("payment_method_id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("brand", sa.Text, nullable=False),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("exp_month", sa.Integer, nullable=False),
        sa.Column("exp_year", sa.Integer, nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT),
        sa.Column("detach_key", sa.Text, unique=True),
        sa.Column("detached_at", MOMENT),
        sa.CheckConstraint("last4 ~ '^[0-9]{4}$'", name="last4_only"),
        sa.CheckConstraint("exp_month BETWEEN 1 AND 12", name="month"),
        sa.CheckConstraint("(removed_at IS NULL) = (detach_key IS NULL)", name="removed_is_detached"),
    )
    op.create_index("ix_saved_card_user_id", "saved_card", ["user_id", "added_at"])
    op.execute(
        "INSERT INTO saved_card (payment_method_id, user_id, brand, last4, exp_month, exp_year, added_at) "
        "SELECT payment_method_id, user_id, brand, last4, exp_month, exp_year, updated_at FROM customer_payment "
        "WHERE payment_method_id IS NOT NULL"
    )
    for column in SHOWN:  # the check on last4 goes with its column
        op.drop_column("customer_payment", column)
    op.create_foreign_key(
        "fk_customer_payment_default", "customer_payment", "saved_card", ["payment_method_id"], ["payment_method_id"]
    )
    op.create_index("ix_card_setup_user_id", "card_setup", ["user_id", "completed_at"])
    op.create_index("ix_charge_customer_billed", "charge", ["customer_id", "settling_at", "call_id"])
    op.create_index("ix_charge_consultant_billed", "charge", ["consultant_id", "settling_at", "call_id"])


def downgrade() -> None:
    op.drop_index("ix_charge_consultant_billed", "charge")
    op.drop_index("ix_charge_customer_billed", "charge")
    op.drop_index("ix_card_setup_user_id", "card_setup")
    op.drop_constraint("fk_customer_payment_default", "customer_payment", type_="foreignkey")
    op.add_column("customer_payment", sa.Column("brand", sa.Text))
    op.add_column("customer_payment", sa.Column("last4", sa.Text))
    op.add_column("customer_payment", sa.Column("exp_month", sa.Integer))
    op.add_column("customer_payment", sa.Column("exp_year", sa.Integer))
    op.create_check_constraint("last4_only", "customer_payment", "last4 ~ '^[0-9]{4}$'")
    op.execute(
        "UPDATE customer_payment SET brand = c.brand, last4 = c.last4, exp_month = c.exp_month, "
        "exp_year = c.exp_year FROM saved_card c WHERE c.payment_method_id = customer_payment.payment_method_id"
    )
    op.drop_table("saved_card")
