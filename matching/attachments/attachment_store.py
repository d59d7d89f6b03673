"""Queries on attachments, and who may read them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true

from core.db import Tx
from core.errors import NotFound
from core.ids import CallId, OfferId, UserId
from matching.models import AttachmentRow, OfferRow, QuestionRow, RequestRow

LOCK = 0x41747461  # the first half of an advisory lock's key, so that it is nobody else's
LOCK_CUSTOMER = LOCK + 1


async def lock_content(tx: Tx, digest: str) -> None:
    """Until the transaction ends, nobody else keeps or removes this content."""
    await tx.session.execute(select(func.pg_advisory_xact_lock(LOCK, func.hashtext(digest))))


def _live() -> ColumnElement[bool]:
    return AttachmentRow.deleted_at.is_(None)


async def of_question(tx: Tx, question: UUID, *, lock: bool = False) -> Sequence[AttachmentRow]:
    """What is attached to a question, oldest first."""
    query = select(AttachmentRow).where(AttachmentRow.question_id == question, _live())
    query = query.order_by(AttachmentRow.created_at, AttachmentRow.id)
    return (await tx.session.scalars(query.with_for_update() if lock else query)).all()


async def readable(tx: Tx, user: UserId, attachment: UUID) -> AttachmentRow:
    """An attachment for whoever may read it: its owner, and a consultant whom its question rings or who took it."""
    row = AttachmentRow
    mine = select(OfferRow.id).join(RequestRow, RequestRow.id == OfferRow.request_id)
    mine = mine.where(RequestRow.question_id == row.question_id, OfferRow.consultant_id == user, _open_offer())
    mine = mine.where(_in_time())
    query = select(row).where(row.id == attachment, _live(), (row.customer_id == user) | exists(mine))
    found: AttachmentRow | None = await tx.session.scalar(query)
    if found is None:
        raise NotFound
    return found


def _open_offer() -> ColumnElement[bool]:
    """While it rings, and once accepted; who declined, missed it or was too slow has no part in it."""
    return OfferRow.state.in_(("ringing", "accepted"))


def _in_time() -> ColumnElement[bool]:
    """What was attached before the call ended: what comes later is for whoever is rung next."""
    return or_(RequestRow.call_ended_at.is_(None), AttachmentRow.created_at <= RequestRow.call_ended_at)


async def of_offer(tx: Tx, consultant: UserId, offer: OfferId) -> Sequence[AttachmentRow]:
    """What a ring's question has for this consultant, oldest first; nothing once the ring is over and not accepted.

    Raises NotFound for an offer that is not theirs.
    """
    if not await tx.session.scalar(select(exists().where(OfferRow.id == offer, OfferRow.consultant_id == consultant))):
        raise NotFound
    rings = (OfferRow.request_id == RequestRow.id) & (OfferRow.id == offer) & _open_offer()
    return await _of_request(tx, exists(select(OfferRow.id).where(rings)), _in_time())


async def of_call(tx: Tx, user: UserId, call: CallId) -> Sequence[AttachmentRow]:
    """What a call's question has for one of the two who are in it, oldest first; raises NotFound for anybody else."""
    taken = and_(OfferRow.request_id == RequestRow.id, OfferRow.state == "accepted", OfferRow.consultant_id == user)
    customer = await tx.session.scalar(
        select(RequestRow.customer_id).where(
            RequestRow.call_id == call, (RequestRow.customer_id == user) | exists(select(OfferRow.id).where(taken))
        )
    )
    if customer is None:
        raise NotFound
    return await _of_request(tx, RequestRow.call_id == call, true() if customer == user else _in_time())


async def _of_request(tx: Tx, *which: ColumnElement[bool]) -> Sequence[AttachmentRow]:
    query = select(AttachmentRow).join(RequestRow, RequestRow.question_id == AttachmentRow.question_id)
    query = query.where(_live(), *which).order_by(AttachmentRow.created_at, AttachmentRow.id)
    return (await tx.session.scalars(query)).all()


async def bytes_of(tx: Tx, customer: UserId) -> int:
    """How much this customer has on our disk, what is deleted and not gone yet included.

    Nobody else counts for the same customer until the transaction ends.
    """
    await tx.session.execute(select(func.pg_advisory_xact_lock(LOCK_CUSTOMER, func.hashtext(str(customer)))))
    query = select(func.coalesce(func.sum(AttachmentRow.bytes), 0))
    query = query.join(QuestionRow, QuestionRow.id == AttachmentRow.question_id)
    query = query.where(QuestionRow.customer_id == customer, AttachmentRow.removed_at.is_(None))
    return int(await tx.session.scalar(query) or 0)


async def own(tx: Tx, user: UserId, attachment: UUID) -> AttachmentRow:
    """The owner's attachment, locked; somebody else's does not exist for them."""
    row = AttachmentRow
    query = select(row).where(row.id == attachment, row.customer_id == user, _live()).with_for_update()
    found: AttachmentRow | None = await tx.session.scalar(query)
    if found is None:
        raise NotFound
    return found


async def delete_all_of(tx: Tx, question: UUID) -> None:
    """Mark everything attached to a question as deleted."""
    for row in await of_question(tx, question, lock=True):
        row.deleted_at = tx.now


async def expire(tx: Tx, *, limit: int) -> int:
    """Mark what was kept long enough as deleted; how many there were."""
    row = AttachmentRow
    query = select(row).where(_live(), row.expires_at <= tx.now).limit(limit).with_for_update(skip_locked=True)
    found = (await tx.session.scalars(query)).all()
    for one in found:
        one.deleted_at = tx.now
    return len(found)


async def claim_deleted(tx: Tx) -> AttachmentRow | None:
    """One deleted attachment whose content may still lie there, locked."""
    row = AttachmentRow
    query = select(row).where(row.deleted_at.is_not(None), row.removed_at.is_(None))
    found: AttachmentRow | None = await tx.session.scalar(query.limit(1).with_for_update(skip_locked=True))
    return found


async def is_needed(tx: Tx, digest: str) -> bool:
    """Whether an attachment that is not deleted has this content."""
    return bool(await tx.session.scalar(select(exists().where(AttachmentRow.sha256 == digest, _live()))))
