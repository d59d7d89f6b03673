"""What was given back of a call after its capture, and what was paid in the end, for both of its sides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from billing import invoices
from billing.disputes import store as disputes
from billing.models import ChargeRow
from billing.refunds import store as refunds
from billing.refunds.models import RefundPartRow
from core.db import Tx

_DONE, _INTENDED = "done", "intended"
_LOST = "lost"


@dataclass(frozen=True, slots=True)
class GivenBack:
    """Money that went back to the customer, in minor units; ``share_minor`` of it came from the consultant.

    ``by`` is ``refund`` or, where their bank decided, ``bank``. ``at`` is None while it is on its way, and
    ``credit_note`` the number of the note that corrects the invoice.
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
        found += [_part(part, refund.amount_minor, refund.commission_minor, numbers) for part in parts]
    for row in await disputes.of_charge(tx, charge.id):
        if row.status == _LOST and row.withdrawn_minor:
            share = min(row.share_minor, row.withdrawn_minor)
            found.append(GivenBack("bank", row.withdrawn_minor, share, row.closed_at, numbers.get(row.id)))
    return tuple(found)


def paid_in_the_end(charge: ChargeRow, given_back: Sequence[GivenBack]) -> int:
    """What the customer has paid once everything on its way has arrived, in minor units."""
    return charge.captured_minor - sum(one.amount_minor for one in given_back)


def _part(part: RefundPartRow, amount: int, commission: int, numbers: dict[UUID | None, str]) -> GivenBack:
    """``amount`` and ``commission`` are the refund's: until Stripe has said whose money it was, the plan stands."""
    planned = part.amount_minor - commission * part.amount_minor // amount
    share = planned if part.share_minor is None else part.share_minor
    at = part.finished_at if part.state == _DONE else None
    return GivenBack("refund", part.amount_minor, share, at, numbers.get(part.id))
