"""Invoices: numbered without gaps, because number and fact come into being in one transaction."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing import timeline
from billing.cases import open_case
from billing.metering.terms import TaxMode
from billing.models import ChargeRow, InvoiceRow, InvoiceSeriesRow
from billing.tax import Tax, Treatment, inclusive
from core.db import Tx
from core.errors import Refused
from core.ids import new_id

INVOICE, CREDIT_NOTE = "invoice", "credit_note"
CREDIT = "credit"  # what the house gave back: it corrects no invoice, because the price stays as it was


def number_of(row: InvoiceRow) -> str:
    """The number people see, such as ``2026-000017``."""
    return f"{row.series}-{row.number:06d}"


def tax_of_charge(charge: ChargeRow) -> Tax:
    """How a charge is taxed, by its snapshot."""
    if charge.tax_mode == TaxMode.INCLUSIVE:
        return Tax(Treatment.STANDARD, charge.tax_rate_bps)
    return Tax(Treatment(charge.tax_mode), 0)


async def of_charge(tx: Tx, charge_id: UUID) -> list[InvoiceRow]:
    """The invoice of a charge and its credit notes, in the order of their numbers."""
    query = select(InvoiceRow).where(InvoiceRow.charge_id == charge_id)
    return list(await tx.session.scalars(query.order_by(InvoiceRow.series, InvoiceRow.number)))


async def issue_invoice(tx: Tx, charge: ChargeRow) -> InvoiceRow | None:
    """Invoice what was captured, once; None when nothing was. The caller holds the charge's lock.

    Call it last in the transaction that captures: everybody else who settles waits for the series from here on.
    """
    if not charge.captured_minor:
        return None
    there = await of_charge(tx, charge.id)
    if there:
        return there[0]
    tax = tax_of_charge(charge)
    amounts = inclusive(charge.captured_minor, tax.rate_bps)
    return await _issue(tx, charge, INVOICE, amounts.gross_minor, amounts.vat_minor, tax)


async def issue_credit_note(tx: Tx, charge: ChargeRow, refund_id: UUID, amount_minor: int) -> InvoiceRow:
    """Take back ``amount_minor`` of a charge's invoice; the same refund has one credit note.

    The tax of all notes together is rounded, not that of each: a charge refunded in parts leaves no cent of tax.
    Raises Refused when there is no invoice, or less of it is left. The caller holds the charge's lock.
    """
    issued = await of_charge(tx, charge.id)
    same = next((row for row in issued if row.refund_id == refund_id), None)
    if same is not None:
        return same
    invoice = next((row for row in issued if row.kind == INVOICE), None)
    if invoice is None:
        raise Refused("This charge has no invoice that could be corrected.", code="no_invoice")
    notes = [row for row in issued if row.kind == CREDIT_NOTE]
    before = sum(row.gross_minor for row in notes)
    if not 0 < amount_minor <= invoice.gross_minor - before:
        raise Refused("A credit note cannot exceed what is left of its invoice.", code="exceeds_invoice")
    tax = Tax(Treatment(invoice.vat_treatment), invoice.vat_rate_bps)
    vat = inclusive(before + amount_minor, tax.rate_bps).vat_minor - sum(row.vat_minor for row in notes)
    return await _issue(tx, charge, CREDIT_NOTE, amount_minor, vat, tax, refund_id=refund_id, corrects_id=invoice.id)


async def issue_credit(tx: Tx, charge: ChargeRow, refund_id: UUID, amount_minor: int) -> InvoiceRow:
    """Write down what the house gave back of a charge at its own expense; the same refund has one such paper.

    The consultant's price was paid in whole, so it changes neither their invoice nor the tax on it, and has
    none itself. The caller holds the charge's lock.
    """
    issued = await of_charge(tx, charge.id)
    same = next((row for row in issued if row.refund_id == refund_id), None)
    if same is not None:
        return same
    return await _issue(tx, charge, CREDIT, amount_minor, 0, Tax(Treatment.OUTSIDE_SCOPE, 0), refund_id=refund_id)


async def credit(tx: Tx, charge: ChargeRow, refund_id: UUID, amount_minor: int) -> None:
    """A credit note for what of ``amount_minor`` the invoice has left; a person looks at the rest.

    What Stripe has done is never undone here because of a note.
    """
    issued = [row for row in await of_charge(tx, charge.id) if row.kind != CREDIT]
    whole = sum(row.gross_minor if row.kind == INVOICE else -row.gross_minor for row in issued)
    same = any(row.refund_id == refund_id for row in issued)
    possible = amount_minor if same else min(amount_minor, whole)
    if possible > 0:
        await issue_credit_note(tx, charge, refund_id, possible)
    if issued and possible < amount_minor:
        open_case(tx, charge.id, "credit_exceeds_invoice", refund=str(refund_id), missing_minor=amount_minor - possible)


async def _issue(
    tx: Tx,
    charge: ChargeRow,
    kind: str,
    gross_minor: int,
    vat_minor: int,
    tax: Tax,
    *,
    refund_id: UUID | None = None,
    corrects_id: UUID | None = None,
) -> InvoiceRow:
    series = f"{tx.now:%Y}"
    row = InvoiceRow(
        id=new_id(),
        series=series,
        number=await _next(tx, series),
        kind=kind,
        charge_id=charge.id,
        refund_id=refund_id,
        corrects_id=corrects_id,
        issued_at=tx.now,
        currency=charge.currency,
        gross_minor=gross_minor,
        net_minor=gross_minor - vat_minor,
        vat_minor=vat_minor,
        vat_rate_bps=tax.rate_bps,
        vat_treatment=tax.treatment,
    )
    tx.session.add(row)
    timeline.record(tx, charge.id, f"{kind}_issued", number=number_of(row), gross_minor=gross_minor)
    await tx.session.flush()
    return row


async def _next(tx: Tx, series: str) -> int:
    """Take the next number; its row stays locked until the transaction ends, and a rollback gives it back."""
    first = insert(InvoiceSeriesRow).values(series=series, last_number=1)
    taken = first.on_conflict_do_update(
        index_elements=[InvoiceSeriesRow.series], set_={"last_number": InvoiceSeriesRow.last_number + 1}
    )
    return int((await tx.session.execute(taken.returning(InvoiceSeriesRow.last_number))).scalar_one())
