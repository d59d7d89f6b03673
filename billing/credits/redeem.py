"""What a customer is owed is given back of what was just captured: borne by the house, once for each credit and charge.

It is a refund like any other (``refunds/``), of which neither side gives anything: the consultant's share and our
commission stay, and Stripe is asked to reverse no transfer and to return no fee. It is never more than the house keeps
of the call: otherwise two people who agree could collect credits and turn them into a consultant's income (ADR 0017).
"""

from uuid import UUID

from billing import timeline
from billing.credits import store
from billing.credits.models import CreditRow
from billing.credits.plan import uses
from billing.ledger import entries, journal
from billing.models import ChargeRow
from billing.refunds import sending
from billing.refunds import store as refunds
from billing.refunds.models import RefundPartRow, RefundRow
from billing.refunds.plan import kept_minor, plan, refundable_minor
from core.db import Tx
from core.ids import new_id

REASON = "missed_promise"


async def set_against(tx: Tx, charge: ChargeRow) -> None:
    """Use open credits of the customer's, oldest first, up to what the house keeps of this charge.

    The caller holds the charge's lock and has just found it captured: credit, refund, books and the command to Stripe
    are one transaction with that.
    """
    found = await store.lock_open(tx, charge.customer_id, charge.currency)
    if not found:
        return
    captures = await refunds.captures(tx, charge.id)
    most = min(refundable_minor(captures), kept_minor(captures))
    amounts = uses([row.amount_minor - row.used_minor for row in found], most)
    for row, amount in zip(found, amounts, strict=True):
        if amount:
            await _use(tx, charge, row, amount)


async def _use(tx: Tx, charge: ChargeRow, credit: CreditRow, amount_minor: int) -> None:
    credit.used_minor += amount_minor
    refund = RefundRow(
        id=new_id(),
        charge_id=charge.id,
        credit_id=credit.id,
        key=f"credit:{credit.id}:{charge.id}",
        reason=REASON,
        note="",
        amount_minor=amount_minor,
        commission_minor=0,
        currency=charge.currency,
        state=sending.SENDING,
        requested_by=None,
        requested_at=tx.now,
        finished_at=None,
    )
    tx.session.add(refund)
    await tx.session.flush()
    timeline.record(tx, charge.id, "credit_set", amount_minor=amount_minor)
    parts = plan(await refunds.captures(tx, charge.id), amount_minor)
    for part in await sending.send(tx, charge, refund, parts):
        await journal.book(
            tx,
            charge.id,
            key=_booked_as(part.id),
            kind="credit_set",
            currency=charge.currency,
            postings=entries.credit_set(charge.customer_id, amount_minor=part.amount_minor),
        )


async def open_again(tx: Tx, charge: ChargeRow, refund: RefundRow, part: RefundPartRow) -> None:
    """Stripe gave nothing back of this part: so much of the credit is left again, for the next charge."""
    assert refund.credit_id is not None
    credit = await store.lock(tx, refund.credit_id)
    credit.used_minor -= part.amount_minor
    await journal.mirror(tx, charge.id, of=_booked_as(part.id), key=f"credit-open:{part.id}")
    timeline.record(tx, charge.id, "credit_open_again", amount_minor=part.amount_minor)


def _booked_as(part_id: UUID) -> str:
    return f"credit:{part_id}"
