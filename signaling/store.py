"""The queries of ``signaling``."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import CallId, UserId
from signaling.call import Role, State
from signaling.models import CallRow, ChatRow, ParticipantRow, PeerRow, PresenceRow, SpanRow


async def insert_call(tx: Tx, row: CallRow) -> bool:
    """Add the call unless its reference is taken; then nothing happened and False is returned."""
    values = {column.key: getattr(row, column.key) for column in CallRow.__table__.columns}
    added = await tx.session.scalar(
        insert(CallRow).values(values).on_conflict_do_nothing(index_elements=["reference"]).returning(CallRow.id)
    )
    return added is not None


def _fresh(query: Select[CallRow]) -> Select[CallRow]:
    """Read the row as it is now, even if this transaction has seen it before."""
    return query.execution_options(populate_existing=True)


async def call(tx: Tx, call_id: CallId) -> CallRow | None:
    """The call, unlocked."""
    return await tx.session.scalar(_fresh(select(CallRow).where(CallRow.id == call_id)))


async def lock_call(tx: Tx, call_id: CallId) -> CallRow | None:
    """The call, locked until the transaction ends."""
    return await tx.session.scalar(_fresh(select(CallRow).where(CallRow.id == call_id).with_for_update()))


async def claim_overdue_call(tx: Tx) -> CallRow | None:
    """One call whose deadline has passed, locked; calls that another worker holds are skipped."""
    query = (
        select(CallRow)
        .where(CallRow.deadline_at <= tx.now, CallRow.state != State.ENDED)
        .order_by(CallRow.deadline_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return await tx.session.scalar(_fresh(query))


async def latest_call(tx: Tx, user: UserId) -> CallRow | None:
    """The newest call this user is or was in."""
    query = select(CallRow).where(or_(CallRow.customer_id == user, CallRow.consultant_id == user))
    return await tx.session.scalar(_fresh(query.order_by(CallRow.created_at.desc(), CallRow.id).limit(1)))


async def active_call(tx: Tx, user: UserId) -> CallRow | None:
    """The call this user is in, if it has not ended."""
    query = select(CallRow).where(
        or_(CallRow.customer_id == user, CallRow.consultant_id == user), CallRow.state != State.ENDED
    )
    return await tx.session.scalar(_fresh(query.order_by(CallRow.created_at.desc()).limit(1)))


async def consults(tx: Tx, user: UserId) -> bool:
    """Whether this consultant is in a call."""
    query = select(CallRow.id).where(CallRow.consultant_id == user, CallRow.state != State.ENDED)
    return await tx.session.scalar(query.limit(1)) is not None


async def lock_continuation(tx: Tx, call_id: CallId) -> CallRow | None:
    """The call that goes on with this one, locked until the transaction ends."""
    query = select(CallRow).where(CallRow.continues_call_id == call_id).with_for_update()
    return await tx.session.scalar(_fresh(query))


async def calls_before(tx: Tx, user: UserId, before: tuple[datetime, UUID] | None, limit: int) -> Sequence[CallRow]:
    """A page of this user's calls, newest first."""
    query = select(CallRow).where(or_(CallRow.customer_id == user, CallRow.consultant_id == user))
    if before is not None:
        at, call_id = before
        query = query.where(or_(CallRow.created_at < at, (CallRow.created_at == at) & (CallRow.id < call_id)))
    page = query.order_by(CallRow.created_at.desc(), CallRow.id.desc()).limit(limit)
    return (await tx.session.scalars(page)).all()


async def participants(tx: Tx, call_id: UUID) -> dict[Role, ParticipantRow]:
    """Both sides of a call."""
    query = select(ParticipantRow).where(ParticipantRow.call_id == call_id)
    rows = await tx.session.scalars(query.execution_options(populate_existing=True))
    return {Role(row.role): row for row in rows}


