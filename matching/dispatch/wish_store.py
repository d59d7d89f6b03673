"""Queries on the wishes to be told when somebody is online."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import UserId
from matching.models import OnlineWishRow, QuestionRow

LOCK = 0x57697368  # the first half of an advisory lock's key, so that it is nobody else's


async def put(tx: Tx, question: UUID, customer: UserId, *, expires_at: datetime) -> None:
    """Store a wish, due at once; one that was told before becomes a new one."""
    fresh = {"made_at": tx.now, "expires_at": expires_at, "due_at": tx.now, "told_at": None, "consultant_id": None}
    query = insert(OnlineWishRow).values(question_id=question, customer_id=customer, **fresh)
    await tx.session.execute(query.on_conflict_do_update(index_elements=["question_id"], set_=fresh))


async def others_of(tx: Tx, customer: UserId, question: UUID) -> int:
    """How many wishes this customer has besides that for ``question``; nobody adds one before the transaction ends."""
    await tx.session.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(str(customer)))))
    row = OnlineWishRow
    query = select(func.count()).where(
        row.customer_id == customer, row.question_id != question, row.told_at.is_(None), row.expires_at > tx.now
    )
    return int(await tx.session.scalar(query) or 0)


async def drop(tx: Tx, question: UUID) -> bool:
    """Delete a question's wish; whether there was one."""
    row = OnlineWishRow
    gone = await tx.session.scalar(delete(row).where(row.question_id == question).returning(row.question_id))
    return gone is not None


async def wake(tx: Tx) -> None:
    """Somebody is available: every wish that was not told is worth a look. Waits for one that is looked at now."""
    row = OnlineWishRow
    woken = await tx.session.scalars(
        update(row)
        .where(row.told_at.is_(None), row.due_at.is_(None), row.expires_at > tx.now)
        .values(due_at=tx.now)
        .returning(row.question_id)
        .execution_options(synchronize_session=False)
    )
    if woken.first() is not None:
        tx.signal("due", "wishes")


async def claim_due(tx: Tx) -> OnlineWishRow | None:
    """Lock one wish that is due and that nobody else is looking at."""
    row = OnlineWishRow
    query = select(row).where(row.due_at <= tx.now, row.told_at.is_(None), row.expires_at > tx.now)
    return await tx.session.scalar(query.order_by(row.due_at).limit(1).with_for_update(skip_locked=True))


async def of_customer(tx: Tx, customer: UserId) -> list[tuple[OnlineWishRow, QuestionRow]]:
    """A customer's wishes that have not expired, of questions still open."""
    row = OnlineWishRow
    query = (
        select(row, QuestionRow)
        .join(QuestionRow, QuestionRow.id == row.question_id)
        .where(row.customer_id == customer, row.expires_at > tx.now, QuestionRow.state == "open")
        .order_by(row.made_at, row.question_id)
        .execution_options(populate_existing=True)
    )
    return [(wish, question) for wish, question in await tx.session.execute(query)]
