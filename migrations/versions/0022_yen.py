"""Yen: the currencies that an amount may be in are those of core/money."""

from alembic import op

revision = "0022"
down_revision = "0021"

TABLES = ("charge", "dispute", "hold", "invoice", "payout", "posting", "refund")
CHECKS = (("profile", "currency_known"), *((table, "currency") for table in TABLES))
BEFORE = "currency IN ('eur', 'usd', 'gbp', 'chf')"
SINCE = "currency IN ('eur', 'usd', 'gbp', 'chf', 'jpy')"


def upgrade() -> None:
    _allow(SINCE)


def downgrade() -> None:
    _allow(BEFORE)


def _allow(currencies: str) -> None:
    for table, name in CHECKS:
        op.drop_constraint(name, table, type_="check")
        op.create_check_constraint(name, table, currencies)
