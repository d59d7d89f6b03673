"""A call's beginning: its row under a reference of its own, and its two sides, whom nobody has seen yet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from core.db import Tx
from core.errors import Conflict
from core.ids import CallId, UserId, new_reference
from signaling import store
from signaling.call import Role, State
from signaling.models import CallRow, ParticipantRow
from signaling.pause import Pause


class Busy(Conflict):
    """One of the two is in another call by now."""

    code = "busy"


async def open_call(
    tx: Tx,
    *,
    call_id: CallId,
    request_id: UUID,
    question_id: UUID,
    customer_id: UserId,
    consultant_id: UserId,
    deadline_at: datetime,
    continues: UUID | None = None,
) -> CallRow:
    """Write a call down; one that ``continues`` another may have media at once, its hold stands.

    Raises Busy when the consultant is in a call: the database does not have two of them.
    """
    if await store.consults(tx, consultant_id):
        raise Busy
    row = CallRow(
        id=call_id,
        request_id=request_id,
        question_id=question_id,
        customer_id=customer_id,
        consultant_id=consultant_id,
        state=State.PREPARING,
        close_reason=None,
        media_ready=continues is not None,
        created_at=tx.now,
        live_at=None,
        ended_at=None,
        deadline_at=deadline_at,
        pause=Pause.NONE,
        pause_by=None,
        pause_since=None,
        chat_seq=0,
        media_epoch=0,
        continues_call_id=continues,
    )
    row.reference = new_reference(tx.now.date())
    try:
        async with tx.session.begin_nested():
            while not await store.insert_call(tx, row):
                row.reference = new_reference(tx.now.date())
    except IntegrityError:  # the other call of this consultant began in this very moment
        raise Busy from None
    for role, user in ((Role.CUSTOMER, customer_id), (Role.CONSULTANT, consultant_id)):
        tx.session.add(_newcomer(call_id, role, user))
    tx.touch([customer_id, consultant_id])
    return row


def _newcomer(call_id: CallId, role: Role, user: UserId) -> ParticipantRow:
    return ParticipantRow(
        call_id=call_id,
        role=role,
        user_id=user,
        seen=False,
        last_seen_at=None,
        microphone=False,
        camera=False,
        screen=False,
        video_held=False,
    )
