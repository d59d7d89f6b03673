"""Media sessions as other rooms see them: opened after the hold, paused by agreement, closed with the call."""

from typing import Protocol

from core import logs
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import CallId, UserId
from media import store
from media.events import IntervalClosed, MediaMoved, ParticipantUnseen, SessionClosed
from media.intervals import Cause, Side
from media.models import MediaSession

log = logs.get(__name__)

CHANNEL = "media_session"


class CallFact(Protocol):
    """Any event that names a call."""

    @property
    def call_id(self) -> CallId:
        """Which call."""
        ...


class SessionService:
    """Changes the row; the node that carries the call reads it on NOTIFY and at each tick."""

    async def open(self, tx: Tx, call_id: CallId, customer_id: UserId, consultant_id: UserId) -> None:
        """Allow media for this call. Told twice, it stays as it is."""
        if await store.session(tx, call_id) is None:
            tx.session.add(
                MediaSession(
                    call_id=call_id,
                    customer_id=customer_id,
                    consultant_id=consultant_id,
                    state="open",
                    paused=False,
                    created_at=tx.now,
                )
            )

    async def on_call_ended(self, tx: Tx, event: CallFact) -> None:
        """No more media. A call that no node carries is closed here and now."""
        row = await store.session(tx, event.call_id, lock=True)
        if row is None or row.node_id is None:
            if row is not None:
                row.state, row.closed_at = "closed", tx.now
            await tx.publish(SessionClosed(event.call_id))
        elif row.state == "open":
            row.state = "closing"
            tx.signal(CHANNEL, str(event.call_id))

    async def on_call_paused(self, tx: Tx, event: CallFact) -> None:
        """Stop counting connected time."""
        await self._set_paused(tx, event.call_id, paused=True)

    async def on_call_resumed(self, tx: Tx, event: CallFact) -> None:
        """Count connected time again."""
        await self._set_paused(tx, event.call_id, paused=False)

    async def run_due(self, db: Database) -> int:
        """Finish what dead nodes left behind: only the time they wrote down counts."""
        done = 0
        while True:
            async with db.begin() as tx:
                row = await store.orphan(tx)
                if row is None:
                    return done
                await self._adopt(tx, row)
                done += 1

    async def _adopt(self, tx: Tx, row: MediaSession) -> None:
        call_id = CallId(row.call_id)
        log.info("session.node_lost", call_id=str(call_id), node=row.node_id, state=row.state)
        if row.node_id is not None and not await store.alive(tx, row.node_id):
            row.node_id = None
        await take_from_the_dead(tx, row)
        if row.state == "closing":
            row.state, row.closed_at = "closed", tx.now
            await tx.publish(SessionClosed(call_id))

    async def _set_paused(self, tx: Tx, call_id: CallId, *, paused: bool) -> None:
        row = await store.session(tx, call_id, lock=True)
        if row is None:
            raise NotFound
        row.paused = paused
        tx.signal(CHANNEL, str(call_id))


async def take_from_the_dead(tx: Tx, row: MediaSession) -> None:
    """Close what nodes other than the session's own left open: only the time they wrote down counts.

    Both sides are told to join again. The session's row is locked by the caller.
    """
    call_id = CallId(row.call_id)
    left = await store.close_open_intervals(tx, call_id, Cause.NODE_LOST, except_node=row.node_id)
    for interval in left:
        if interval.side == Side.BOTH:
            closed = IntervalClosed(call_id, interval.n, interval.started_at, interval.duration_ms, Cause.NODE_LOST)
            await tx.publish(closed)
        else:
            await tx.publish(ParticipantUnseen(call_id, interval.side, tx.now))
    if left and row.state == "open":
        row.epoch += 1
        await tx.publish(MediaMoved(call_id, row.epoch))
