"""Queries of disputes; the charge row is their lock."""

from uuid import UUID

from sqlalchemy import exists, select

from billing.disputes.models import DisputeRow
from core.db import Tx


async def of_provider(tx: Tx, provider_id: str) -> DisputeRow | None:
    """The dispute with Stripe's id, read anew."""
    query = select(DisputeRow).where(DisputeRow.provider_id == provider_id)
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).one_or_none()


async def get(tx: Tx, dispute_id: UUID) -> DisputeRow | None:
    """One dispute, read anew."""
    return await tx.session.get(DisputeRow, dispute_id, populate_existing=True)


async def of_charge(tx: Tx, charge_id: UUID) -> list[DisputeRow]:
    """The disputes of a charge, first to last."""
    query = select(DisputeRow).where(DisputeRow.charge_id == charge_id).order_by(DisputeRow.opened_at)
    return list(await tx.session.scalars(query))


async def open_dispute(tx: Tx, charge_id: UUID) -> bool:
    """Whether a bank is deciding about this charge."""
    waiting = exists().where(DisputeRow.charge_id == charge_id, DisputeRow.closed_at.is_(None))
    return bool(await tx.session.scalar(select(waiting)))


async def listed(tx: Tx, *, open_only: bool, limit: int = 200) -> list[DisputeRow]:
    """Open ones by deadline, closed ones newest first."""
    query = select(DisputeRow).where(DisputeRow.closed_at.is_(None) if open_only else DisputeRow.closed_at.is_not(None))
    order = DisputeRow.due_at.asc().nulls_last() if open_only else DisputeRow.closed_at.desc()
    return list(await tx.session.scalars(query.order_by(order).limit(limit)))
