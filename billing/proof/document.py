"""The receipt as a document: everything a third party needs to work out the amount again, from raw rows.

``billing/proof/shape.py`` says what stands where; what it means is said once, in ``docs/receipt.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from billing import invoices
from billing.charges import hold as hold_machine
from billing.metering.bill import bill_of
from billing.metering.intervals import Interval, closed
from billing.metering.lines import lines
from billing.metering.store import price_of
from billing.models import ChargeEventRow, ChargeRow, HoldRow, InvoiceRow
from billing.proof.canonical import canonical
from billing.proof.chain import stamp
from billing.tax import inclusive
from core.money import MINIMUM_CHARGE_MINOR, Currency

VERSION = 2
SINCE_CREDITS = 3  # of a receipt that names any: all others stay as whoever checks them has long known them


@dataclass(frozen=True, slots=True)
class Story:
    """What other rooms know of the call: who, about what, since when; and in whose house it was."""

    issuer_name: str
    issuer_url: str
    customer_name: str
    consultant_name: str
    question_title: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every row of a charge that is final."""

    charge: ChargeRow
    intervals: Sequence[Interval]
    holds: Sequence[HoldRow]
    events: Sequence[ChargeEventRow]
    invoices: Sequence[InvoiceRow]


def document(
    evidence: Evidence, story: Story, *, role: str, shown: frozenset[str], issued_at: datetime
) -> dict[str, Any]:
    """The unsigned receipt for ``customer`` or ``consultant``; entries whose kind is not ``shown`` are hashes only."""
    charge = evidence.charge
    credited = _credits(evidence) if role == "customer" else []
    sections: dict[str, Any] = {
        "version": SINCE_CREDITS if credited else VERSION,
        "issuer": {"name": story.issuer_name, "url": story.issuer_url},
        "reference": charge.reference,
        "call": {
            "id": str(charge.call_id),
            "subject": story.question_title,
            "started_at": stamp(story.started_at),
            "ended_at": _stamp(charge.call_ended_at),
            "close_reason": charge.close_reason,
        },
        "role": role,
        "parties": {"customer": story.customer_name, "consultant": story.consultant_name},
        "state": charge.state,
        "price": _price(charge, role),
        "tax": _tax(charge, invoiced=bool(evidence.invoices)),
        "consent": {"terms_version": charge.terms_version, "at": stamp(charge.consented_at)},
        "intervals": [_interval(item) for item in closed(evidence.intervals)],
        "lines": _lines(evidence),
        "totals": _totals(evidence, role),
        "holds": [_hold(hold) for hold in evidence.holds if hold.held_at is not None],
        "refunds": [_refund(row) for row in evidence.invoices if row.kind == invoices.CREDIT_NOTE],
        **({"credits": credited} if credited else {}),
        "invoice": next((_invoice(row) for row in evidence.invoices if row.kind == invoices.INVOICE), None),
        "fees": {"payment_processing_borne_by": "platform"},
        "chain": _chain(evidence, shown),
        "chain_hash": evidence.events[-1].hash if evidence.events else None,
        "issued_at": stamp(issued_at),
    }
    return {**sections, "digests": digests(sections)}


def digests(sections: dict[str, Any]) -> dict[str, str]:
    """The sha256 of each section's canonical text: a broken signature alone would not say where it broke."""
    return {name: sha256(canonical(value).encode()).hexdigest() for name, value in sections.items()}


def _price(charge: ChargeRow, role: str) -> dict[str, Any]:
    return {
        "currency": charge.currency,
        "rate_minor_per_hour": charge.rate_minor_per_hour,
        "policy": charge.policy,
        "policy_version": charge.policy_version,
        "threshold_ms": charge.threshold_ms,
        "agreed_cap_minor": charge.snapshot_cap_minor,
        "cap_minor": charge.cap_minor,
        "minimum_minor": MINIMUM_CHARGE_MINOR[Currency(charge.currency)],
        "tax_mode": charge.tax_mode,
        "tax_rate_bps": charge.tax_rate_bps,
        "commission_bps": charge.commission_bps if role == "consultant" else None,
    }


