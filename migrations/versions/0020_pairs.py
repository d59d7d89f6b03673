"""Whose outcome it is, and the how-manieth of this customer at this consultant: a pair counts once."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

FILL = """
UPDATE outcome SET customer_id = found.customer_id, nth = found.nth
FROM (SELECT o.call_id, q.customer_id,
             row_number() OVER (PARTITION BY q.customer_id, o.consultant_id ORDER BY o.accepted_at, o.call_id) AS nth
      FROM outcome o JOIN question q ON q.id = o.question_id) AS found
WHERE found.call_id = outcome.call_id
"""
COUNT = """
UPDATE consultant SET contacts = found.contacts, successes = found.successes
FROM (SELECT consultant_id, count(DISTINCT customer_id) FILTER (WHERE connected) AS contacts,
             count(DISTINCT customer_id) FILTER (WHERE succeeded) AS successes
      FROM outcome GROUP BY consultant_id) AS found
WHERE found.consultant_id = consultant.user_id
  AND (consultant.contacts, consultant.successes) <> (found.contacts, found.successes)
"""


def upgrade() -> None:
    op.add_column("outcome", sa.Column("customer_id", sa.Uuid))
    op.add_column("outcome", sa.Column("nth", sa.Integer))
    op.execute(FILL)
    op.alter_column("outcome", "customer_id", nullable=False)
    op.alter_column("outcome", "nth", nullable=False)
    op.create_check_constraint("nth", "outcome", "nth >= 1")
    op.create_index("ix_outcome_pair", "outcome", ["customer_id", "consultant_id"])
    op.execute(COUNT)


def downgrade() -> None:
    op.drop_index("ix_outcome_pair", "outcome")
    op.drop_column("outcome", "nth")
    op.drop_column("outcome", "customer_id")
