"""The tables of ``billing``."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)
CURRENCY = "currency IN ('eur', 'usd', 'gbp', 'chf')"
APPEND_ONLY = ("ledger_transaction", "posting", "charge_event")

HAS_POSTINGS = """
CREATE FUNCTION require_postings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM posting WHERE transaction_id = NEW.id) THEN
    RAISE EXCEPTION 'ledger transaction % has no postings', NEW.id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def _charge() -> None:
    op.create_table(
        "charge",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("call_id", sa.Uuid, nullable=False, unique=True),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("rate_minor_per_hour", sa.Integer, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("policy_version", sa.Text, nullable=False),
        sa.Column("threshold_ms", sa.Integer, nullable=False),
        sa.Column("commission_bps", sa.Integer, nullable=False),
        sa.Column("tax_mode", sa.Text, nullable=False),
        sa.Column("tax_rate_bps", sa.Integer, nullable=False),
        sa.Column("snapshot_cap_minor", sa.Integer, nullable=False),
        sa.Column("terms_version", sa.Text, nullable=False),
        sa.Column("consented_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cap_minor", sa.Integer, nullable=False),
        sa.Column("marked_ms", sa.Integer, nullable=False),
        sa.Column("next_deadline_at", MOMENT),
        sa.Column("call_ended_at", MOMENT),
        sa.Column("close_reason", sa.Text),
        sa.Column("connected_ms", sa.Integer),
        sa.Column("billed_ms", sa.Integer),
        sa.Column("gross_minor", sa.Integer),
        sa.Column("commission_minor", sa.Integer),
        sa.Column("net_minor", sa.Integer),
        sa.Column("captured_minor", sa.Integer, nullable=False),
        sa.Column("settling_at", MOMENT),
        sa.Column("settled_at", MOMENT),
        sa.CheckConstraint(CURRENCY, name="currency"),
        sa.CheckConstraint("policy IN ('whole_call', 'after_threshold')", name="policy"),
        sa.CheckConstraint("tax_mode IN ('inclusive', 'exempt')", name="tax_mode"),
        sa.CheckConstraint("rate_minor_per_hour > 0 AND cap_minor > 0", name="positive"),
        sa.CheckConstraint(
            "state IN ('open', 'holding', 'awaiting_customer', 'metering', 'settling',"
            " 'captured', 'released', 'uncollectable', 'abandoned')",
            name="state",
        ),
        sa.CheckConstraint("captured_minor >= 0 AND captured_minor <= cap_minor", name="captured_within_cap"),
        sa.CheckConstraint("gross_minor IS NULL OR gross_minor <= cap_minor", name="gross_within_cap"),
        sa.CheckConstraint("commission_minor + net_minor = gross_minor", name="parts_sum"),
    )
    op.create_index(
        "ix_charge_next_deadline_at",
        "charge",
        ["next_deadline_at"],
        postgresql_where=sa.text("next_deadline_at IS NOT NULL"),
    )
    op.create_index("ix_charge_created_at", "charge", ["created_at", "id"])
    op.create_index("ix_charge_consultant_id", "charge", ["consultant_id", "created_at", "id"])
    op.create_index("ix_charge_reference", "charge", ["reference"])


def _hold() -> None:
    op.create_table(
        "hold",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("client_key", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, unique=True),
        sa.Column("authenticate_url", sa.Text),
        sa.Column("decline_message", sa.Text),
        sa.Column("unwanted", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("held_at", MOMENT),
        sa.Column("capture_before", MOMENT),
        sa.Column("capture_minor", sa.Integer, nullable=False),
        sa.Column("capture_fee_minor", sa.Integer, nullable=False),
        sa.Column("captured_minor", sa.Integer, nullable=False),
        sa.Column("provider_fee_minor", sa.Integer),
        sa.Column("transfer_id", sa.Text),
        sa.Column("finished_at", MOMENT),
        sa.UniqueConstraint("charge_id", "n"),
        sa.UniqueConstraint("charge_id", "client_key", name="uq_hold_client_key"),
        sa.CheckConstraint(
            "state IN ('placing', 'needs_action', 'held', 'capturing', 'captured', 'releasing', 'released',"
            " 'declined', 'lapsed')",
            name="state",
        ),
        sa.CheckConstraint(CURRENCY, name="currency"),
        sa.CheckConstraint("amount_minor > 0", name="positive"),
        sa.CheckConstraint(
            "captured_minor BETWEEN 0 AND amount_minor AND capture_minor BETWEEN 0 AND amount_minor"
            " AND capture_fee_minor BETWEEN 0 AND capture_minor",
            name="capture_within_hold",
        ),
    )
    op.create_index("ix_hold_expires_at", "hold", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL"))


def _command() -> None:
    op.create_table(
        "command",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("params", postgresql.JSONB, nullable=False),
        sa.Column("params_hash", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("first_sent_at", MOMENT),
        sa.Column("due_at", MOMENT),
        sa.Column("absent_at", MOMENT),
        sa.Column("finished_at", MOMENT),
        sa.Column("outcome", postgresql.JSONB),
        sa.CheckConstraint("kind IN ('create', 'confirm', 'capture', 'cancel')", name="kind"),
        sa.CheckConstraint("state IN ('intended', 'sent', 'done', 'refused', 'unknown')", name="state"),
    )
    op.create_index("ix_command_hold_id", "command", ["hold_id"])
    op.create_index("ix_command_charge_id", "command", ["charge_id"])
    op.create_index("ix_command_due_at", "command", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def _evidence() -> None:
    op.create_table(
        "billable_interval",
        sa.Column("call_id", sa.Uuid, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sa.Column("cause", sa.Text),
        sa.CheckConstraint("duration_ms >= 0", name="not_negative"),
    )
    op.execute(
        "CREATE TRIGGER billable_interval_frozen BEFORE UPDATE OR DELETE ON billable_interval "
        "FOR EACH ROW WHEN (NOT OLD.open) EXECUTE FUNCTION refuse_change()"
    )
    op.create_table(
        "charge_event",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("details", postgresql.JSONB, nullable=False),
    )
    op.create_index("ix_charge_event_charge_id", "charge_event", ["charge_id", "id"])
    op.create_table(
        "billing_case",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("details", postgresql.JSONB, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_transaction",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_ledger_transaction_charge_id", "ledger_transaction", ["charge_id"])
    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("transaction_id", sa.Uuid, sa.ForeignKey("ledger_transaction.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="positive"),
        sa.CheckConstraint("source <> destination", name="moves"),
        sa.CheckConstraint(CURRENCY, name="currency"),
    )
    op.create_index("ix_posting_transaction_id", "posting", ["transaction_id"])
    op.execute(HAS_POSTINGS)
    op.execute(
        "CREATE CONSTRAINT TRIGGER ledger_transaction_has_postings AFTER INSERT ON ledger_transaction "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_postings()"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _provider() -> None:
    op.create_table(
        "stripe_event",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("object_type", sa.Text, nullable=False),
        sa.Column("object_id", sa.Text),
        sa.Column("intent_id", sa.Text),
        sa.Column("raw", sa.Text, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("processed_at", MOMENT),
        sa.Column("outcome", sa.Text),
    )
    op.create_index(
        "ix_stripe_event_due_at", "stripe_event", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_table(
        "customer_payment",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("provider_customer_id", sa.Text, unique=True),
        sa.Column("payment_method_id", sa.Text),
        sa.Column("brand", sa.Text),
        sa.Column("last4", sa.Text),
        sa.Column("exp_month", sa.Integer),
        sa.Column("exp_year", sa.Integer),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.CheckConstraint("last4 ~ '^[0-9]{4}$'", name="last4_only"),
    )
    op.create_table(
        "card_setup",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("setup_intent_id", sa.Text, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("completed_at", MOMENT),
    )
    op.create_table(
        "payout_account",
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("provider_account_id", sa.Text, unique=True),
        sa.Column("can_receive", sa.Boolean, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )


def upgrade() -> None:
    _charge()
    _hold()
    _command()
    _evidence()
    _ledger()
    _provider()


def downgrade() -> None:
    for table in (
        "payout_account",
        "card_setup",
        "customer_payment",
        "stripe_event",
        "posting",
        "ledger_transaction",
        "billing_case",
        "charge_event",
        "billable_interval",
        "command",
        "hold",
        "charge",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION require_postings()")
