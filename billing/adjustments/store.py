"""Queries of adjustments; the charge row is the lock of everything here."""

from uuid import UUID

from sqlalchemy import select

from billing.adjustments.models import AdjustmentRow
from core.db import Tx


async def by_key(tx: Tx, key: str) -> AdjustmentRow | None:
    """The adjustment that was asked for under this key."""
    return (await tx.session.scalars(select(AdjustmentRow).where(AdjustmentRow.key == key))).one_or_none()


async def of_charge(tx: Tx, charge_id: UUID) -> list[AdjustmentRow]:
    """Every adjustment of a charge, first to last."""
    query = select(AdjustmentRow).where(AdjustmentRow.charge_id == charge_id)
    return list(await tx.session.scalars(query.order_by(AdjustmentRow.requested_at, AdjustmentRow.key)))
