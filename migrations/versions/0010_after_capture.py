"""What happens to money after a capture: refunds, disputes, payouts, collection, cases, reconciliation, months."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True)
CURRENCY = "currency IN ('eur', 'usd', 'gbp', 'chf')"
KINDS = "kind IN ('create', 'confirm', 'capture', 'cancel'{})"
TABLES = (
    "saved_view",
    "closed_month",
    "provider_line",
    "provider_ref",
    "reconciliation_run",
    "problem",
    "approval",
    "collection",
    "payout_line",
    "payout",
    "dispute",
    "refund_part",
    "refund",
)

IN_AN_OPEN_MONTH = """
CREATE FUNCTION refuse_closed_month() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Shared: closing a month waits for bookings under way, and bookings wait for a month being closed.
  PERFORM pg_advisory_xact_lock_shared(7301);
  IF EXISTS (SELECT 1 FROM closed_month WHERE month = to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM')) THEN
    RAISE EXCEPTION 'the month of % is closed: book a correction today', NEW.at USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


def _changed() -> None:
    op.drop_constraint("kind", "command", type_="check")
    op.create_check_constraint("kind", "command", KINDS.format(", 'refund', 'reverse', 'return', 'evidence'"))
    op.add_column("command", sa.Column("subject_id", sa.Uuid))
    op.add_column("charge", sa.Column("refunded_minor", sa.Integer, nullable=False, server_default="0"))
    op.create_check_constraint("refunded_within_captured", "charge", "refunded_minor BETWEEN 0 AND captured_minor")
    op.create_index("ix_charge_customer_id", "charge", ["customer_id", "created_at", "id"])
    op.add_column("hold", sa.Column("purpose", sa.Text, nullable=False, server_default="call"))
    op.create_check_constraint("purpose", "hold", "purpose IN ('call', 'collection')")
    op.create_index(
        "ix_hold_capture_before",
        "hold",
        ["capture_before"],
        postgresql_where=sa.text("state IN ('held', 'capturing')"),
    )
    op.alter_column("ledger_transaction", "charge_id", nullable=True)
    op.create_index("ix_ledger_transaction_at", "ledger_transaction", ["at"])
    op.create_index("ix_posting_source", "posting", ["source"])
    op.create_index("ix_posting_destination", "posting", ["destination"])
    op.add_column("stripe_event", sa.Column("account_id", sa.Text))
    op.alter_column("billing_case", "charge_id", nullable=True)
    op.add_column("billing_case", sa.Column("key", sa.Text, unique=True))
    op.add_column("billing_case", sa.Column("closed_by", sa.Uuid))
    op.add_column("billing_case", sa.Column("resolution", sa.Text))
    op.create_index("ix_billing_case_charge_id", "billing_case", ["charge_id"])
    op.create_index(
        "ix_billing_case_open", "billing_case", ["opened_at"], postgresql_where=sa.text("closed_at IS NULL")
    )
    for name, kind in (
        ("schedule", postgresql.JSONB),
        ("wanted_schedule", postgresql.JSONB),
        ("requirements", postgresql.JSONB),
        ("held_reason", sa.Text),
        ("held_by", sa.Uuid),
        ("held_at", MOMENT),
        ("schedule_due_at", MOMENT),
    ):
        op.add_column("payout_account", sa.Column(name, kind))
    op.add_column("payout_account", sa.Column("payouts_enabled", sa.Boolean, nullable=False, server_default="false"))
    op.add_column("payout_account", sa.Column("schedule_attempts", sa.Integer, nullable=False, server_default="0"))


def _refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("commission_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested_by", sa.Uuid),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("amount_minor > 0 AND commission_minor BETWEEN 0 AND amount_minor", name="amount"),
        sa.CheckConstraint("state IN ('awaiting', 'rejected', 'sending', 'done', 'failed')", name="state"),
        sa.CheckConstraint(CURRENCY, name="currency"),
    )
    op.create_index("ix_refund_charge_id", "refund", ["charge_id"])
    op.create_table(
        "refund_part",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("refund_id", sa.Uuid, sa.ForeignKey("refund.id"), nullable=False),
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.id"), nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, unique=True),
        sa.Column("transfer_reversal_id", sa.Text),
        sa.Column("commission_minor", sa.Integer),
        sa.Column("share_minor", sa.Integer),
        sa.Column("finished_at", MOMENT),
        sa.CheckConstraint("amount_minor > 0", name="positive"),
        sa.CheckConstraint("commission_minor + share_minor = amount_minor", name="parts_sum"),
        sa.CheckConstraint("state IN ('intended', 'done', 'failed')", name="state"),
    )
    op.create_index("ix_refund_part_refund_id", "refund_part", ["refund_id"])
    op.create_index("ix_refund_part_hold_id", "refund_part", ["hold_id"])


