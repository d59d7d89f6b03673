"""Coming back to a lost call (decisions 2): a new call that goes on with it; the other side is told and joins."""

from datetime import timedelta

from core import logs
from core.db import Tx
from core.errors import NotFound
from core.ids import CallId, RequestId, UserId, new_id
from core.settings import Settings
from signaling import opening, store
from signaling.call import State
from signaling.call_views import CallViews
from signaling.calls import CallService
from signaling.events import CallContinued
from signaling.models import CallRow
from signaling.opening import Busy
from signaling.ports import Sessions
from signaling.views import CallView

log = logs.get(__name__)


class ReturnService:
    """Opens the call that goes on. Whether it may is billing's to say: it refuses ``CallContinued`` when not."""

    def __init__(self, *, settings: Settings, sessions: Sessions, views: CallViews, calls: CallService) -> None:
        self._join = timedelta(seconds=settings.prepare_join_s)
        self._sessions = sessions
        self._views = views
        self._calls = calls

    async def go_on(self, tx: Tx, call_id: CallId, user: UserId) -> CallView:
        """Come back to this call, or to the one that already goes on with it: whoever is first opens it for both.

        Raises NotFound for anybody but the two, Refused when it is too late, Busy when one of them talks elsewhere.
        """
        role = await self._calls.participants(tx, call_id, user)
        row = await self._newest(tx, call_id)
        if row.state == State.ENDED:
            row = await self._open(tx, row)
        return await self._views.whole(tx, row, role)

    async def _newest(self, tx: Tx, call_id: CallId) -> CallRow:
        """The last call of the chain, locked: two who come back at once come one after the other."""
        row = await store.lock_call(tx, call_id)
        while row is not None:
            following = await store.lock_continuation(tx, CallId(row.id))
            if following is None:
                return row
            row = following
        raise NotFound

    async def _open(self, tx: Tx, lost: CallRow) -> CallRow:
        for person in (lost.customer_id, lost.consultant_id):
            if await store.active_call(tx, UserId(person)) is not None:
                raise Busy
        customer, consultant = UserId(lost.customer_id), UserId(lost.consultant_id)
        row = await opening.open_call(
            tx,
            call_id=CallId(new_id()),
            request_id=lost.request_id,
            question_id=lost.question_id,
            customer_id=customer,
            consultant_id=consultant,
            deadline_at=tx.now + self._join,
            continues=lost.id,
        )
        log.info("call.continued", call_id=str(row.id), continues=str(lost.id))
        await tx.publish(
            CallContinued(
                call_id=CallId(row.id),
                continues_call_id=CallId(lost.id),
                request_id=RequestId(row.request_id),
                customer_id=customer,
                consultant_id=consultant,
            )
        )
        await self._sessions.open(tx, CallId(row.id), customer, consultant)
        return row
