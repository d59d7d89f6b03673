"""A refund on its way: a part for each capture that gives something back, each with its command to Stripe."""

from collections.abc import Sequence
from typing import Any

from billing.charges import commands
from billing.charges.command import Kind
from billing.models import ChargeRow, HoldRow
from billing.refunds.models import RefundPartRow, RefundRow
from billing.refunds.plan import Part
from core.db import Tx
from core.ids import new_id

SENDING = "sending"


async def send(tx: Tx, charge: ChargeRow, row: RefundRow, parts: Sequence[Part[HoldRow]]) -> list[RefundPartRow]:
    """Write the parts down and intend their commands; the caller holds the charge's lock."""
    row.state = SENDING
    found: list[RefundPartRow] = []
    for part in parts:
        written = RefundPartRow(
            id=new_id(),
            refund_id=row.id,
            hold_id=part.hold.id,
            amount_minor=part.amount_minor,
            state="intended",
            provider_id=None,
            transfer_reversal_id=None,
            commission_minor=None,
            share_minor=None,
            finished_at=None,
        )
        tx.session.add(written)
        await tx.session.flush()
        await commands.intend(
            tx,
            part.hold,
            Kind.REFUND,
            key=f"refund:{written.id}",
            params=_params(charge, row, written),
            subject_id=written.id,
        )
        found.append(written)
    tx.touch([charge.customer_id, charge.consultant_id])
    return found


def _params(charge: ChargeRow, row: RefundRow, part: RefundPartRow) -> dict[str, Any]:
    params = {
        "amount_minor": part.amount_minor,
        "metadata": {"part_id": str(part.id), "reference": charge.reference},
    }
    return params if row.credit_id is None else params | {"from_platform": True}
