"""What one person paid, or earned, in a period: totals, months, a page of bills, and the same as a table for CSV."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing import bills
from billing.bills import Bill, BillTotal, Month, Side
from billing.finance.sheet import safe
from billing.periods import Period, year_to
from core.db import Tx
from core.ids import UserId
from core.money import amount_text, decimal_text

# Between the time a call was connected and the currency: who was on the other side, and the amounts.
OTHER = {"customer": "consultant", "consultant": "customer"}
AMOUNTS = {
    "customer": ("price", "paid", "refunded", "credited"),
    "consultant": ("gross", "commission", "net", "refunded"),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A page of bills, newest first; totals are of the whole period, months of the year that ends with it."""

    items: Sequence[Bill]
    totals: Sequence[BillTotal]
    months: Sequence[Month]
    year: Period
    next_cursor: str | None


async def statement(
    tx: Tx, side: Side, user: UserId, period: Period, *, zone: str, cursor: str | None = None
) -> Statement:
    """What this person paid (``customer``) or earned (``consultant``); months are those of ``zone``."""
    found = await bills.page(tx, side, user, period, cursor)
    year = year_to(period, tx.now, zone)
    return Statement(
        items=found.items,
        totals=await bills.totals(tx, side, user, period),
        months=await bills.months(tx, side, user, year, zone),
        year=year,
        next_cursor=found.next_cursor,
    )


def header(side: Side) -> str:
    """The first line of the CSV (RFC 4180): the columns of the screen."""
    names = ("reference", "billed_at", OTHER[side], "connected_seconds", *AMOUNTS[side], "currency", "state")
    return ",".join(names) + "\r\n"


def table(side: Side, rows: Iterable[Bill], names: Mapping[UserId, str]) -> str:
    """The bills as CSV, without the header: exact decimals, no cell that runs as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        amounts = (
            (row.gross_minor, row.paid_minor, row.refunded_minor, row.credited_minor)
            if side == "customer"
            else (row.gross_minor, row.commission_minor, row.net_minor, row.refunded_minor)
        )
        writer.writerow(
            (
                row.reference,
                row.billed_at.isoformat(timespec="seconds"),
                safe(names.get(row.other_id, "")),
                decimal_text(row.connected_ms, 3),
                *(amount_text(amount, row.currency) for amount in amounts),
                row.currency.upper(),
                row.state,
            )
        )
    return out.getvalue()
