"""The month's close: figures that are frozen, and a month into which nothing can be booked any more."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text

from billing.reconciliation.models import ClosedMonthRow
from core import audit
from core.db import Tx
from core.errors import Conflict, Invalid
from core.ids import UserId

_MONTH = re.compile(r"2[01][0-9]{2}-(0[1-9]|1[0-2])")
_LOCK = 7301  # the same as in the trigger that refuses bookings into a closed month


def bounds(month: str) -> tuple[datetime, datetime]:
    """The first moment of a month such as ``2026-11`` and of the next, in UTC; raises Invalid on anything else."""
    if not _MONTH.fullmatch(month):
        raise Invalid("A month is written like 2026-11.")
    year, number = int(month[:4]), int(month[5:])
    following = (year + 1, 1) if number == 12 else (year, number + 1)  # noqa: PLR2004 - months of a year
    return datetime(year, number, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


async def figures(tx: Tx, month: str) -> dict[str, Any]:
    """What a month's books say: turnover of every account group per currency, and what is still open."""
    since, until = bounds(month)
    query = text(
        "WITH lines AS ("
        " SELECT p.currency, p.destination AS account, p.amount_minor AS amount FROM posting p"
        " JOIN ledger_transaction t ON t.id = p.transaction_id WHERE t.at >= :since AND t.at < :until UNION ALL"
        " SELECT p.currency, p.source, -p.amount_minor FROM posting p"
        " JOIN ledger_transaction t ON t.id = p.transaction_id WHERE t.at >= :since AND t.at < :until) "
        "SELECT currency, CASE WHEN account LIKE 'customer%' THEN 'receivable'"
        " WHEN account LIKE 'consultant%' THEN 'payable' WHEN account LIKE 'connected%' THEN"
        " 'connected ' || split_part(account, chr(58), 3) ELSE account END AS kind, sum(amount) "
        "FROM lines GROUP BY 1, 2 ORDER BY 1, 2"
    )
    accounts: dict[str, dict[str, int]] = {}
    for currency, account, amount in await tx.session.execute(query, {"since": since, "until": until}):
        accounts.setdefault(currency, {})[account] = int(amount)
    kinds = text(
        "SELECT kind, count(*) FROM ledger_transaction WHERE at >= :since AND at < :until GROUP BY 1 ORDER BY 1"
    )
    counts = {row[0]: int(row[1]) for row in await tx.session.execute(kinds, {"since": since, "until": until})}
    open_cases = await tx.session.scalar(
        text("SELECT count(*) FROM billing_case WHERE closed_at IS NULL AND opened_at < :until"), {"until": until}
    )
    return {"accounts": accounts, "bookings": counts, "open_cases": int(open_cases or 0)}


async def close(tx: Tx, month: str, by: UserId) -> ClosedMonthRow:
    """Close a month that is over, in order. Raises Conflict with what stands in the way."""
    _, until = bounds(month)
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if until > tx.now:
        raise Conflict("This month is not over yet.", code="month_running")
    if await tx.session.get(ClosedMonthRow, month) is not None:
        raise Conflict("This month is closed already.", code="month_closed")
    found = await figures(tx, month)
    if found["open_cases"]:
        raise Conflict(
            "Cases of this month are open; look at them first.", code="cases_open", count=found["open_cases"]
        )
    row = ClosedMonthRow(month=month, closed_at=tx.now, closed_by=by, figures=found)
    tx.session.add(row)
    audit.record(tx, "finance.month_closed", subject=month, actor=by)
    await tx.session.flush()
    return row


async def closed(tx: Tx) -> Sequence[ClosedMonthRow]:
    """Every closed month, newest first."""
    return list(await tx.session.scalars(select(ClosedMonthRow).order_by(ClosedMonthRow.month.desc())))
