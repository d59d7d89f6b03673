"""The statement of a connected account on paper, PURE drawing: the lines and sums of the table, nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm

from billing.payouts.statement import AccountStatement, Movement, amounts
from billing.proof.chain import stamp
from billing.proof.pdf import mark
from billing.proof.pdf.sheet import DRAWING, LEFT, RIGHT, SMALL, STRONG, TITLE, Sheet, Style
from billing.proof.pdf.wording import Wording

WORDS = {
    "en": {
        "statement": "Statement {month}",
        "for": "For {name}; times in {zone}, made on {day}.",
        "none": "Nothing has ever moved on this account.",
        "at": "Day",
        "what": "What",
        "reference": "Reference",
        "gross": "Gross",
        "commission": "Commission",
        "net": "Net",
        "paid_out": "Paid out",
        "balance": "Balance",
        "before": "Balance brought forward",
        "after": "Balance carried forward",
        "capture": "Call",
        "refund": "Refund",
        "refund_failed": "Refund came back",
        "dispute_share_reversed": "Dispute: taken back",
        "dispute_share_returned": "Dispute: returned",
        "payout": "Payout to the bank",
        "payout_failed": "Payout came back",
    },
    "de": {
        "statement": "Abrechnung {month}",
        "for": "Für {name}; Zeiten in {zone}, erstellt am {day}.",
        "none": "Auf diesem Konto hat sich noch nie etwas bewegt.",
        "at": "Tag",
        "what": "Was",
        "reference": "Vorgang",
        "gross": "Brutto",
        "commission": "Provision",
        "net": "Netto",
        "paid_out": "Ausgezahlt",
        "balance": "Stand",
        "before": "Stand davor",
        "after": "Stand danach",
        "capture": "Gespräch",
        "refund": "Erstattung",
        "refund_failed": "Erstattung kam zurück",
        "dispute_share_reversed": "Anfechtung: zurückgeholt",
        "dispute_share_returned": "Anfechtung: zurückgezahlt",
        "payout": "Auszahlung an die Bank",
        "payout_failed": "Auszahlung kam zurück",
    },
}
_ROW, _HEAD, _BOLD = Style(size=7.5), Style(size=7.5, colour=SMALL.colour), Style(STRONG.font, 7.5)
# Where each column of text begins, and how wide it is; where each column of numbers ends.
_TEXTS = (("at", LEFT, 16 * mm), ("what", LEFT + 17 * mm, 30 * mm), ("reference", LEFT + 48 * mm, 46 * mm))
_NUMBERS = tuple(
    zip(("gross", "commission", "net", "paid_out"), (LEFT + n * mm for n in (108, 124, 139, 154)), strict=True)
)


@dataclass(frozen=True, slots=True)
class About:
    """Whose statement it is, of which month (``2026-01``), for whom it is written, and when."""

    issuer: str
    name: str
    month: str
    locale: str
    zone: str
    now: datetime


def printed_statement(accounts: Sequence[AccountStatement], about: About) -> bytes:
    """The statements of a month as PDF, A4, in ``en`` or ``de``: one table for each currency."""
    said = WORDS[about.locale if about.locale in WORDS else "en"]
    first = Wording(about.locale if about.locale in WORDS else "en", "eur", ZoneInfo(about.zone))
    month = first.month(date.fromisoformat(f"{about.month}-01"))
    title = said["statement"].format(month=month)
    footer = [f"{about.issuer} · {title} · {about.name}"]
    with DRAWING:
        sheet = Sheet(title=title, author=about.issuer, language=first.locale, footer=footer)
        mark.draw(sheet)
        sheet.text(LEFT + 34, about.issuer, Style(STRONG.font, 13))
        sheet.text(RIGHT, title, TITLE, right=True)
        sheet.down(30)
        sheet.paragraph(said["for"].format(name=about.name, zone=about.zone, day=first.day(stamp(about.now))), SMALL)
        if not accounts:
            sheet.paragraph(said["none"])
        for account in accounts:
            _account(sheet, account, Wording(first.locale, account.currency, first.zone), said)
        return sheet.finish()


def _account(sheet: Sheet, account: AccountStatement, words: Wording, said: dict[str, str]) -> None:
    sheet.heading(account.currency.upper())
    _head(sheet, said)
    _line(sheet, ("", said["before"], ""), (), words.figure(account.before_minor), _BOLD)
    for one, balance in account.running():
        if sheet.room(14):
            _head(sheet, said)
        figures = tuple(words.figure(amount) if amount else "" for amount in amounts(one))
        _line(sheet, _texts(one, words, said), figures, words.figure(balance), _ROW)
    sheet.room(14)
    sums = tuple(map(words.figure, account.sums))
    _line(sheet, ("", said["after"], ""), sums, words.figure(account.after_minor), _BOLD)


def _texts(one: Movement, words: Wording, said: dict[str, str]) -> tuple[str, str, str]:
    what = said.get(one.kind, one.kind.replace("_", " "))
    return words.short_day(stamp(one.at)), what, one.reference


def _head(sheet: Sheet, said: dict[str, str]) -> None:
    for name, x, _ in _TEXTS:
        sheet.text(x, said[name], _HEAD)
    for name, x in (*_NUMBERS, ("balance", RIGHT)):
        sheet.text(x, said[name], _HEAD, right=True)
    sheet.down(5)
    sheet.rule()
    sheet.down(11)


def _line(sheet: Sheet, texts: Sequence[str], figures: Sequence[str], balance: str, style: Style) -> None:
    for text, (_, x, width) in zip(texts, _TEXTS, strict=True):
        sheet.text(x, sheet.fitted(text, style, width), style)
    for figure, (_, x) in zip(figures, _NUMBERS, strict=False):
        sheet.text(x, figure, style, right=True)
    sheet.text(RIGHT, balance, style, right=True)
    sheet.down(12)
