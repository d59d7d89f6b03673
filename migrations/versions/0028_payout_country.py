"""A payout account has the country its consultant chose; the ones there are were all opened in Germany."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("payout_account", sa.Column("country", sa.Text))
    op.execute("UPDATE payout_account SET country = 'DE'")
    op.create_check_constraint("country", "payout_account", "country ~ '^[A-Z]{2}$'")


def downgrade() -> None:
    op.drop_constraint("country", "payout_account", type_="check")
    op.drop_column("payout_account", "country")
