"""A lost call may go on: calls that continue another, on the same charge, and until when one may return."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("call", sa.Column("continues_call_id", sa.Uuid, sa.ForeignKey("call.id")))
    # A request leads to one call, and each call is gone on with once, however many click at the same moment.
    op.drop_constraint("uq_call_request_id", "call", type_="unique")
    op.create_index(
        "uq_call_first_of_request",
        "call",
        ["request_id"],
        unique=True,
        postgresql_where=sa.text("continues_call_id IS NULL"),
    )
    op.create_index("uq_call_continues_call_id", "call", ["continues_call_id"], unique=True)

    op.add_column("charge", sa.Column("rescue_until", MOMENT))
    op.add_column("charge", sa.Column("books_closed_at", MOMENT))
    op.add_column("charge", sa.Column("last_call_id", sa.Uuid))
    op.create_index(
        "ix_charge_books_closed_at",
        "charge",
        ["books_closed_at"],
        postgresql_where=sa.text("books_closed_at IS NOT NULL AND state = 'metering'"),
    )
    # Asked at each accept: which lost calls the two have given up by it.
    op.create_index(
        "ix_charge_rescue_until",
        "charge",
        ["rescue_until"],
        postgresql_where=sa.text("rescue_until IS NOT NULL AND state = 'metering'"),
    )
    op.create_table(
        "continued_call",
        sa.Column("call_id", sa.Uuid, primary_key=True),
        sa.Column("charge_id", sa.Uuid, sa.ForeignKey("charge.id"), nullable=False),
        sa.Column("n", sa.Integer, nullable=False),
        sa.Column("intervals_before", sa.Integer, nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.UniqueConstraint("charge_id", "n"),
    )


def downgrade() -> None:
    op.drop_table("continued_call")
    for index in ("ix_charge_rescue_until", "ix_charge_books_closed_at"):
        op.drop_index(index, table_name="charge")
    for column in ("last_call_id", "books_closed_at", "rescue_until"):
        op.drop_column("charge", column)
    op.drop_index("uq_call_continues_call_id", table_name="call")
    op.drop_index("uq_call_first_of_request", table_name="call")
    op.create_unique_constraint("uq_call_request_id", "call", ["request_id"])
    op.drop_column("call", "continues_call_id")
