"""Letters about money, written from what was booked: the snapshot, the invoice, the refund; nothing is computed."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from billing import invoices
from billing.charges import store
from billing.collection import steps
from billing.mails.outbox import Kind
from billing.mails.wording import WORDS
from billing.models import ChargeRow, InvoiceRow
from billing.payouts.models import PayoutRow
from billing.proof.chain import stamp
from billing.proof.pdf.wording import Wording
from billing.refunds import store as refunds
from core.db import Tx


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for: address, name, language (``en`` or ``de``), IANA time zone."""

    email: str
    name: str
    locale: str
    zone: str


@dataclass(frozen=True, slots=True)
class Written:
    """A letter without its envelope."""

    subject: str
    text: str


Figures = Mapping[str, str]


async def write(tx: Tx, kind: Kind, subject_id: str, reader: Reader, public_url: str) -> Written | None:
    """The letter about a fact, in its reader's language; None when it no longer holds."""
    said = WORDS[reader.locale]
    figures = await _FIGURES[kind](tx, subject_id, reader, public_url)
    if figures is None:
        return None
    text = "\n\n".join(
        (said["hello"].format(name=reader.name), said[f"{kind}.text"].format(**figures), f"-- \n{said['bye']}\n")
    )
    return Written(said[f"{kind}.subject"].format(**figures), text)


async def _receipt(tx: Tx, charge_id: str, reader: Reader, public_url: str) -> Figures:
    charge, words = await _charge(tx, UUID(charge_id), reader)
    invoice = next(row for row in await invoices.of_charge(tx, charge.id) if row.kind == invoices.INVOICE)
    why = words.tax(charge.tax_reason, charge.supplier_country)
    return {
        "reference": charge.reference,
        "amount": words.money(invoice.gross_minor),
        "net": words.money(invoice.net_minor),
        "vat": _vat(invoice, words),
        "tax": words.money(invoice.vat_minor),
        "why": f"\n{why}" if why else "",
        "time": words.span(charge.connected_ms or 0),
        "number": invoices.number_of(invoice),
        "url": _receipt_page(charge, public_url),
    }


async def _owed(tx: Tx, charge_id: str, reader: Reader, public_url: str) -> Figures | None:
    return await _unpaid(tx, charge_id, reader, steps.TRYING, f"{public_url}/settings#payment")


async def _given_up(tx: Tx, charge_id: str, reader: Reader, public_url: str) -> Figures | None:
    charge, _ = await _charge(tx, UUID(charge_id), reader)
    return await _unpaid(tx, charge_id, reader, steps.GIVEN_UP, _receipt_page(charge, public_url))


async def _unpaid(tx: Tx, charge_id: str, reader: Reader, state: str, url: str) -> Figures | None:
    """What is missing, while the collection stands where the letter says it does."""
    charge, words = await _charge(tx, UUID(charge_id), reader)
    collection = await steps.of_charge(tx, charge.id)
    if collection is None or collection.state != state:
        return None
    said, again = WORDS[reader.locale], collection.next_at
    return {
        "reference": charge.reference,
        "amount": words.money(collection.amount_minor),
        "since": words.day(stamp(collection.opened_at)),
        "again": said["again.at"].format(at=words.day_and_time(stamp(again))) if again else said["again.now"],
        "url": url,
    }


async def _refund(tx: Tx, refund_id: str, reader: Reader, public_url: str) -> Figures:
    refund = await refunds.get(tx, UUID(refund_id))
    assert refund is not None
    charge, words = await _charge(tx, refund.charge_id, reader)
    parts = {part.id for part in await refunds.parts(tx, refund.id)}
    issued = [row for row in await invoices.of_charge(tx, charge.id) if row.refund_id in parts]
    numbers = ", ".join(map(invoices.number_of, issued))
    kind = Kind.REFUND if refund.credit_id is None else Kind.CREDIT
    return {
        "reference": charge.reference,
        "amount": words.money(refund.amount_minor),
        "notes": WORDS[reader.locale][f"{kind}.notes"].format(numbers=numbers) if issued else "",
        "url": _receipt_page(charge, public_url),
    }


async def _payout(tx: Tx, payout_id: str, reader: Reader, public_url: str) -> Figures:
    payout = await tx.session.get(PayoutRow, payout_id)
    assert payout is not None
    said = WORDS[reader.locale]
    return {
        "amount": Wording(reader.locale, payout.currency, ZoneInfo(reader.zone)).money(payout.amount_minor),
        "why": said.get(f"failure.{payout.failure_code}", said["failure.other"]),
        "url": f"{public_url}/earnings",
    }


_FIGURES: Mapping[Kind, Callable[[Tx, str, Reader, str], Coroutine[Any, Any, Figures | None]]] = {
    Kind.RECEIPT: _receipt,
    Kind.PAYMENT_FAILED: _owed,
    Kind.PAYMENT_GIVEN_UP: _given_up,
    Kind.REFUND: _refund,
    Kind.CREDIT: _refund,
    Kind.PAYOUT_FAILED: _payout,
}


async def _charge(tx: Tx, charge_id: UUID, reader: Reader) -> tuple[ChargeRow, Wording]:
    charge = await store.charge(tx, charge_id)
    assert charge is not None
    return charge, Wording(reader.locale, charge.currency, ZoneInfo(reader.zone))


def _vat(invoice: InvoiceRow, words: Wording) -> str:
    if invoice.vat_treatment == "standard":
        return words("vat", rate=words.percent(invoice.vat_rate_bps))
    return words(f"vat.{invoice.vat_treatment}")


def _receipt_page(charge: ChargeRow, public_url: str) -> str:
    return f"{public_url}/call/{charge.call_id}/done"
