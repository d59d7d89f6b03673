"""Snapshots: builds the whole of what a user is in, and sends it to that user's sockets of this process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from core import logs
from core.db import Database, Tx
from core.feed import version_of
from core.ids import CallId, UserId
from signaling.ports import Names, Provider
from signaling.sockets import Sockets
from signaling.views import CallView, Me, MeterView, OfferView, PresenceView, RequestView, Snapshot, WishView

log = logs.get(__name__)

BUILDERS = 4  # at once per process, so that a burst of changes leaves database connections for everyone else
BUILD_TIMEOUT_S = 5.0
RETRY_AFTER_S = 1.0
ENDED_STAYS = timedelta(minutes=10)

ViewT = TypeVar("ViewT", RequestView, CallView, MeterView, PresenceView)
Send = Callable[[str, dict[str, Any]], Awaitable[None]]


class Snapshots:
    """Marks users whose picture is old; a few tasks draw them anew, each user at most once per burst."""

    def __init__(
        self, *, db: Database, names: Names, parts: Mapping[str, Provider], sockets: Sockets, send: Send
    ) -> None:
        self._db = db
        self._names = names
        self._parts = parts
        self._sockets = sockets
        self._send = send
        self._waiting: set[UserId] = set()
        self._queue: asyncio.Queue[UserId] = asyncio.Queue()

    def mark(self, user: UserId) -> None:
        """This user's picture is old; nothing to do if nobody here looks at it or it waits already."""
        if user not in self._waiting and self._sockets.of(user):
            self._waiting.add(user)
            self._queue.put_nowait(user)

    def mark_all(self) -> None:
        """Every picture may be old."""
        for user in self._sockets.users():
            self.mark(user)

    async def run(self) -> None:
        """Draw for ever; stop by cancelling."""
        async with asyncio.TaskGroup() as group:
            for _ in range(BUILDERS):
                group.create_task(self._draw())

    async def _draw(self) -> None:
        while True:
            user = await self._queue.get()
            # Before building: a change that comes while we build must be drawn again.
            self._waiting.discard(user)
            sockets = self._sockets.of(user)
            if not sockets:
                continue
            try:
                async with asyncio.timeout(BUILD_TIMEOUT_S):
                    picture = (await self.build(user, sockets[0].session.roles)).model_dump(mode="json")
            except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
                log.warning("snapshot.failed", user_id=str(user), error=type(error).__name__)
                asyncio.get_running_loop().call_later(RETRY_AFTER_S, self.mark, user)
                continue
            except Exception:
                log.exception("snapshot.broken", user_id=str(user))  # a fault in one picture must not stop the others
                continue
            for socket in sockets:
                await self._send(socket.sid, picture)

    async def build(self, user: UserId, roles: frozenset[str]) -> Snapshot:
        """The whole picture. The version is read first: the parts are at least as new as it says."""
        async with self._db.begin() as tx:
            version = await version_of(tx, user)
            names = await self._names(tx, [user])
            request = _as(RequestView, await self._parts["request"](tx, user))
            offers = [OfferView.model_validate(offer) for offer in await self._parts["offers"](tx, user)]
            call = _as(CallView, await self._parts["call"](tx, user))
            if call is not None and _superseded(call, request, tx):
                call = None
            return Snapshot(
                version=version,
                server_now=tx.now,
                me=Me(user_id=user, roles=sorted(roles), display_name=names.get(user, "")),
                request=request,
                wishes=[WishView.model_validate(wish) for wish in await self._parts["wishes"](tx, user)],
                offers=offers,
                call=call,
                meter=await self._meter(tx, user, call),
                presence=_as(PresenceView, await self._parts["presence"](tx, user)) if "consultant" in roles else None,
            )

    async def _meter(self, tx: Tx, user: UserId, call: CallView | None) -> MeterView | None:
        if call is None:
            return None
        return _as(MeterView, await self._parts["meter"](tx, user, CallId(call.id), call.role))


def _as(view: type[ViewT], part: Any) -> ViewT | None:
    return None if part is None else view.model_validate(part)


def _superseded(call: CallView, request: RequestView | None, tx: Tx) -> bool:
    """An ended call gives way to the next request, and to time."""
    if call.ended_at is None:
        return False
    newer = request is not None and request.state == "ringing" and request.created_at > call.ended_at
    return newer or tx.now - call.ended_at > ENDED_STAYS
