"""Queries of the meter: intervals of a call, and charges at which something is due."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select, update

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
        secured=charge.late_hold_ms is None or charge.secured_at is not None,
    )


async def intervals(tx: Tx, call_id: UUID) -> list[Interval]:
    """What was observed of this call, in order."""
    return (await intervals_of(tx, [call_id]))[call_id]


async def intervals_of(tx: Tx, call_ids: Sequence[UUID]) -> dict[UUID, list[Interval]]:
    """The same of several calls; of one nothing was observed of, an empty list."""
    query = select(BillableIntervalRow).where(BillableIntervalRow.call_id.in_(call_ids)).order_by(BillableIntervalRow.n)
    found: dict[UUID, list[Interval]] = {call_id: [] for call_id in call_ids}
    for row in await tx.session.scalars(query):
        # Rows come in the zone of the session: adding to such a moment would count the hour of summer time.
        started_at = row.started_at.astimezone(UTC)
        found[row.call_id].append(Interval(row.n, started_at, row.duration_ms, row.open, row.cause))
    return found


async def interval(tx: Tx, call_id: UUID, n: int) -> BillableIntervalRow | None:
    """One observed interval."""
    return await tx.session.get(BillableIntervalRow, (call_id, n))


async def claim_due(tx: Tx, most: int) -> Sequence[ChargeRow]:
    """Lock up to ``most`` charges whose next deadline has come; charges that others work on are skipped."""
    query = (
        select(ChargeRow)
        .where(ChargeRow.next_deadline_at <= tx.now)
        .order_by(ChargeRow.next_deadline_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return (await tx.session.scalars(query)).all()


async def look_at_all(tx: Tx) -> None:
    """Make every charge that waits for a mark due now; locked in one order, so that two workers may do so at once."""
    waiting = select(ChargeRow.id).where(ChargeRow.next_deadline_at.is_not(None)).order_by(ChargeRow.id)
    every = update(ChargeRow).where(ChargeRow.id.in_(waiting.with_for_update())).values(next_deadline_at=tx.now)
    await tx.session.execute(every.execution_options(synchronize_session=False))
