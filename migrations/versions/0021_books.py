"""The books and the evidence cannot be emptied, and nothing is added to a fact that is booked already."""

from alembic import op

revision = "0021"
down_revision = "0020"

# Everything that refuses UPDATE and DELETE, and the observed time itself, of which the newest row still moves.
KEPT = (
    "ledger_transaction",
    "posting",
    "charge_event",
    "billable_interval",
    "observed_interval",
    "invoice",
    "closed_month",
    "house_terms",
    "audit",
    "consent",
)

# Both rows carry the (sub)transaction that wrote them, and neither is ever changed: equal means written together.
# So a closed month, which refuses new transactions, refuses new postings too.
WITH_ITS_TRANSACTION = """
CREATE FUNCTION refuse_late_posting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
                  WHERE p.id = NEW.id AND p.xmin = t.xmin) THEN
    RAISE EXCEPTION 'ledger transaction % is booked already: book a correction', NEW.transaction_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
"""


def upgrade() -> None:
    # Each night every bill is computed again, day by day of its writing.
    op.create_index("ix_charge_settling_at", "charge", ["settling_at"])
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_kept BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(WITH_ITS_TRANSACTION)
    op.execute(
        "CREATE TRIGGER posting_with_its_transaction AFTER INSERT ON posting "
        "FOR EACH ROW EXECUTE FUNCTION refuse_late_posting()"
    )


def downgrade() -> None:
    op.drop_index("ix_charge_settling_at", "charge")
    op.execute("DROP TRIGGER posting_with_its_transaction ON posting")
    op.execute("DROP FUNCTION refuse_late_posting()")
    for table in KEPT:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
