"""The printed receipt: says what the signed document says, and nothing else."""

from typing import Any
from zoneinfo import ZoneInfo

from billing.proof.pdf import bar, mark
from billing.proof.pdf.sheet import (
    AMOUNT,
    BODY,
    DRAWING,
    LEFT,
    RIGHT,
    SMALL,
    STRONG,
    TITLE,
    Sheet,
    Style,
)
from billing.proof.pdf.wording import DASH, Wording

Document = dict[str, Any]
COLUMN = 95.0
TIMES, SPANS = RIGHT - 210, RIGHT - 85


def printed(receipt: Document, *, locale: str, zone: str) -> bytes:
    """A signed receipt as PDF, A4, in ``en`` or ``de`` and the reader's time zone."""
    words = Wording(locale if locale in {"en", "de"} else "en", receipt["price"]["currency"], ZoneInfo(zone))
    issuer, reference = receipt["issuer"]["name"], receipt["reference"]
    footer = [
        words("foot", issuer=issuer, reference=reference),
        words("key", key=receipt["signature"]["key_id"]),
        words("seal", hash=receipt["chain_hash"] or DASH),
    ]
    with DRAWING:
        sheet = Sheet(title=f"{words('receipt')} {reference}", author=issuer, language=words.locale, footer=footer)
        _head(sheet, receipt, words)
        _amount(sheet, receipt, words)
        _lines(sheet, receipt, words)
        _payment(sheet, receipt, words)
        _rules(sheet, receipt, words)
        return sheet.finish()


def _head(sheet: Sheet, receipt: Document, words: Wording) -> None:
    mark.draw(sheet)
    sheet.text(LEFT + 34, receipt["issuer"]["name"], Style(STRONG.font, 13))
    invoice = receipt["invoice"]
    sheet.text(RIGHT, words("invoice", number=invoice["number"]) if invoice else words("receipt"), TITLE, right=True)
    sheet.down(14)
    issued = invoice["issued_at"] if invoice else receipt["issued_at"]
    sheet.text(RIGHT, f"{words('issued')} {words.day(issued)}", SMALL, right=True)
    sheet.down(30)
    call, parties = receipt["call"], receipt["parties"]
    for label, value in (
        (words("customer"), _party(parties["customer"], receipt["tax"]["customer"], words)),
        (words("consultant"), _party(parties["consultant"], receipt["tax"]["supplier"], words)),
        (words("subject"), call["subject"]),
        (words("call"), words.day_and_time(call["started_at"])),
        (words("reference"), receipt["reference"]),
    ):
        _pair(sheet, label, value)
    if invoice:
        sheet.paragraph(words("in_name_of", issuer=receipt["issuer"]["name"]), SMALL, x=LEFT + COLUMN)


def _party(shown: str, stated: dict[str, str | None], words: Wording) -> str:
    """A side as an invoice names it: what they are called here, then name, address and number as they stated them."""
    number = words("vat_id", number=stated["vat_id"]) if stated["vat_id"] else None
    address = (stated["address"] or "").splitlines()
    parts = [shown, stated["name"] if stated["name"] != shown else None, *address, stated["country"], number]
    return " · ".join(part for part in parts if part)


def _pair(sheet: Sheet, label: str, value: str) -> None:
    sheet.room(14)
    sheet.text(LEFT, label, Style(colour=SMALL.colour))
    sheet.paragraph(value, x=LEFT + COLUMN, width=RIGHT - LEFT - COLUMN)


def _amount(sheet: Sheet, receipt: Document, words: Wording) -> None:
    totals, time = receipt["totals"], words.span(receipt["totals"]["connected_ms"])
    sheet.down(34)
    consultant = receipt["role"] == "consultant"
    sheet.text(LEFT, words.money(totals["share_minor"] if consultant else totals["gross_minor"]), AMOUNT)
    sheet.down(20)
    if not totals["gross_minor"]:
        sentence = words("free", time=time)
    elif consultant:
        sentence = words("share", gross=words.money(totals["gross_minor"]), time=time)
    else:
        sentence = words("uncollectable" if receipt["state"] == "uncollectable" else "paid", time=time)
    sheet.paragraph(sentence)


