"""Queries on requests, their stages and their offers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.db import Tx
from core.errors import NotFound
from core.ids import CallId, RequestId, UserId
from matching.models import OfferRow, QuestionRow, RequestRow, RequestStageRow

USUAL_OF, USUAL_FROM = 50, 5
# Written out, not given: only a plan that knows the value may use the partial indexes on what rings.
RINGING: ColumnElement[str] = literal_column("'ringing'")
_ACTIVE = or_(RequestRow.state == RINGING, and_(RequestRow.state == "matched", RequestRow.call_ended_at.is_(None)))


async def add_request(tx: Tx, **values: Any) -> RequestRow | None:
    """Insert and lock a request; None when the key was used before or the customer has an active one."""
    query = insert(RequestRow).values(**values).on_conflict_do_nothing().returning(RequestRow)
    return await tx.session.scalar(query)


async def by_key(tx: Tx, customer: UserId, key: UUID) -> RequestRow | None:
    """The request this customer made with this idempotency key."""
    query = select(RequestRow).where(RequestRow.customer_id == customer, RequestRow.idempotency_key == key)
    return await tx.session.scalar(query)


async def own(tx: Tx, customer: UserId, request: UUID, *, lock: bool = False) -> RequestRow:
    """This customer's request; somebody else's does not exist for them."""
    query = select(RequestRow).where(RequestRow.id == request, RequestRow.customer_id == customer)
    found: RequestRow | None = await tx.session.scalar(_locked(query) if lock else query)
    if found is None:
        raise NotFound
    return found


def _locked(query: Any) -> Any:
    return query.with_for_update().execution_options(populate_existing=True)


async def locked(tx: Tx, request: UUID) -> RequestRow:
    """Lock a request: whoever holds it alone decides about its offers."""
    found: RequestRow = (await tx.session.scalars(_locked(select(RequestRow).where(RequestRow.id == request)))).one()
    return found


async def locked_by_call(tx: Tx, call: CallId, request: RequestId | None = None) -> RequestRow | None:
    """Lock the request that led to this call; to one that goes on with a lost one led the ``request`` it names."""
    mine = RequestRow.call_id == call if request is None else or_(RequestRow.call_id == call, RequestRow.id == request)
    found: RequestRow | None = await tx.session.scalar(_locked(select(RequestRow).where(mine)))
    return found


async def take_up(tx: Tx, row: RequestRow) -> bool:
    """Make this request active again; False when its customer has another that is (the database allows one)."""
    others = select(RequestRow.id).where(RequestRow.customer_id == row.customer_id, RequestRow.id != row.id, _ACTIVE)
    if await tx.session.scalar(others.limit(1)) is not None:
        return False
    tx.touch([row.customer_id])
    try:
        async with tx.session.begin_nested():
            row.call_ended_at = row.closed_at = None
    except IntegrityError:  # they rang in this very moment
        return False
    return True


async def claim_due(tx: Tx, most: int) -> Sequence[RequestRow]:
    """Lock the requests that need attention now and that nobody else is looking at, the longest due first."""
    query = select(RequestRow).where(RequestRow.state == RINGING, RequestRow.due_at <= tx.now)
    query = query.order_by(RequestRow.due_at).limit(most).with_for_update(skip_locked=True)
    return (await tx.session.scalars(query)).all()


def _unrung() -> Any:
    """Whether nobody is being rung for a request."""
    return ~exists().where(OfferRow.request_id == RequestRow.id, OfferRow.state == RINGING)


async def others_waiting(tx: Tx, request: UUID, most: int) -> Sequence[RequestRow]:
    """Lock the requests that wait with nobody being rung, this one apart; those somebody looks at are passed over."""
    query = select(RequestRow).where(RequestRow.state == RINGING, RequestRow.id != request, _unrung())
    query = query.order_by(RequestRow.created_at).limit(most).with_for_update(skip_locked=True, of=RequestRow)
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).all()


async def waiting_before(tx: Tx, row: RequestRow) -> int:
    """How many requests wait longer than this one with nobody being rung."""
    query = select(func.count()).where(RequestRow.state == RINGING, RequestRow.created_at < row.created_at, _unrung())
    return int(await tx.session.scalar(query) or 0)


async def usual_wait_s(tx: Tx) -> int | None:
    """The median wait for an answer among the last requests of a day; None when they are too few to say."""
    stage = RequestStageRow
    wait = func.extract("epoch", stage.at - RequestRow.created_at)
    last = (
        select(wait.label("wait_s"))
        .join(RequestRow, RequestRow.id == stage.request_id)
        .where(stage.stage == "accepted", RequestRow.created_at >= tx.now - timedelta(days=1))
        .order_by(RequestRow.created_at.desc())
        .limit(USUAL_OF)
        .subquery()
    )
    median = func.percentile_cont(0.5).within_group(last.c.wait_s)
    count, found = (await tx.session.execute(select(func.count(), median).select_from(last))).one()
    return None if count < USUAL_FROM else round(found)


async def wake_waiting(tx: Tx) -> None:
    """Somebody can be rung: make every request that rings nobody due now.

    One that somebody is looking at has its fallback look within seconds.
    """
    await _wake(tx, select(RequestRow.id).where(_unrung()))


async def wake_rung_at(tx: Tx, consultant: UserId) -> None:
    """Make the request that rings at this consultant due now."""
    rung = select(OfferRow.request_id).where(OfferRow.consultant_id == consultant, OfferRow.state == RINGING)
    await _wake(tx, select(RequestRow.id).where(RequestRow.id.in_(rung)))


async def _wake(tx: Tx, some: Select[UUID]) -> None:
    """Never waits for a lock: the caller holds a consultant's, and dispatch takes those in the other order."""
    row = RequestRow
    waiting = some.where(row.state == RINGING, row.due_at > tx.now).with_for_update(skip_locked=True)
    woken = await tx.session.scalars(
        update(row)
        .where(row.id.in_(waiting.scalar_subquery()))
        .values(due_at=tx.now)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    if woken.first() is not None:
        tx.signal("due", "requests")


async def active_for_question(tx: Tx, question: UUID) -> UUID | None:
    """The request that rings, or whose call runs, for this question."""
    return await tx.session.scalar(select(RequestRow.id).where(RequestRow.question_id == question, _ACTIVE).limit(1))


async def latest(tx: Tx, customer: UserId) -> RequestRow | None:
    """The customer's newest request."""
    query = select(RequestRow).where(RequestRow.customer_id == customer)
    return await tx.session.scalar(query.order_by(RequestRow.created_at.desc(), RequestRow.id).limit(1))


async def customer_of_call(tx: Tx, call: CallId) -> UUID | None:
    """Who asked for the call."""
    return await tx.session.scalar(select(RequestRow.customer_id).where(RequestRow.call_id == call))


def add_stage(tx: Tx, request: UUID, stage: str, consultant: UUID | None = None) -> None:
    """Write down that the request reached a stage now."""
    tx.session.add(RequestStageRow(request_id=request, stage=stage, at=tx.now, consultant_id=consultant))


async def stages(tx: Tx, request: UUID) -> Sequence[RequestStageRow]:
    """A request's stages in order."""
    await tx.session.flush()
    query = select(RequestStageRow).where(RequestStageRow.request_id == request)
    return (await tx.session.scalars(query.order_by(RequestStageRow.id))).all()


async def offer_of(tx: Tx, consultant: UserId, offer: UUID) -> UUID:
    """The request of this consultant's offer; somebody else's offer does not exist for them."""
    query = select(OfferRow.request_id).where(OfferRow.id == offer, OfferRow.consultant_id == consultant)
    found = await tx.session.scalar(query)
    if found is None:
        raise NotFound
    return found


async def locked_offer(tx: Tx, offer: UUID) -> OfferRow:
    """Lock an offer; the caller holds the lock of its request already."""
    found: OfferRow = (await tx.session.scalars(_locked(select(OfferRow).where(OfferRow.id == offer)))).one()
    return found


async def ringing_of_request(tx: Tx, request: UUID) -> list[OfferRow]:
    """The offers of a request that ring now; the caller holds the request's lock."""
    query = select(OfferRow).where(OfferRow.request_id == request, OfferRow.state == RINGING)
    query = query.order_by(OfferRow.created_at, OfferRow.id)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def rung(tx: Tx, request: UUID) -> set[UUID]:
    """Everybody who was ever rung for this request."""
    return set(await tx.session.scalars(select(OfferRow.consultant_id).where(OfferRow.request_id == request)))


async def being_rung(tx: Tx) -> set[UUID]:
    """Everybody whose phone rings now."""
    return set(await tx.session.scalars(select(OfferRow.consultant_id).where(OfferRow.state == RINGING)))


async def ringing_of_consultant(tx: Tx, consultant: UserId) -> list[tuple[OfferRow, RequestRow, QuestionRow]]:
    """What rings at this consultant, with what it is about."""
    query = (
        select(OfferRow, RequestRow, QuestionRow)
        .join(RequestRow, RequestRow.id == OfferRow.request_id)
        .join(QuestionRow, QuestionRow.id == RequestRow.question_id)
        .where(OfferRow.consultant_id == consultant, OfferRow.state == RINGING)
        .order_by(OfferRow.created_at)
    )
    return [(offer, request, question) for offer, request, question in await tx.session.execute(query)]
