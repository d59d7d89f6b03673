"""The gateway: sockets in and out of this web process. State is in PostgreSQL; losing this process loses nothing."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from aiohttp import web
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refuse
from sqlalchemy.exc import SQLAlchemyError

from core import logs
from core.clock import Clock
from core.db import Database
from core.errors import AppError, Unauthenticated
from core.ids import CallId, UserId
from core.tasks import finish
from signaling import messages as m
from signaling.calls import CallService
from signaling.chat import ChatService
from signaling.handlers import Handlers
from signaling.limits import EventLimits
from signaling.listener import Listener
from signaling.ports import Authenticate, Names, Nodes, NoteQuality, Provider
from signaling.presence import PresenceService
from signaling.protocol import CLIENT_EVENTS, ClientEvent
from signaling.snapshots import Snapshots
from signaling.sockets import Socket, Sockets
from signaling.transport import CONNECT_WITHIN_S, Server

log = logs.get(__name__)

PATH = "socket.io"
HANDLE_TIMEOUT_S = 25.0  # above every timeout inside, so that the inner one words the refusal
CONNECT_TIMEOUT_S = 5.0
EXPIRY_GRACE = timedelta(seconds=30)
MAX_SOCKETS_PER_USER = 20
SWEEP_EVERY_S = 1.0
UNAVAILABLE = m.Refusal(code="upstream", message="A part of us is not reachable right now; try again in a moment.")


class Gateway:
    """Owns the Socket.IO server and every task around it."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        redis_url: str,
        origins: Sequence[str],
        authenticate: Authenticate,
        calls: CallService,
        presence: PresenceService,
        chat: ChatService,
        nodes: Nodes,
        names: Names,
        note_quality: NoteQuality,
        parts: Mapping[str, Provider],
        connect_within_s: float = CONNECT_WITHIN_S,
    ) -> None:
        self._db = db
        self._clock = clock
        self._authenticate = authenticate
        self._presence = presence
        self._chat = chat
        self.sockets = Sockets()
        self._limits = EventLimits()
        self._tasks: set[asyncio.Task[None]] = set()
        self._io = Server(origins=list(origins), redis_url=redis_url, connect_within_s=connect_within_s)
        self._snapshots = Snapshots(db=db, names=names, parts=parts, sockets=self.sockets, send=self._send_snapshot)
        self._handlers = Handlers(
            db=db,
            authenticate=authenticate,
            calls=calls,
            presence=presence,
            chat=chat,
            nodes=nodes,
            snapshots=self._snapshots,
            announce=self._announce,
            note_quality=note_quality,
        )
        self.listener = Listener(
            db.url,
            {
                "feed": self._on_feed,
                "directory": self._on_directory,
                "revoked": self._on_revoked,
                "chat": self._on_chat,
            },
            self._resync,
        )
        self._io.on("connect", self._connect)
        self._io.on("disconnect", self._disconnect)
        for event in CLIENT_EVENTS.values():
            self._io.on(event.name, self._receiver(event))
        self._io.on("*", self._unknown)

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────

    def attach(self, app: web.Application) -> None:
        """Serve sockets under ``/socket.io``."""
        self._io.attach(app, socketio_path=PATH)

    async def start(self) -> None:
        """Start listening, drawing and sweeping."""
        for task in (self.listener.run(), self._snapshots.run(), self._sweep()):
            self._own(task)

    async def stop(self) -> None:
        """Close every socket and end every task."""
        await finish(*self._tasks)
        for eio_sid in list(self._io.eio.sockets):
            self._io.abort(eio_sid, "shutdown")
        await self._io.shutdown()
        if self._io.manager_initialized:
            await self._io.manager.stop()

    def _own(self, work: Any) -> None:
        """Run a coroutine that this gateway cancels when it stops, and whose failure is told."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("gateway.task_failed", exc_info=error)

    async def _sweep(self) -> None:
        """Every second: cut slow readers, sign out expired tokens."""
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            self._io.sweep()
            self._limits.prune()
            deadline = self._clock.now() - EXPIRY_GRACE
            for socket in self.sockets:
                if socket.session.expires_at < deadline:
                    await self._sign_out(socket, "expired")

    # ── client → server ──────────────────────────────────────────────────────────────────────────────────────

    async def _connect(self, sid: str, _environ: dict[str, Any], auth: Any = None) -> None:
        """Let in whoever proves an access token, and send the first snapshot."""
        token = auth.get("token") if isinstance(auth, dict) else None
        if not isinstance(token, str) or len(token) > 4096:  # noqa: PLR2004 (as in AuthRefresh)
            raise Refuse("unauthenticated")
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                session = await self._authenticate(token)
                if "consultant" in session.roles:
                    async with self._db.begin() as tx:
                        await self._presence.heartbeat(tx, session.user_id)
        except Unauthenticated:
            raise Refuse("unauthenticated") from None
        except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError):
            raise Refuse("upstream") from None
        if len(self.sockets.of(session.user_id)) >= MAX_SOCKETS_PER_USER:
            raise Refuse("too_many_requests")
        self.sockets.add(Socket(sid, session, token))
        await self._io.enter_room(sid, _room(session.user_id))
        self._snapshots.mark(session.user_id)

    async def _disconnect(self, sid: str, _reason: str = "") -> None:
        """Forget the socket. Its media and its call go on: a tab that reloads comes back to them."""
        socket = self.sockets.remove(sid)
        if socket is None or "consultant" not in socket.session.roles or self.sockets.of(socket.session.user_id):
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S), self._db.begin() as tx:
                # The grace counts from now, not from the last heartbeat that happened to be written.
                await self._presence.heartbeat(tx, socket.session.user_id, force=True)
        except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
            log.warning("disconnect.heartbeat_failed", error=type(error).__name__)

    def _receiver(self, event: ClientEvent) -> Callable[..., Awaitable[dict[str, Any]]]:
        async def receive(sid: str, *arguments: Any) -> dict[str, Any]:
            return await self._receive(event, sid, arguments)

        return receive

    async def _unknown(self, _event: str, _sid: str, *_arguments: Any) -> dict[str, Any]:
        return m.Refusal(code="invalid", message="There is no such event in version 1 of the protocol.").model_dump()

    async def _receive(self, event: ClientEvent, sid: str, arguments: Sequence[Any]) -> dict[str, Any]:
        """Check, carry out, answer. Whatever happens, the client gets an ack and the connection lives."""
        try:
            socket = self._proven(sid)
            self._limits.spend(socket.session.user_id, event)
            body = event.body.model_validate(arguments[0] if len(arguments) == 1 else None)
            async with asyncio.timeout(HANDLE_TIMEOUT_S), socket.locks[event.name.partition(".")[0]]:
                ack = await self._handlers.by_event[event.name](socket, body)
        except ValidationError as error:
            return m.Refusal(code="invalid", message=_first(error)).model_dump()
        except AppError as error:
            return m.Refusal(code=error.code, message=error.message).model_dump()
        except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
            log.warning("event.unavailable", socket_event=event.name, error=type(error).__name__)
            return UNAVAILABLE.model_dump()
        except Exception:
            log.exception("event.failed", socket_event=event.name)
            return m.Refusal(code="internal", message="This failed on our side; we have been told.").model_dump()
        return ack.model_dump(mode="json", exclude_none=True)

    def _proven(self, sid: str) -> Socket:
        socket = self.sockets.get(sid)
        if socket is None:
            raise Unauthenticated
        return socket

    # ── server → client ──────────────────────────────────────────────────────────────────────────────────────

    async def _send_snapshot(self, sid: str, picture: dict[str, Any]) -> None:
        await self.send(sid, "snapshot", picture)

    async def send(self, to: str, event: str, body: dict[str, Any]) -> None:
        """Emit to sockets of this process only; it queues and never waits for the reader."""
        await self._io.emit(event, body, to=to, ignore_queue=True)

    def _announce(self, user: UserId, event: str, body: m.ServerMessage, but: str | None) -> None:
        """Tell all sockets of a user, on every web process, in the background: Redis may be slow or down."""
        data = body.model_dump(mode="json")
        self._own(self._io.emit(event, data, room=_room(user), skip_sid=but))

    def _on_feed(self, payload: str) -> None:
        self._snapshots.mark(UserId(UUID(payload)))

    def _on_directory(self, payload: str) -> None:
        user, status = payload.split(":")
        change = m.DirectoryChange.model_validate({"user_id": user, "status": status}).model_dump(mode="json")
        self._own(self._io.emit("directory", change, ignore_queue=True))

    def _on_revoked(self, payload: str) -> None:
        user, family = payload.split(":")
        for socket in self.sockets.of(UserId(UUID(user)), family or None):
            self._own(self._sign_out(socket, "revoked"))

    def _on_chat(self, payload: str) -> None:
        call_id, seq, *users = payload.split(":")
        here = [socket.sid for user in users for socket in self.sockets.of(UserId(UUID(user)))]
        if here:
            self._own(self._deliver(CallId(UUID(call_id)), int(seq), here))

    async def _deliver(self, call_id: CallId, seq: int, sids: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S), self._db.begin() as tx:
                message = (await self._chat.message(tx, call_id, seq)).model_dump(mode="json")
        except (SQLAlchemyError, psycopg.Error, OSError, TimeoutError) as error:
            log.warning("chat.not_announced", error=type(error).__name__)  # the gap is seen by its seq
            return
        for sid in sids:
            await self.send(sid, "chat.message", message)

    async def _sign_out(self, socket: Socket, reason: str) -> None:
        if self.sockets.get(socket.sid) is None:
            return
        await self.send(socket.sid, "signed_out", m.SignedOut.model_validate({"reason": reason}).model_dump())
        await self._io.disconnect(socket.sid, ignore_queue=True)
        if reason == "revoked":
            await self._handlers.forsake(socket)

    async def _resync(self) -> None:
        """Notifications may have been missed: every picture may be old, every access may be revoked."""
        self._snapshots.mark_all()
        self._own(self._prove_anew())

    async def _prove_anew(self) -> None:
        for socket in self.sockets:
            if socket.session.expires_at <= self._clock.now():
                continue  # the sweep's business
            with contextlib.suppress(SQLAlchemyError, psycopg.Error, OSError):  # the next reconnection asks again
                try:
                    await self._authenticate(socket.token)
                except Unauthenticated:
                    await self._sign_out(socket, "revoked")


def _room(user: UserId) -> str:
    return f"user:{user}"


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, without repeating what was sent."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else str(first["msg"])
