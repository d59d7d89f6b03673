"""The calls of a charge: one, or a chain in which each goes on where the one before was lost."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from billing.models import ChargeRow, ContinuedCallRow
from core.db import Tx


@dataclass(frozen=True, slots=True)
class Part:
    """One call of a charge; its intervals are numbered on from ``intervals_before``."""

    call_id: UUID
    intervals_before: int


def newest(charge: ChargeRow) -> UUID:
    """The call that runs, or the last one that did."""
    return charge.last_call_id or charge.call_id


def books_are_closed(charge: ChargeRow, call_id: UUID) -> bool:
    """Whether every interval of this call is final while the charge still counts: what is told later is too late."""
    return call_id != newest(charge) or charge.books_closed_at is not None


async def parts_of(tx: Tx, charges: Iterable[ChargeRow]) -> dict[UUID, list[Part]]:
    """The calls of each charge by its id, first to last."""
    found: dict[UUID, list[Part]] = {}
    chained: list[UUID] = []
    for charge in charges:
        found[charge.id] = [Part(charge.call_id, 0)]
        if charge.last_call_id is not None:
            chained.append(charge.id)
    if chained:
        row = ContinuedCallRow
        query = select(row).where(row.charge_id.in_(chained)).order_by(row.charge_id, row.n)
        for one in await tx.session.scalars(query):
            found[one.charge_id].append(Part(one.call_id, one.intervals_before))
    return found


async def parts(tx: Tx, charge: ChargeRow) -> list[Part]:
    """The calls of one charge, first to last."""
    return (await parts_of(tx, [charge]))[charge.id]


async def intervals_before(tx: Tx, charge: ChargeRow, call_id: UUID) -> int:
    """What the numbers of this call's intervals are raised by within its charge."""
    if call_id == charge.call_id:
        return 0
    row = await tx.session.get(ContinuedCallRow, call_id)
    assert row is not None, "a call without its place in the chain"
    return row.intervals_before


async def go_on(tx: Tx, charge: ChargeRow, call_id: UUID, *, intervals_before: int) -> int:
    """Make this call the newest of the charge; its number within the chain (the first call is part 1)."""
    n = len(await parts(tx, charge))
    tx.session.add(
        ContinuedCallRow(call_id=call_id, charge_id=charge.id, n=n, intervals_before=intervals_before, began_at=tx.now)
    )
    charge.last_call_id = call_id
    return n + 1
