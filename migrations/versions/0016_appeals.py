"""How often the outcome of a dispute has turned, and how often working off a webhook has failed."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("dispute", sa.Column("turns", sa.Integer, nullable=False, server_default="0"))
    op.add_column("stripe_event", sa.Column("failures", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("stripe_event", "failures")
    op.drop_column("dispute", "turns")
