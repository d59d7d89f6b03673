"""What was given back of a call after its capture, and what was paid in the end, for both of its sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing import invoices
from billing.disputes import store as disputes
from billing.models import ChargeRow
from billing.refunds import store as refunds
from billing.refunds.models import RefundPartRow, RefundRow
from core.db import Tx

_DONE, _INTENDED = "done", "intended"
_LOST = "lost"
CREDIT = "credit"


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Money that went back to the customer, in minor units; ``share_minor`` of it came from the consultant.

    ``by`` is ``refund``, ``credit`` where the house alone bears it for a missed promise, or, where their bank decided,
    ``bank``. ``at`` is None while it is on its way, and ``credit_note`` the number of the paper about it: the note
    that corrects the invoice, or the house's own.
    """

    by: str
    amount_minor: int
    share_minor: int
    at: datetime | None
    credit_note: str | None


async def of_charge(tx: Tx, charge: ChargeRow) -> tuple[GivenBack, ...]:
    """Everything given back of a charge, first to last; refunds that failed or wait for an approval are left out."""
    numbers = {row.refund_id: invoices.number_of(row) for row in await invoices.of_charge(tx, charge.id)}
    found: list[GivenBack] = []
    for refund in await refunds.of_charge(tx, charge.id):
        parts = [part for part in await refunds.parts(tx, refund.id) if part.state in {_DONE, _INTENDED}]
        found += [_part(refund, part, numbers) for part in parts]
    for row in await disputes.of_charge(tx, charge.id):
        if row.status == _LOST and row.withdrawn_minor:
            share = min(row.share_minor, row.withdrawn_minor)
            found.append(GivenBack("bank", row.withdrawn_minor, share, row.closed_at, numbers.get(row.id)))
    return tuple(found)


def paid_in_the_end(charge: ChargeRow, given_back: Sequence[GivenBack]) -> int:
    """What the customer has paid once everything on its way has arrived, in minor units."""
    return charge.captured_minor - sum(one.amount_minor for one in given_back)


def of_side(role: str, found: Sequence[GivenBack]) -> tuple[GivenBack, ...]:
    """What ``customer`` or ``consultant`` is told: a credit is between the customer and the house."""
    return tuple(one for one in found if role == "customer" or one.by != CREDIT)


def _part(refund: RefundRow, part: RefundPartRow, numbers: dict[UUID | None, str]) -> GivenBack:
    """Until Stripe has said whose money it was, the plan stands."""
    at, number = part.finished_at if part.state == _DONE else None, numbers.get(part.id)
    if refund.credit_id is not None:
        return GivenBack(CREDIT, part.amount_minor, 0, at, number)
    planned = part.amount_minor - refund.commission_minor * part.amount_minor // refund.amount_minor
    share = planned if part.share_minor is None else part.share_minor
    return GivenBack("refund", part.amount_minor, share, at, number)