def _disputes() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("provider_id", sa.Text, nullable=False, unique=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("hold_id", sa.Uuid, sa.ForeignKey("hold.id"), nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT),
        sa.Column("share_minor", sa.Integer, nullable=False),
        sa.Column("withdrawn_minor", sa.Integer, nullable=False),
        sa.Column("fee_minor", sa.Integer, nullable=False),
        sa.Column("reversal_id", sa.Text),
        sa.Column("return_id", sa.Text),
        sa.Column("evidence", postgresql.JSONB),
        sa.Column("submitted_at", MOMENT),
        sa.Column("submitted_by", sa.Uuid),
        sa.CheckConstraint("amount_minor > 0 AND share_minor BETWEEN 0 AND amount_minor", name="amount"),
        sa.CheckConstraint(CURRENCY, name="currency"),
    )
    op.create_index("ix_dispute_charge_id", "dispute", ["charge_id"])
    op.create_index("ix_dispute_due_at", "dispute", ["due_at"], postgresql_where=sa.text("closed_at IS NULL"))


def _payouts() -> None:
    op.create_table(
        "payout",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("consultant_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("automatic", sa.Boolean, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("arrives_at", MOMENT),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_message", sa.Text),
        sa.Column("lines_minor", sa.BigInteger),
        sa.CheckConstraint(CURRENCY, name="currency"),
    )
    op.create_index("ix_payout_consultant_id", "payout", ["consultant_id", "created_at"])
    op.create_index("ix_payout_created_at", "payout", ["created_at"])
    op.create_table(
        "payout_line",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("payout_id", sa.Text, sa.ForeignKey("payout.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("fee_minor", sa.BigInteger, nullable=False),
        sa.Column("net_minor", sa.BigInteger, nullable=False),
        sa.Column("source_id", sa.Text),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint("net_minor = amount_minor - fee_minor", name="net"),
    )
    op.create_index("ix_payout_line_payout_id", "payout_line", ["payout_id"])


def _people_decide() -> None:
    op.create_table(
        "collection",
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.Integer, nullable=False),
        sa.Column("fee_minor", sa.Integer, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT),
        sa.Column("closed_at", MOMENT),
        sa.Column("last_message", sa.Text),
        sa.CheckConstraint("state IN ('trying', 'paid', 'given_up')", name="state"),
        sa.CheckConstraint("amount_minor > 0 AND fee_minor BETWEEN 0 AND amount_minor", name="amount"),
    )
    op.create_index("ix_collection_next_at", "collection", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index("ix_collection_customer_id", "collection", ["customer_id"])
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Uuid, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_at", MOMENT),
        sa.Column("approved", sa.Boolean),
        sa.CheckConstraint("kind IN ('refund', 'release')", name="kind"),
        sa.CheckConstraint("decided_by <> asked_by", name="four_eyes"),
        sa.CheckConstraint("(decided_by IS NULL) = (approved IS NULL)", name="decided_whole"),
    )
    op.create_index(
        "uq_approval_waiting",
        "approval",
        ["kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("decided_at IS NULL"),
    )
    op.create_table(
        "problem",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("opened_by", sa.Uuid, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("finding", sa.Text, nullable=False),
        sa.Column("facts", postgresql.JSONB, nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("replied_at", MOMENT),
        sa.Column("decided_by", sa.Uuid),
        sa.Column("decided_at", MOMENT),
        sa.Column("decision", sa.Text),
        sa.Column("refund_id", sa.Uuid, sa.ForeignKey("refund.id")),
        sa.UniqueConstraint("charge_id", "opened_by"),
        sa.CheckConstraint("state IN ('open', 'answered', 'decided')", name="state"),
    )
    op.create_index("ix_problem_open", "problem", ["opened_at"], postgresql_where=sa.text("state = 'open'"))


def _reconciliation() -> None:
    op.create_table(
        "provider_ref",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_provider_ref_at", "provider_ref", ["at"])
    op.create_table(
        "reconciliation_run",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.Column("checked", sa.Integer, nullable=False),
        sa.Column("differences", sa.Integer, nullable=False),
        sa.Column("totals", postgresql.JSONB, nullable=False),
        sa.CheckConstraint("kind IN ('provider', 'bills')", name="kind"),
    )
    op.create_index("ix_reconciliation_run_started_at", "reconciliation_run", ["started_at"])
    op.create_table(
        "provider_line",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount_minor", sa.BigInteger, nullable=False),
        sa.Column("fee_minor", sa.BigInteger, nullable=False),
        sa.Column("net_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("explained_by", sa.Text),
        sa.Column("finding", sa.Text),
    )
    op.create_index("ix_provider_line_created_at", "provider_line", ["created_at"])
    op.create_table(
        "closed_month",
        sa.Column("month", sa.Text, primary_key=True),
        sa.Column("closed_at", MOMENT, nullable=False),
        sa.Column("closed_by", sa.Uuid, nullable=False),
        sa.Column("figures", postgresql.JSONB, nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'", name="month"),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("query", postgresql.JSONB, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("user_id", "name"),
    )
    op.execute(IN_AN_OPEN_MONTH)
    op.execute(
        "CREATE TRIGGER ledger_transaction_in_an_open_month BEFORE INSERT ON ledger_transaction "
        "FOR EACH ROW EXECUTE FUNCTION refuse_closed_month()"
    )
    op.execute(
        "CREATE TRIGGER closed_month_append_only BEFORE UPDATE OR DELETE ON closed_month "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def upgrade() -> None:
    _changed()
    _refunds()
    _disputes()
    _payouts()
    _people_decide()
    _reconciliation()


def downgrade() -> None:
    op.execute("DROP TRIGGER ledger_transaction_in_an_open_month ON ledger_transaction")
    op.execute("DROP FUNCTION refuse_closed_month()")
    for table in TABLES:
        op.drop_table(table)
    for name in (
        "schedule",
        "wanted_schedule",
        "requirements",
        "held_reason",
        "held_by",
        "held_at",
        "schedule_due_at",
        "payouts_enabled",
        "schedule_attempts",
    ):
        op.drop_column("payout_account", name)
    op.drop_index("ix_billing_case_open", "billing_case")
    op.drop_index("ix_billing_case_charge_id", "billing_case")
    for name in ("key", "closed_by", "resolution"):
        op.drop_column("billing_case", name)
    op.drop_column("stripe_event", "account_id")
    op.execute("DELETE FROM billing_case WHERE charge_id IS NULL")
    op.alter_column("billing_case", "charge_id", nullable=False)
    op.drop_index("ix_posting_destination", "posting")
    op.drop_index("ix_posting_source", "posting")
    op.drop_index("ix_ledger_transaction_at", "ledger_transaction")
    op.alter_column("ledger_transaction", "charge_id", nullable=False)
    op.drop_index("ix_hold_capture_before", "hold")
    op.drop_column("hold", "purpose")
    op.drop_index("ix_charge_customer_id", "charge")
    op.drop_column("charge", "refunded_minor")
    op.drop_column("command", "subject_id")
    op.drop_constraint("kind", "command", type_="check")
    op.create_check_constraint("kind", "command", KINDS.format(""))
