"""The list of charges on paper, PURE drawing: the same rows and totals as on the screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reportlab.lib.units import mm

from billing.finance.store import Total
from billing.proof.pdf.sheet import DRAWING, LEFT, RIGHT, SMALL, STRONG, TITLE, Sheet, Style
from core.money import amount_text

MOST_PRINTED = 1_000
_ROW = Style(size=7.5)
_HEAD = Style(STRONG.font, 7.5)
_NAME = 24  # characters of a name that fit
# Where each column begins, or ends (numbers), from the left edge.
_COLUMNS = (
    ("Reference", LEFT, False),
    ("Accepted (UTC)", LEFT + 29 * mm, False),
    ("Customer", LEFT + 52 * mm, False),
    ("Consultant", LEFT + 82 * mm, False),
    ("Gross", LEFT + 124 * mm, True),
    ("Commission", LEFT + 140 * mm, True),
    ("Refunded", LEFT + 154 * mm, True),
    ("State", RIGHT - 14 * mm, False),
)


@dataclass(frozen=True, slots=True)
class PrintedCharge:
    """One line; amounts in minor units."""

    reference: str
    at: datetime
    customer: str
    consultant: str
    gross_minor: int
    commission_minor: int
    net_minor: int
    refunded_minor: int
    currency: str
    state: str


def printed_charges(lines: Sequence[PrintedCharge], totals: Sequence[Total], now: datetime) -> bytes:
    """The list as PDF, newest first, totals per currency at its head."""
    with DRAWING:
        footer = [f"Consultant Connect, charges as of {now:%Y-%m-%d %H:%M} UTC"]
        sheet = Sheet(title="Charges", author="Consultant Connect", language="en", footer=footer)
        sheet.text(LEFT, "Charges", TITLE)
        sheet.down(24)
        for total in totals:
            words = (
                f"{total.count} in {total.currency.upper()}: gross {amount_text(total.gross_minor, total.currency)}, "
                f"commission {amount_text(total.commission_minor, total.currency)}, "
                f"net {amount_text(total.net_minor, total.currency)}"
            )
            sheet.text(LEFT, words, SMALL)
            sheet.down(13)
        sheet.down(6)
        _head(sheet)
        for line in lines:
            if sheet.room(14):
                _head(sheet)
            _line(sheet, line)
        return sheet.finish()


def _head(sheet: Sheet) -> None:
    for name, x, right in _COLUMNS:
        sheet.text(x, name, _HEAD, right=right)
    sheet.down(5)
    sheet.rule()
    sheet.down(11)


def _line(sheet: Sheet, line: PrintedCharge) -> None:
    cells = (
        line.reference,
        f"{line.at:%Y-%m-%d %H:%M}",
        line.customer[:_NAME],
        line.consultant[:_NAME],
        f"{amount_text(line.gross_minor, line.currency)} {line.currency.upper()}",
        amount_text(line.commission_minor, line.currency),
        amount_text(line.refunded_minor, line.currency),
        line.state.replace("_", " "),
    )
    for (_, x, right), cell in zip(_COLUMNS, cells, strict=True):
        sheet.text(x, cell, _ROW, right=right)
    sheet.down(12)
