"""The CSV of payouts, PURE: exact decimals, no cell that runs as a formula."""

import csv
import io
from collections.abc import Iterable, Mapping

from billing.finance.sheet import safe
from billing.payouts.models import PayoutRow
from core.ids import UserId
from core.money import amount_text

HEADER = ("payout", "consultant", "left_at", "arrives_at", "amount", "currency", "status", "automatic", "failure")


def header() -> str:
    """The first line (RFC 4180)."""
    return ",".join(HEADER) + "\r\n"


def sheet(rows: Iterable[PayoutRow], names: Mapping[UserId, str]) -> str:
    """The rows, without the header; names are given by the edge."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow(
            (
                row.id,
                safe(names.get(UserId(row.consultant_id), "")),
                row.created_at.isoformat(timespec="seconds"),
                row.arrives_at.isoformat(timespec="seconds") if row.arrives_at else "",
                amount_text(row.amount_minor, row.currency),
                row.currency.upper(),
                row.status,
                "yes" if row.automatic else "no",
                safe(row.failure_code or ""),
            )
        )
    return out.getvalue()
