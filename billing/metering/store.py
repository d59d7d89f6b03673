"""Queries of the meter: intervals of a call, and charges at which something is due."""

from collections.abc import Sequence
from datetime import UTC
from uuid import UUID

from sqlalchemy import select, update

from billing.charges import calls
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


async def intervals(tx: Tx, charge: ChargeRow) -> list[Interval]:
    """What was observed of the calls of this charge, in order."""
    return (await intervals_of(tx, [charge]))[charge.id]


async def intervals_of(tx: Tx, charges: Sequence[ChargeRow]) -> dict[UUID, list[Interval]]:
    """The same of several charges, by their ids; of one nothing was observed of, an empty list.

    Within a charge the intervals are numbered through, whichever of its calls they are of.
    """
    parts = await calls.parts_of(tx, charges)
    place = {part.call_id: (charge_id, part.intervals_before) for charge_id, chain in parts.items() for part in chain}
    query = select(BillableIntervalRow).where(BillableIntervalRow.call_id.in_(place)).order_by(BillableIntervalRow.n)
    found: dict[UUID, list[Interval]] = {charge.id: [] for charge in charges}
    for row in await tx.session.scalars(query):
        # Rows come in the zone of the session: adding to such a moment would count the hour of summer time.
        started_at = row.started_at.astimezone(UTC)
        charge_id, before = place[row.call_id]
        found[charge_id].append(Interval(before + row.n, started_at, row.duration_ms, row.open, row.cause))
    for of_charge in found.values():
        of_charge.sort(key=lambda interval: interval.n)
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
