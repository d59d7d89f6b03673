"""The timeline of a charge: evidence rows that receipts and finance show, chained by hash and never changed."""

import secrets
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing.models import ChargeEventRow
from billing.proof import chain
from core.db import Tx


def record(tx: Tx, charge_id: UUID, kind: str, **details: Any) -> None:
    """Add an entry to the caller's transaction; ``kind`` is a constant such as ``hold_placed``.

    The database gives the entry its number and links it to the one before, under the charge's lock.
    """
    body = chain.body_of(tx.now, kind, details, secrets.token_hex(16))
    tx.session.add(ChargeEventRow(charge_id=charge_id, at=tx.now, kind=kind, details=details, body=body))


async def of_charge(tx: Tx, charge_id: UUID) -> list[ChargeEventRow]:
    """Everything that happened to a charge, in order."""
    query = select(ChargeEventRow).where(ChargeEventRow.charge_id == charge_id).order_by(ChargeEventRow.n)
    return list(await tx.session.scalars(query))


def verify(rows: Iterable[chain.Row]) -> int | None:
    """The number of the first entry that is not as it was written, or None."""
    return chain.verify(rows)
