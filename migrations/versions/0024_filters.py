"""What a customer narrowed the list down to stands with the request: a language, a least rating."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("request", sa.Column("language", sa.Text))
    op.add_column("request", sa.Column("min_stars", sa.Integer))
    op.create_check_constraint("min_stars", "request", "min_stars BETWEEN 1 AND 5")


def downgrade() -> None:
    op.drop_constraint("min_stars", "request", type_="check")
    op.drop_column("request", "min_stars")
    op.drop_column("request", "language")
