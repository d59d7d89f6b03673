"""The list of charges on paper, PURE drawing: the same rows, columns and totals as on the screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reportlab.lib.units import mm

from billing.finance.store import Total
from billing.proof.chain import stamp
from billing.proof.pdf.sheet import DRAWING, LEFT, SMALL, STRONG, TITLE, Sheet, Style
from billing.proof.pdf.wording import Wording

MOST_PRINTED = 2_000
WORDS = {
    "en": {
        "charges": "Session charges",
        "made": "As of {day}; times in {zone}.",
        "total": "{count} in {currency}: {gross} gross, {commission} commission, {net} net",
        "none": "No charges match.",
        "reference": "Reference",
        "at": "Time",
        "customer": "Customer",
        "consultant": "Consultant",
        "connected": "Connected",
        "billed": "Billed",
        "gross": "Gross",
        "commission": "Commission",
        "net": "Net",
        "refunded": "Given back",
        "state": "State",
        "open": "open",
        "holding": "reserving",
        "awaiting_customer": "waiting for the bank",
        "metering": "in the call",
        "reviewing": "may be looked at",
        "settling": "being settled",
        "captured": "captured",
        "released": "released",
        "uncollectable": "uncollectable",
        "abandoned": "abandoned",
    },
    "de": {
        "charges": "Abrechnungen",
        "made": "Stand {day}; Zeiten in {zone}.",
        "total": "{count} in {currency}: {gross} brutto, {commission} Provision, {net} netto",
        "none": "Keine passenden Abrechnungen.",
        "reference": "Referenz",
        "at": "Zeit",
        "customer": "Kundenseite",
        "consultant": "Beratungsseite",
        "connected": "Verbunden",
        "billed": "Berechnet",
        "gross": "Brutto",
        "commission": "Provision",
        "net": "Netto",
        "refunded": "Erstattet",
        "state": "Stand",
        "open": "offen",
        "holding": "wird reserviert",
        "awaiting_customer": "wartet auf die Bank",
        "metering": "im Gespräch",
        "reviewing": "darf angesehen werden",
        "settling": "wird abgerechnet",
        "captured": "abgebucht",
        "released": "freigegeben",
        "uncollectable": "uneinbringlich",
        "abandoned": "abgebrochen",
    },
}
_ROW, _HEAD = Style(size=7.5), Style(STRONG.font, 7.5)
# Where each column of text begins, and how wide it is; where each column of figures ends.
_TEXTS = (
    ("reference", LEFT, 29 * mm),
    ("at", LEFT + 30 * mm, 28 * mm),
    ("customer", LEFT + 59 * mm, 32 * mm),
    ("consultant", LEFT + 92 * mm, 32 * mm),
    ("state", LEFT + 229 * mm, 28 * mm),
)
_FIGURES = (
    ("connected", LEFT + 141 * mm),
    ("billed", LEFT + 157 * mm),
    ("gross", LEFT + 178 * mm),
    ("commission", LEFT + 194 * mm),
    ("net", LEFT + 210 * mm),
    ("refunded", LEFT + 226 * mm),
)


@dataclass(frozen=True, slots=True)
class PrintedCharge:
    """One line; amounts in minor units."""

    reference: str
    at: datetime
    customer: str
    consultant: str
    connected_ms: int
    billed_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    refunded_minor: int
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class About:
    """Who issues the list, the reader's language and time zone, and when it was made."""

    issuer: str
    locale: str
    zone: str
    now: datetime


def printed_charges(lines: Sequence[PrintedCharge], totals: Sequence[Total], about: About) -> bytes:
    """The list as PDF, A4 on its side, in ``en`` or ``de``: newest first, totals per currency at its head."""
    locale = about.locale if about.locale in WORDS else "en"
    said = WORDS[locale]
    words = Wording(locale, "eur", ZoneInfo(about.zone))
    made = said["made"].format(day=words.day_and_time(stamp(about.now)), zone=about.zone)
    title, footer = said["charges"], [f"{about.issuer} · {said['charges']} · {made}"]
    with DRAWING:
        sheet = Sheet(title=title, author=about.issuer, language=locale, footer=footer, wide=True)
        sheet.text(LEFT, title, TITLE)
        sheet.down(24)
        for line in [made] + [_total(total, words, said) for total in totals] + ([] if lines else [said["none"]]):
            sheet.paragraph(line, SMALL)
        sheet.down(8)
        _head(sheet, said)
        for charge in lines:
            if sheet.room(14):
                _head(sheet, said)
            _line(sheet, charge, Wording(locale, charge.currency, words.zone), said)
        return sheet.finish()


def _total(total: Total, words: Wording, said: dict[str, str]) -> str:
    words = Wording(words.locale, total.currency, words.zone)
    return said["total"].format(
        count=total.count,
        currency=total.currency.upper(),
        gross=words.figure(total.gross_minor),
        commission=words.figure(total.commission_minor),
        net=words.figure(total.net_minor),
    )


def _head(sheet: Sheet, said: dict[str, str]) -> None:
    for name, x, _ in _TEXTS:
        sheet.text(x, said[name], _HEAD)
    for name, x in _FIGURES:
        sheet.text(x, said[name], _HEAD, right=True)
    sheet.down(5)
    sheet.rule()
    sheet.down(11)


def _line(sheet: Sheet, charge: PrintedCharge, words: Wording, said: dict[str, str]) -> None:
    at = stamp(charge.at)
    texts = (
        charge.reference,
        f"{words.short_day(at)} {words.time(at)}",
        charge.customer,
        charge.consultant,
        said.get(charge.state, charge.state.replace("_", " ")),
    )
    figures = (
        words.span(charge.connected_ms),
        words.span(charge.billed_ms),
        f"{words.figure(charge.gross_minor)} {charge.currency.upper()}",
        words.figure(charge.commission_minor),
        words.figure(charge.net_minor),
        words.figure(charge.refunded_minor),
    )
    for (_, x, width), text in zip(_TEXTS, texts, strict=True):
        sheet.text(x, sheet.fitted(text, _ROW, width), _ROW)
    for (_, x), figure in zip(_FIGURES, figures, strict=True):
        sheet.text(x, figure, _ROW, right=True)
    sheet.down(12)
