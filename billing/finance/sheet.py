"""The CSV of charges, PURE: exact decimals, and no cell that a spreadsheet would run as a formula."""

import csv
import io
import re
from collections.abc import Iterable, Mapping

from billing.models import ChargeRow
from core.ids import UserId
from core.money import amount_text, decimal_text

HEADER = (
    "reference",
    "accepted_at",
    "customer",
    "consultant",
    "connected_seconds",
    "billed_seconds",
    "gross",
    "commission",
    "net",
    "refunded",
    "currency",
    "state",
)
# OWASP, CSV injection: a cell that begins so is a formula to Excel, LibreOffice and Google Sheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - full-width forms count too


# Where the list separator is a semicolon (German Excel), a new cell begins in the middle of ours.
_LATER = re.compile(r"(?<=.)([;\t]\s*)([=+\-@＝＋－＠])")  # noqa: RUF001


def safe(cell: str) -> str:
    """Text that stays text: a leading apostrophe disarms what looks like a formula, spaces before it or not."""
    cell = _LATER.sub(r"\1'\2", cell)
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def header() -> str:
    """The first line of the CSV (RFC 4180)."""
    return ",".join(HEADER) + "\r\n"


def sheet(rows: Iterable[ChargeRow], names: Mapping[UserId, str]) -> str:
    """The rows as CSV, without the header; names are given by the edge."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow(
            (
                row.reference,
                row.created_at.isoformat(timespec="seconds"),
                safe(names.get(UserId(row.customer_id), "")),
                safe(names.get(UserId(row.consultant_id), "")),
                decimal_text(row.connected_ms or 0, 3),
                decimal_text(row.billed_ms or 0, 3),
                amount_text(row.gross_minor or 0, row.currency),
                amount_text(row.commission_minor or 0, row.currency),
                amount_text(row.net_minor or 0, row.currency),
                amount_text(row.refunded_minor or 0, row.currency),
                row.currency.upper(),
                row.state,
            )
        )
    return out.getvalue()
