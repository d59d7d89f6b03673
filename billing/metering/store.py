"""Queries of the meter: intervals of a call, and charges at which something is due."""

from uuid import UUID

from sqlalchemy import select

from billing.metering.intervals import Interval
from billing.metering.terms import Policy, Price
from billing.models import BillableIntervalRow, ChargeRow
from core.db import Tx
from core.money import Currency


def price_of(charge: ChargeRow) -> Price:
    """The price on a charge's snapshot, with the cap as it stands now."""
    return Price(
        currency=Currency(charge.currency),
        rate_minor_per_hour=charge.rate_minor_per_hour,
        policy=Policy(charge.policy),
        threshold_ms=charge.threshold_ms,
        cap_minor=charge.cap_minor,
        commission_bps=charge.commission_bps,
    )


async def intervals(tx: Tx, call_id: UUID) -> list[Interval]:
    """What was observed of this call, in order."""
    query = select(BillableIntervalRow).where(BillableIntervalRow.call_id == call_id).order_by(BillableIntervalRow.n)
    return [
        Interval(row.n, row.started_at, row.duration_ms, row.open, row.cause) for row in await tx.session.scalars(query)
    ]


async def interval(tx: Tx, call_id: UUID, n: int) -> BillableIntervalRow | None:
    """One observed interval."""
    return await tx.session.get(BillableIntervalRow, (call_id, n))


async def claim_due(tx: Tx) -> ChargeRow | None:
    """Lock one charge whose next deadline has come; charges that others work on are skipped."""
    query = (
        select(ChargeRow)
        .where(ChargeRow.next_deadline_at <= tx.now)
        .order_by(ChargeRow.next_deadline_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.scalars(query)).one_or_none()
