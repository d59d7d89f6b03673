"""The timeline of a charge: evidence rows that receipts and finance show, never changed afterwards."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing.models import ChargeEventRow
from core.db import Tx


def record(tx: Tx, charge_id: UUID, kind: str, **details: Any) -> None:
    """Add an entry to the caller's transaction; ``kind`` is a constant such as ``hold_placed``."""
    tx.session.add(ChargeEventRow(charge_id=charge_id, at=tx.now, kind=kind, details=details))


async def of_charge(tx: Tx, charge_id: UUID) -> list[ChargeEventRow]:
    """Everything that happened to a charge, in order."""
    query = select(ChargeEventRow).where(ChargeEventRow.charge_id == charge_id).order_by(ChargeEventRow.id)
    return list(await tx.session.scalars(query))
