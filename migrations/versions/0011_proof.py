"""Proof: evidence chained by hash, and invoices numbered without gaps."""

import sqlalchemy as sa
from alembic import op

from billing.proof import chain

revision = "0011"
down_revision = "0010"

MOMENT = sa.DateTime(timezone=True)

# The charge's lock comes first: two transactions can never build on the same entry. Rows of one statement are seen
# by the next one's trigger, so many entries of one flush are chained too. JSON that Python wrote is compared as JSON.
LINK = """
CREATE FUNCTION link_charge_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  said jsonb := NEW.body::jsonb;
  last record;
BEGIN
  PERFORM 1 FROM charge WHERE id = NEW.charge_id FOR UPDATE;
  IF said->'details' IS DISTINCT FROM NEW.details OR said->>'kind' IS DISTINCT FROM NEW.kind
     OR (said->>'at')::timestamptz IS DISTINCT FROM NEW.at THEN
    RAISE EXCEPTION 'the body of a charge event must say what its columns say' USING ERRCODE = 'check_violation';
  END IF;
  SELECT n, hash INTO last FROM charge_event WHERE charge_id = NEW.charge_id ORDER BY n DESC LIMIT 1;
  NEW.n := coalesce(last.n, 0) + 1;
  NEW.previous_hash := coalesce(last.hash, encode(sha256(convert_to(NEW.charge_id::text, 'UTF8')), 'hex'));
  NEW.hash := encode(sha256(convert_to(NEW.previous_hash || NEW.body, 'UTF8')), 'hex');
  RETURN NEW;
END $$
"""


def _chain_what_is_there() -> None:
    """Link the entries of every charge in the order in which they were written."""
    connection = op.get_bind()
    event = sa.table(
        "charge_event",
        sa.column("id", sa.BigInteger),
        sa.column("charge_id", sa.Uuid),
        sa.column("at", MOMENT),
        sa.column("kind", sa.Text),
        sa.column("details", sa.JSON),
        sa.column("n", sa.Integer),
        sa.column("body", sa.Text),
        sa.column("previous_hash", sa.Text),
        sa.column("hash", sa.Text),
    )
    n, previous, charge_id = 0, "", None
    rows = connection.execute(
        sa.select(event.c.id, event.c.charge_id, event.c.at, event.c.kind, event.c.details).order_by(
            event.c.charge_id, event.c.id
        )
    ).all()
    for row in rows:
        if row.charge_id != charge_id:
            n, previous, charge_id = 0, chain.genesis(row.charge_id), row.charge_id
        n, body = n + 1, chain.body_of(row.at, row.kind, row.details)
        linked = {"n": n, "body": body, "previous_hash": previous, "hash": chain.link(previous, body)}
        connection.execute(sa.update(event).where(event.c.id == row.id).values(**linked))
        previous = linked["hash"]


def _evidence() -> None:
    for name, kind in (("body", sa.Text), ("n", sa.Integer), ("previous_hash", sa.Text), ("hash", sa.Text)):
        op.add_column("charge_event", sa.Column(name, kind))
    op.execute("ALTER TABLE charge_event DISABLE TRIGGER charge_event_append_only")
    _chain_what_is_there()
    op.execute("ALTER TABLE charge_event ENABLE TRIGGER charge_event_append_only")
    for name in ("body", "n", "previous_hash", "hash"):
        op.alter_column("charge_event", name, nullable=False)
    op.create_unique_constraint("uq_charge_event_n", "charge_event", ["charge_id", "n"])
    op.drop_index("ix_charge_event_charge_id", "charge_event")
    op.execute(LINK)
    op.execute(
        "CREATE TRIGGER charge_event_linked BEFORE INSERT ON charge_event "
        "FOR EACH ROW EXECUTE FUNCTION link_charge_event()"
    )


def _invoices() -> None:
    op.create_table(
        "invoice_series",
        sa.Column("series", sa.Text, primary_key=True),
        sa.Column("last_number", sa.Integer, nullable=False),
    )
    op.create_table(
        "invoice",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("series", sa.Text, sa.ForeignKey("invoice_series.series"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("refund_id", sa.Uuid, unique=True),
        sa.Column("corrects_id", sa.Uuid, sa.ForeignKey("invoice.id")),
        sa.Column("issued_at", MOMENT, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("gross_minor", sa.Integer, nullable=False),
        sa.Column("net_minor", sa.Integer, nullable=False),
        sa.Column("vat_minor", sa.Integer, nullable=False),
        sa.Column("vat_rate_bps", sa.Integer, nullable=False),
        sa.Column("vat_treatment", sa.Text, nullable=False),
        sa.UniqueConstraint("series", "number"),
        sa.CheckConstraint("currency IN ('eur', 'usd', 'gbp', 'chf')", name="currency"),
        sa.CheckConstraint("gross_minor > 0 AND vat_minor >= 0 AND net_minor + vat_minor = gross_minor", name="sums"),
        sa.CheckConstraint(
            "vat_treatment IN ('standard', 'reverse_charge', 'outside_scope', 'exempt')", name="vat_treatment"
        ),
        sa.CheckConstraint(
            "CASE kind WHEN 'invoice' THEN refund_id IS NULL AND corrects_id IS NULL"
            " WHEN 'credit_note' THEN refund_id IS NOT NULL AND corrects_id IS NOT NULL ELSE false END",
            name="kind",
        ),
    )
    op.create_index(
        "uq_invoice_charge_id", "invoice", ["charge_id"], unique=True, postgresql_where=sa.text("kind = 'invoice'")
    )
    op.create_index("ix_invoice_corrects_id", "invoice", ["corrects_id"])
    op.execute(
        "CREATE TRIGGER invoice_append_only BEFORE UPDATE OR DELETE ON invoice "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def upgrade() -> None:
    _evidence()
    _invoices()


def downgrade() -> None:
    op.drop_table("invoice")
    op.drop_table("invoice_series")
    op.execute("DROP TRIGGER charge_event_linked ON charge_event")
    op.execute("DROP FUNCTION link_charge_event()")
    op.drop_constraint("uq_charge_event_n", "charge_event")
    op.create_index("ix_charge_event_charge_id", "charge_event", ["charge_id", "id"])
    for name in ("hash", "previous_hash", "n", "body"):
        op.drop_column("charge_event", name)