async def unsee_everyone(tx: Tx, call_id: UUID) -> None:
    """No side of this call is seen any more."""
    await tx.session.execute(update(ParticipantRow).where(ParticipantRow.call_id == call_id).values(seen=False))


async def add_peer(tx: Tx, call_id: CallId, role: Role, peer_id: str) -> list[str]:
    """Note that this side now uses ``peer_id``; returns the peers it replaced."""
    replaced = await tx.session.scalars(
        update(PeerRow)
        .where(PeerRow.call_id == call_id, PeerRow.role == role, PeerRow.replaced_at.is_(None))
        .values(replaced_at=tx.now)
        .returning(PeerRow.peer_id)
    )
    old = list(replaced)
    tx.session.add(PeerRow(call_id=call_id, peer_id=peer_id, role=role, joined_at=tx.now, replaced_at=None))
    return old


async def owns_peer(tx: Tx, call_id: CallId, role: Role, peer_id: str) -> bool:
    """Whether ``peer_id`` was given to this side of this call."""
    found = await tx.session.get(PeerRow, (call_id, peer_id))
    return found is not None and found.role == role


async def chat_sent(tx: Tx, call_id: CallId, author: UserId, client_id: str) -> ChatRow | None:
    """The message this author already sent under ``client_id``."""
    return await tx.session.scalar(
        select(ChatRow).where(ChatRow.call_id == call_id, ChatRow.author_id == author, ChatRow.client_id == client_id)
    )


async def chat_message(tx: Tx, call_id: CallId, seq: int) -> ChatRow | None:
    """One message."""
    return await tx.session.get(ChatRow, (call_id, seq))


async def chat_history(tx: Tx, call_id: CallId) -> Sequence[ChatRow]:
    """All messages of a call in order."""
    return (await tx.session.scalars(select(ChatRow).where(ChatRow.call_id == call_id).order_by(ChatRow.seq))).all()


async def presence(tx: Tx, user: UserId) -> PresenceRow | None:
    """The consultant's presence, unlocked."""
    query = select(PresenceRow).where(PresenceRow.user_id == user)
    return await tx.session.scalar(query.execution_options(populate_existing=True))


async def lock_presence(tx: Tx, user: UserId) -> PresenceRow:
    """The consultant's presence, locked; made (switched off) if there was none."""
    await tx.session.execute(
        insert(PresenceRow).values(user_id=user, switched_on=False, status="offline", span=0).on_conflict_do_nothing()
    )
    query = select(PresenceRow).where(PresenceRow.user_id == user).with_for_update()
    return (await tx.session.scalars(query.execution_options(populate_existing=True))).one()


async def claim_silent_presence(tx: Tx, since: datetime) -> PresenceRow | None:
    """One consultant shown as online of whom nothing was heard since ``since``, locked."""
    query = (
        select(PresenceRow)
        .where(PresenceRow.status.in_(("available", "away")), PresenceRow.last_seen_at < since)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return await tx.session.scalar(query.execution_options(populate_existing=True))


async def close_span(tx: Tx, row: PresenceRow, at: datetime) -> None:
    """End the open span, if there is one, at ``at``; never before it began."""
    await tx.session.execute(
        update(SpanRow)
        .where(SpanRow.user_id == row.user_id, SpanRow.n == row.span, SpanRow.ended_at.is_(None))
        .values(ended_at=func.greatest(SpanRow.started_at, at))
    )


async def open_span(tx: Tx, row: PresenceRow) -> None:
    """Begin a span in the row's present status."""
    row.span += 1
    tx.session.add(SpanRow(user_id=row.user_id, n=row.span, status=row.status, started_at=tx.now, ended_at=None))


async def spans_since(tx: Tx, user: UserId, since: datetime) -> Sequence[SpanRow]:
    """The spans that reach past ``since``."""
    query = select(SpanRow).where(SpanRow.user_id == user, func.coalesce(SpanRow.ended_at, tx.now) > since)
    return (await tx.session.scalars(query)).all()
