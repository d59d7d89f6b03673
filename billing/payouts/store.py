"""Queries of connected accounts."""

from sqlalchemy import select

from billing.models import PayoutAccountRow
from core.db import Tx


async def by_account(tx: Tx, account_id: str) -> PayoutAccountRow | None:
    """The account with Stripe's id, locked; None when it is not ours."""
    query = select(PayoutAccountRow).where(PayoutAccountRow.provider_account_id == account_id).with_for_update()
    return (await tx.session.scalars(query)).one_or_none()
