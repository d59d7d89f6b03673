"""Queries of refunds; the charge row is the lock of everything here."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from billing.charges import store as charges
from billing.charges.hold import State as HoldState
from billing.disputes.models import DisputeRow
from billing.models import HoldRow
from billing.refunds.models import RefundPartRow, RefundRow
from billing.refunds.plan import Captured
from core.db import Tx


async def of_charge(tx: Tx, charge_id: UUID) -> list[RefundRow]:
    """Every refund of a charge, first to last, read anew."""
    query = select(RefundRow).where(RefundRow.charge_id == charge_id).order_by(RefundRow.requested_at, RefundRow.key)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def by_key(tx: Tx, key: str) -> RefundRow | None:
    """The refund that was asked for under this key."""
    return (await tx.session.scalars(select(RefundRow).where(RefundRow.key == key))).one_or_none()


async def get(tx: Tx, refund_id: UUID) -> RefundRow | None:
    """One refund, read anew."""
    return await tx.session.get(RefundRow, refund_id, populate_existing=True)


async def part(tx: Tx, part_id: UUID) -> RefundPartRow | None:
    """One part, read anew."""
    return await tx.session.get(RefundPartRow, part_id, populate_existing=True)


async def part_of_provider(tx: Tx, provider_id: str) -> RefundPartRow | None:
    """The part that is this refund at Stripe."""
    query = select(RefundPartRow).where(RefundPartRow.provider_id == provider_id)
    return (await tx.session.scalars(query)).one_or_none()


async def parts(tx: Tx, refund_id: UUID) -> list[RefundPartRow]:
    """The parts of a refund, read anew."""
    query = select(RefundPartRow).where(RefundPartRow.refund_id == refund_id).order_by(RefundPartRow.id)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


def _lost_fee() -> ColumnElement[int]:
    """Our commission's part of what banks kept."""
    return func.coalesce(func.sum(DisputeRow.withdrawn_minor - DisputeRow.share_minor), 0)


async def captures(tx: Tx, charge_id: UUID) -> list[Captured[HoldRow]]:
    """What was captured of a charge, hold by hold, and what went back of it, is on its way, or a bank kept.

    A refund that came back counts, too: its transfer stays reversed, so giving it back once more takes another way.
    """
    found: list[Captured[HoldRow]] = []
    for hold in await charges.holds(tx, charge_id):
        if hold.state != HoldState.CAPTURED:
            continue
        query = select(
            func.coalesce(func.sum(RefundPartRow.amount_minor), 0),
            func.coalesce(func.sum(func.coalesce(RefundPartRow.commission_minor, 0)), 0),
            func.coalesce(func.sum(RefundPartRow.amount_minor).filter(RefundRow.credit_id.is_not(None)), 0),
        )
        query = query.join(RefundRow, RefundRow.id == RefundPartRow.refund_id).where(
            RefundPartRow.hold_id == hold.id,
            (RefundPartRow.state != "failed") | RefundPartRow.commission_minor.is_not(None),
        )
        refunded, returned, credited = map(int, (await tx.session.execute(query)).one())
        lost = select(func.coalesce(func.sum(DisputeRow.withdrawn_minor), 0), _lost_fee()).where(
            DisputeRow.hold_id == hold.id, DisputeRow.status == "lost"
        )
        kept, kept_fee = (await tx.session.execute(lost)).one()
        refunded, returned = refunded + int(kept), returned + int(kept_fee)
        found.append(Captured(hold, hold.captured_minor, hold.capture_fee_minor, refunded, returned, credited))
    return found


async def share_given_back_minor(tx: Tx, hold_id: UUID) -> int:
    """What the consultant has given back of a capture, by refunds that were booked."""
    query = select(func.coalesce(func.sum(RefundPartRow.share_minor), 0)).where(RefundPartRow.hold_id == hold_id)
    return int(await tx.session.scalar(query) or 0)
