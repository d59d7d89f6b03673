"""ReceiptService: what one side is shown after a call, line by line, €0 calls included."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing import given_back, invoices, timeline
from billing.charges import hold as hold_machine
from billing.charges import store
from billing.given_back import GivenBack
from billing.metering import store as meter_store
from billing.metering.bill import bill_of
from billing.metering.intervals import closed
from billing.metering.lines import Line, lines
from billing.models import ChargeRow, HoldRow
from billing.tax import inclusive
from core.db import Tx
from core.errors import NotFound
from core.ids import CallId, UserId

# What each side may read of the evidence; the rest is for finance.
_FOR_BOTH = frozenset(
    {
        "hold_deferred",
        "hold_placed",
        "hold_raised",
        "hold_due",
        "hold_missed",
        "hold_too_late",
        "interval_opened",
        "interval_closed",
        "threshold_in_2_min",
        "threshold_in_30_s",
        "threshold_passed",
        "cap_in_3_min",
        "cap_in_30_s",
        "cap_reached",
        "extended",
        "call_ended",
        "rescue_open",
        "rescue_given_up",
        "call_continued",
        "review_opened",
        "waived",
        "settled",
        "hold_captured",
        "hold_released",
        "captured",
        "released",
        "uncollectable",
        "abandoned",
        "side_seen",
        "side_unseen",
        "interval_after_settlement",
        "unfinished_interval_dropped",
        "invoice_issued",
        "credit_note_issued",
    }
)
_FOR_CUSTOMER = _FOR_BOTH | {
    "price_agreed",
    "hold_requested",
    "authentication_needed",
    "hold_declined",
    "raise_requested",
    "raise_declined",
    "raise_given_up",
    "hold_impossible",
    "credit_set",
    "credit_open_again",
    "credit_issued",
}


def shown_to(role: str) -> frozenset[str]:
    """The kinds of evidence that ``customer`` or ``consultant`` may read; of all others they see the hash."""
    return _FOR_CUSTOMER if role == "customer" else _FOR_BOTH


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline."""

    at: datetime
    kind: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seal:
    """The state of the evidence chain: how long it is, how it ends, and the first entry that is not as written."""

    entries: int
    last_hash: str | None
    broken_at: int | None


@dataclass(frozen=True, slots=True)
class Taxed:
    """Why the price is taxed as it is (a ``billing.tax.Reason``), and by which facts; None where nothing was stated.

    Name, address and number are those of an invoice: without one, neither side learns where the other lives.
    """

    reason: str | None
    supplier_country: str | None
    supplier_vat_id: str | None
    supplier_name: str | None
    supplier_address: str | None
    customer_country: str | None
    customer_vat_id: str | None
    customer_name: str | None
    customer_address: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """The bill of one call as one side sees it; both see the same time and the same gross.

    ``paid_minor`` is what was taken less everything that was given back, as far as it concerns this side.
    """

    call_id: UUID
    reference: str
    role: str
    customer_id: UUID
    consultant_id: UUID
    state: str
    review_until: datetime | None
    ended_at: datetime | None
    close_reason: str | None
    connected_ms: int
    billed_ms: int
    lines: tuple[Line, ...]
    rate_minor_per_hour: int
    policy: str
    threshold_ms: int
    cap_minor: int
    currency: str
    tax_mode: str
    tax_rate_bps: int
    tax: Taxed
    gross_minor: int
    commission_minor: int
    net_minor: int
    held_minor: int
    released_minor: int
    released_at: datetime | None
    captured_at: datetime | None
    terms_version: str
    consented_at: datetime
    timeline: tuple[Entry, ...]
    net_of_vat_minor: int
    vat_minor: int
    invoice_number: str | None
    evidence: Seal
    given_back: tuple[GivenBack, ...]
    paid_minor: int


