"""Queries of connected accounts and their payouts."""

import re
from uuid import UUID

from sqlalchemy import select, tuple_

from billing.models import PayoutAccountRow
from billing.payouts.models import PayoutRow
from core.cursors import cursor_of, place
from core.db import Tx
from core.errors import NotFound

_PAYOUT = re.compile(r"po_[A-Za-z0-9]{1,60}")


async def by_account(tx: Tx, account_id: str) -> PayoutAccountRow | None:
    """The account with Stripe's id, locked; None when it is not ours."""
    query = select(PayoutAccountRow).where(PayoutAccountRow.provider_account_id == account_id).with_for_update()
    return (await tx.session.scalars(query)).one_or_none()


async def lock(tx: Tx, user: UUID) -> PayoutAccountRow:
    """A consultant's account, locked. Raises NotFound."""
    row = await tx.session.get(PayoutAccountRow, user, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row


async def page(
    tx: Tx, *, consultant: UUID | None, cursor: str | None, limit: int
) -> tuple[list[PayoutRow], str | None]:
    """Payouts, newest first, of one consultant or all, and where the next page begins. Raises Invalid."""
    order = (PayoutRow.created_at, PayoutRow.id)
    query = select(PayoutRow).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if consultant is not None:
        query = query.where(PayoutRow.consultant_id == consultant)
    if cursor is not None:
        query = query.where(tuple_(*order) < tuple_(*place(cursor, payout_id)))
    rows = list(await tx.session.scalars(query))
    shown = rows[:limit]
    return shown, cursor_of(shown[-1].created_at, shown[-1].id) if len(rows) > limit else None


def payout_id(given: str) -> str:
    """An id of a payout, as Stripe writes them; raises ValueError."""
    if not _PAYOUT.fullmatch(given):
        raise ValueError("This is no payout.")
    return given
