"""A problem whose refund a second person must agree to waits for them; it is decided only then."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

STATES = "state IN ('open', {}'answered', 'decided')"


def upgrade() -> None:
    op.drop_constraint("state", "problem", type_="check")
    op.create_check_constraint("state", "problem", STATES.format("'awaiting', "))
    _index("state IN ('open', 'awaiting')")


def downgrade() -> None:
    op.execute("UPDATE problem SET state = 'decided', decided_at = now() WHERE state = 'awaiting'")
    op.drop_constraint("state", "problem", type_="check")
    op.create_check_constraint("state", "problem", STATES.format(""))
    _index("state = 'open'")


def _index(waiting: str) -> None:
    op.drop_index("ix_problem_open", "problem")
    op.create_index("ix_problem_open", "problem", ["opened_at"], postgresql_where=sa.text(waiting))
