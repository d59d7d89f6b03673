"""Queries of credits. A charge is locked before the credits it uses, and those oldest first."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from billing.credits.models import CreditRow
from core.db import Tx


@dataclass(frozen=True, slots=True)
class OpenCredit:
    """What a customer has left in one currency."""

    currency: str
    amount_minor: int


async def grant(tx: Tx, credit_id: UUID, customer: UUID, *, amount_minor: int, currency: str) -> None:
    """Write a credit down; told again, it is the same one."""
    row = {
        "id": credit_id,
        "customer_id": customer,
        "amount_minor": amount_minor,
        "currency": currency,
        "granted_at": tx.now,
    }
    await tx.session.execute(insert(CreditRow).values(row).on_conflict_do_nothing())


async def lock_open(tx: Tx, customer: UUID, currency: str) -> list[CreditRow]:
    """Lock what this customer has left in a currency, oldest first."""
    row = CreditRow
    query = select(row).where(row.customer_id == customer, row.currency == currency, row.used_minor < row.amount_minor)
    query = query.order_by(row.granted_at, row.id).with_for_update()
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def lock(tx: Tx, credit_id: UUID) -> CreditRow:
    """Lock one credit."""
    return await tx.session.get_one(CreditRow, credit_id, with_for_update=True, populate_existing=True)


async def open_of(tx: Tx, customer: UUID) -> list[OpenCredit]:
    """What a customer has left, by currency."""
    row = CreditRow
    left = func.sum(row.amount_minor - row.used_minor)
    query = select(row.currency, left).where(row.customer_id == customer, row.used_minor < row.amount_minor)
    found = await tx.session.execute(query.group_by(row.currency).order_by(row.currency))
    return [OpenCredit(currency, int(amount)) for currency, amount in found]