def _tax(charge: ChargeRow, *, invoiced: bool) -> dict[str, Any]:
    """Why the price is taxed as it is, and the facts that decided it; nothing of either side where none was taxed."""
    stated = charge if invoiced else None
    return {
        "reason": stated and stated.tax_reason,
        "supplier": {
            "country": stated and stated.supplier_country,
            "vat_id": stated and stated.supplier_vat_id,
            "name": stated and stated.supplier_name,
            "address": stated and stated.supplier_address,
        },
        "customer": {
            "country": stated and stated.customer_country,
            "vat_id": stated and stated.customer_vat_id,
            "name": stated and stated.customer_name,
            "address": stated and stated.customer_address,
        },
    }


def _interval(item: Interval) -> dict[str, Any]:
    return {"n": item.n, "started_at": stamp(item.started_at), "duration_ms": item.duration_ms, "cause": item.cause}


def _lines(evidence: Evidence) -> list[dict[str, Any]]:
    return [
        {
            "kind": line.kind,
            "from": stamp(line.starts_at),
            "to": stamp(line.ends_at),
            "duration_ms": line.duration_ms,
            "cause": line.cause,
            "amount_minor": line.amount_minor,
        }
        for line in lines(price_of(evidence.charge), closed(evidence.intervals))
    ]


def _totals(evidence: Evidence, role: str) -> dict[str, Any]:
    charge = evidence.charge
    due = bill_of(price_of(charge), evidence.intervals)
    gross = charge.gross_minor or 0
    tax = inclusive(gross, invoices.tax_of_charge(charge).rate_bps)
    ended = [hold for hold in evidence.holds if hold.held_at is not None and hold.state in hold_machine.FINAL]
    consultant = role == "consultant"
    return {
        "connected_ms": due.connected_ms,
        "billed_ms": due.billed_ms,
        "gross_minor": gross,
        "uncovered_minor": due.gross_minor - gross,
        "net_of_vat_minor": tax.net_minor,
        "vat_minor": tax.vat_minor,
        "captured_minor": charge.captured_minor,
        "released_minor": sum(hold.amount_minor - hold.captured_minor for hold in ended),
        "refunded_minor": sum(row.gross_minor for row in evidence.invoices if row.kind == invoices.CREDIT_NOTE),
        "commission_minor": (charge.commission_minor or 0) if consultant else None,
        "share_minor": (charge.net_minor or 0) if consultant else None,
    }


def _hold(hold: HoldRow) -> dict[str, Any]:
    return {
        "n": hold.n,
        "amount_minor": hold.amount_minor,
        "state": hold.state,
        "captured_minor": hold.captured_minor,
        "held_at": _stamp(hold.held_at),
        "finished_at": _stamp(hold.finished_at),
    }


def _invoice(row: InvoiceRow) -> dict[str, Any]:
    return {
        "number": invoices.number_of(row),
        "issued_at": stamp(row.issued_at),
        "gross_minor": row.gross_minor,
        "net_minor": row.net_minor,
        "vat_minor": row.vat_minor,
        "vat_rate_bps": row.vat_rate_bps,
        "vat_treatment": row.vat_treatment,
    }


def _refund(row: InvoiceRow) -> dict[str, Any]:
    return {
        "credit_note": invoices.number_of(row),
        "at": stamp(row.issued_at),
        "amount_minor": row.gross_minor,
        "vat_minor": row.vat_minor,
    }


def _credits(evidence: Evidence) -> list[dict[str, Any]]:
    """What the house bore of the price: between it and the customer, so the consultant is not told."""
    rows = [row for row in evidence.invoices if row.kind == invoices.CREDIT]
    return [
        {"number": invoices.number_of(row), "at": stamp(row.issued_at), "amount_minor": row.gross_minor} for row in rows
    ]


def _chain(evidence: Evidence, shown: frozenset[str]) -> dict[str, Any]:
    entries = [
        {"n": event.n, "body": event.body if event.kind in shown else None, "hash": event.hash}
        for event in evidence.events
    ]
    return {"charge_id": str(evidence.charge.id), "entries": entries}


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