def _lines(sheet: Sheet, receipt: Document, words: Wording) -> None:
    sheet.heading(words("how"))
    bar.draw(sheet, receipt["lines"], words)
    sheet.down(8)
    if receipt["lines"]:
        _columns(sheet, words)
    rate = words.per_minute(receipt["price"]["rate_minor_per_hour"])
    for line in receipt["lines"]:
        if sheet.room(16):
            _columns(sheet, words)
        cause = f" · {words.cause(line['cause'])}" if line["cause"] else ""
        sheet.text(LEFT, words(f"line.{line['kind']}", rate=rate) + cause)
        sheet.text(TIMES, f"{words.time(line['from'])} {DASH} {words.time(line['to'])}")
        sheet.text(SPANS + 20, words.span(line["duration_ms"]), right=True)
        sheet.text(RIGHT, words.money(line["amount_minor"]), right=True)
        sheet.down(15)
    _sums(sheet, receipt, words)


def _columns(sheet: Sheet, words: Wording) -> None:
    sheet.text(TIMES, words("when"), SMALL)
    sheet.text(SPANS + 20, words("duration"), SMALL, right=True)
    sheet.text(RIGHT, words("amount"), SMALL, right=True)
    sheet.down(5)
    sheet.rule()
    sheet.down(13)


def _sums(sheet: Sheet, receipt: Document, words: Wording) -> None:
    totals, price = receipt["totals"], receipt["price"]
    sheet.room(80)
    sheet.down(-8)
    sheet.rule()
    sheet.down(14)
    taxed = price["tax_mode"] == "inclusive"
    vat = words("vat", rate=words.percent(price["tax_rate_bps"])) if taxed else words(f"vat.{price['tax_mode']}")
    rows = [(words("uncovered"), -totals["uncovered_minor"], BODY)] if totals["uncovered_minor"] else []
    rows += [
        (words("net"), totals["net_of_vat_minor"], BODY),
        (vat, totals["vat_minor"], BODY),
        (words("total"), totals["gross_minor"], STRONG),
    ]
    if receipt["role"] == "consultant":
        rows.append(
            (words("commission", rate=words.percent(price["commission_bps"])), -totals["commission_minor"], BODY)
        )
        rows.append((words("your_share"), totals["share_minor"], STRONG))
    for label, amount, style in rows:
        sheet.text(SPANS + 20, label, style, right=True)
        sheet.text(RIGHT, words.money(amount), style, right=True)
        sheet.down(15)
    sentence = words.tax(receipt["tax"]["reason"], receipt["tax"]["supplier"]["country"])
    if sentence is not None:
        sheet.paragraph(sentence, SMALL)


def _payment(sheet: Sheet, receipt: Document, words: Wording) -> None:
    sheet.heading(words("money"))
    for hold in receipt["holds"]:
        figures = {
            "amount": words.money(hold["amount_minor"]),
            "at": words.time(hold["held_at"]),
            "captured": words.money(hold["captured_minor"]),
            "released": words.money(hold["amount_minor"] - hold["captured_minor"] if hold["finished_at"] else 0),
        }
        _pair(sheet, words("hold", n=hold["n"]), words("hold.text", **figures))
    for refund in receipt["refunds"]:
        at, amount = words.day(refund["at"]), words.money(refund["amount_minor"])
        _pair(sheet, words("refund"), words("refund.text", amount=amount, at=at, number=refund["credit_note"]))
    for credit in receipt.get("credits", []):
        at, amount = words.day(credit["at"]), words.money(credit["amount_minor"])
        _pair(sheet, words("credit"), words("credit.text", amount=amount, at=at, number=credit["number"]))
    sheet.paragraph(words("fee", issuer=receipt["issuer"]["name"]), SMALL)


def _rules(sheet: Sheet, receipt: Document, words: Wording) -> None:
    price, consent = receipt["price"], receipt["consent"]
    sheet.heading(words("rules"))
    rule = {
        "threshold": words.span(price["threshold_ms"]),
        "rate": words.per_minute(price["rate_minor_per_hour"]),
        "cap": words.money(price["cap_minor"]),
    }
    sheet.paragraph(words(f"rule.{price['policy']}", **rule))
    sheet.paragraph(words("consent", version=consent["terms_version"], at=words.day_and_time(consent["at"])))
    sheet.heading(words("verify"))
    entries = len(receipt["chain"]["entries"])
    sheet.paragraph(words("verify.text", url=receipt["issuer"]["url"], entries=entries))
