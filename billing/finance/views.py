"""Views: filters that somebody in finance gave a name, so that they find them again on any machine."""

from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from billing.finance.models import SavedViewRow
from core.db import Tx
from core.errors import NotFound, Refused
from core.ids import UserId, new_id

MOST = 50


async def of_person(tx: Tx, user: UserId) -> list[SavedViewRow]:
    """A person's views, by name."""
    query = select(SavedViewRow).where(SavedViewRow.user_id == user).order_by(SavedViewRow.name)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def keep(tx: Tx, user: UserId, name: str, search: str) -> None:
    """Keep a view; the same name again replaces it. Raises Refused when there are too many."""
    others = select(func.count()).where(SavedViewRow.user_id == user, SavedViewRow.name != name)
    if int(await tx.session.scalar(others) or 0) >= MOST:
        raise Refused(f"These are {MOST} views; remove one first.", code="too_many_views", most=MOST)
    row = insert(SavedViewRow).values(id=new_id(), user_id=user, name=name, search=search, created_at=tx.now)
    again = {"search": search, "created_at": tx.now}
    await tx.session.execute(row.on_conflict_do_update(index_elements=["user_id", "name"], set_=again))


async def drop(tx: Tx, user: UserId, view_id: UUID) -> None:
    """Remove one of a person's views; NotFound when it is none of theirs."""
    query = delete(SavedViewRow).where(SavedViewRow.id == view_id, SavedViewRow.user_id == user)
    if await tx.session.scalar(query.returning(SavedViewRow.id)) is None:
        raise NotFound