class ReceiptService:
    """Receipts are computed from raw rows each time; nothing is printed that cannot be recomputed."""

    async def receipt(self, tx: Tx, user: UserId, call_id: CallId) -> Receipt:
        """The receipt of a call for one of its sides; NotFound for everybody else."""
        charge = await store.charge_of_call(tx, call_id)
        if charge is None or user not in {charge.customer_id, charge.consultant_id}:
            raise NotFound
        role = "customer" if user == charge.customer_id else "consultant"
        intervals = closed(await meter_store.intervals(tx, charge))
        price = meter_store.price_of(charge)
        due = bill_of(price, intervals)
        holds = await store.holds(tx, charge.id)
        shown = shown_to(role)
        events = await timeline.of_charge(tx, charge.id)
        entries = [Entry(row.at, row.kind, row.details) for row in events]
        gross = due.gross_minor if charge.gross_minor is None else charge.gross_minor
        tax = inclusive(gross, invoices.tax_of_charge(charge).rate_bps)
        issued = await invoices.of_charge(tx, charge.id)
        returned = given_back.of_side(role, await given_back.of_charge(tx, charge))
        held, released = _held(holds), _released(holds)
        return Receipt(
            call_id=charge.call_id,
            reference=charge.reference,
            role=role,
            customer_id=charge.customer_id,
            consultant_id=charge.consultant_id,
            state=charge.state,
            review_until=charge.review_until,
            ended_at=charge.call_ended_at,
            close_reason=charge.close_reason,
            connected_ms=due.connected_ms,
            billed_ms=due.billed_ms if charge.billed_ms is None else charge.billed_ms,
            lines=lines(price, intervals),
            rate_minor_per_hour=charge.rate_minor_per_hour,
            policy=charge.policy,
            threshold_ms=charge.threshold_ms,
            cap_minor=charge.cap_minor,
            currency=charge.currency,
            tax_mode=charge.tax_mode,
            tax_rate_bps=charge.tax_rate_bps,
            tax=_taxed(charge, invoiced=bool(issued)),
            gross_minor=gross,
            commission_minor=due.commission_minor if charge.commission_minor is None else charge.commission_minor,
            net_minor=due.net_minor if charge.net_minor is None else charge.net_minor,
            held_minor=held,
            released_minor=released,
            released_at=_last(holds, hold_machine.State.RELEASED) or _captured_at(charge, holds, released),
            captured_at=_last(holds, hold_machine.State.CAPTURED),
            terms_version=charge.terms_version,
            consented_at=charge.consented_at,
            timeline=tuple(entry for entry in entries if entry.kind in shown),
            net_of_vat_minor=tax.net_minor,
            vat_minor=tax.vat_minor,
            invoice_number=invoices.number_of(issued[0]) if issued else None,
            evidence=Seal(len(events), events[-1].hash if events else None, timeline.verify(events)),
            given_back=returned,
            paid_minor=given_back.paid_in_the_end(charge, returned),
        )


def _taxed(charge: ChargeRow, *, invoiced: bool) -> Taxed:
    return Taxed(
        reason=charge.tax_reason,
        supplier_country=charge.supplier_country,
        supplier_vat_id=charge.supplier_vat_id if invoiced else None,
        supplier_name=charge.supplier_name if invoiced else None,
        supplier_address=charge.supplier_address if invoiced else None,
        customer_country=charge.customer_country,
        customer_vat_id=charge.customer_vat_id if invoiced else None,
        customer_name=charge.customer_name if invoiced else None,
        customer_address=charge.customer_address if invoiced else None,
    )


def _held(holds: list[HoldRow]) -> int:
    """Everything that was ever reserved."""
    return sum(hold.amount_minor for hold in holds if hold.held_at is not None)


def _released(holds: list[HoldRow]) -> int:
    """What went back: whole holds, and what a capture left over."""
    ended = [hold for hold in holds if hold.held_at is not None and hold.state in hold_machine.FINAL]
    return sum(hold.amount_minor - hold.captured_minor for hold in ended)


def _last(holds: list[HoldRow], state: hold_machine.State) -> datetime | None:
    moments = [hold.finished_at for hold in holds if hold.state == state and hold.held_at and hold.finished_at]
    return max(moments, default=None)


def _captured_at(charge: ChargeRow, holds: list[HoldRow], released_minor: int) -> datetime | None:
    """A partial capture releases the rest in the same moment."""
    return _last(holds, hold_machine.State.CAPTURED) if released_minor and charge.captured_minor else None
