"""What each client message does: one method per event, with a transaction and never a network call inside it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from core import logs
from core.db import Database
from core.errors import AppError, Unauthenticated, Upstream
from core.feed import version_of
from core.ids import CallId, UserId
from signaling import messages as m
from signaling.calls import CallService
from signaling.chat import ChatService
from signaling.ports import Authenticate, Nodes, NoteQuality
from signaling.presence import PresenceService
from signaling.snapshots import Snapshots
from signaling.sockets import Socket

log = logs.get(__name__)

NODE_TIMEOUT_S = 10.0  # a join gathers addresses; the rest is quick

Announce = Callable[[UserId, str, m.ServerMessage, str | None], None]


class Handlers:
    """Knows nothing of Socket.IO: a message and its socket in, an ack out."""

    def __init__(
        self,
        *,
        db: Database,
        authenticate: Authenticate,
        calls: CallService,
        presence: PresenceService,
        chat: ChatService,
        nodes: Nodes,
        snapshots: Snapshots,
        announce: Announce,
        note_quality: NoteQuality,
    ) -> None:
        self._db = db
        self._authenticate = authenticate
        self._calls = calls
        self._presence = presence
        self._chat = chat
        self._nodes = nodes
        self._snapshots = snapshots
        self._announce = announce
        self._note_quality = note_quality
        self.by_event: dict[str, Callable[[Socket, Any], Awaitable[m.Ack]]] = {
            "sync": self.sync,
            "heartbeat": self.heartbeat,
            "media.join": self.join,
            "media.answer": self.answer,
            "media.state": self.state,
            "media.stats": self.stats,
            "chat.send": self.send_chat,
            "auth.refresh": self.refresh,
        }

    async def sync(self, socket: Socket, body: m.Sync) -> m.SyncAck:
        """Say the version; draw a snapshot if the client has another one."""
        user = socket.session.user_id
        async with self._db.begin() as tx:
            version = await version_of(tx, user)
        if version != body.version:
            self._snapshots.mark(user)
        return m.SyncAck(version=version)

    async def heartbeat(self, socket: Socket, _body: m.Heartbeat) -> m.Ack:
        """Keep a consultant's presence alive."""
        if "consultant" in socket.session.roles:
            async with self._db.begin() as tx:
                await self._presence.heartbeat(tx, socket.session.user_id)
        return m.Ack()

    async def join(self, socket: Socket, body: m.MediaJoin) -> m.JoinAck:
        """Get the node's offer; whoever had this side's media before is told and loses it."""
        call_id, user = CallId(body.call_id), socket.session.user_id
        async with self._db.begin() as tx:
            role = await self._calls.media_role(tx, call_id, user)
        reply = await self._node(self._nodes.join(call_id, role, user))
        ack = m.JoinAck.model_validate(
            {
                "peer_id": reply.peer_id,
                "sdp": reply.sdp,
                "epoch": reply.epoch,
                "ice_servers": list(reply.ice_servers),
                "relay_only": reply.relay_only,
            },
            from_attributes=True,
        )
        try:
            async with self._db.begin() as tx:
                replaced = await self._calls.take_over(tx, call_id, user, ack.peer_id)
        except AppError:  # the call ended meanwhile: do not leave a peer behind
            await self._node(self._nodes.leave(call_id, ack.peer_id))
            raise
        socket.peers[call_id] = ack.peer_id
        for peer_id in replaced:
            # The joining tab knows already.
            self._announce(user, "media.replaced", m.MediaReplaced(call_id=call_id, peer_id=peer_id), socket.sid)
        return ack

    async def answer(self, socket: Socket, body: m.MediaAnswer) -> m.Ack:
        """Pass the browser's answer on."""
        call_id = CallId(body.call_id)
        await self._own_peer(socket, call_id, body.peer_id)
        await self._node(self._nodes.answer(call_id, body.peer_id, body.sdp))
        return m.Ack()

    async def state(self, socket: Socket, body: m.MediaState) -> m.Ack:
        """Note what this side says it is sending."""
        async with self._db.begin() as tx:
            await self._calls.set_media_state(
                tx,
                CallId(body.call_id),
                socket.session.user_id,
                microphone=body.microphone,
                camera=body.camera,
                screen=body.screen,
                video_held=body.video_held,
            )
        return m.Ack()

    async def stats(self, socket: Socket, body: m.MediaStats) -> m.Ack:
        """Keep what this side says of its connection."""
        call_id = CallId(body.call_id)
        async with self._db.begin() as tx:
            role = await self._calls.media_role(tx, call_id, socket.session.user_id)
            await self._note_quality(tx, call_id, role, body)
        return m.Ack()

    async def send_chat(self, socket: Socket, body: m.ChatSend) -> m.ChatAck:
        """Store the message; the announcement follows the commit."""
        async with self._db.begin() as tx:
            message = await self._chat.send(
                tx, CallId(body.call_id), socket.session.user_id, client_id=body.client_id, text=body.text
            )
        return m.ChatAck(message=message)

    async def refresh(self, socket: Socket, body: m.AuthRefresh) -> m.AuthAck:
        """Go on with a newer token of the same user."""
        session = await self._authenticate(body.token)
        if session.user_id != socket.session.user_id:
            raise Unauthenticated("This token belongs to somebody else; connect anew to change the account.")
        socket.session, socket.token = session, body.token
        return m.AuthAck(expires_at=session.expires_at)

    async def forsake(self, socket: Socket) -> None:
        """Close the media peers of a socket whose access was revoked: it may not go on sending."""
        for call_id, peer_id in socket.peers.items():
            try:
                await self._node(self._nodes.leave(call_id, peer_id))
            except AppError as error:  # the node may be gone, or the call; then so is the peer
                log.info("peer.leave_failed", call_id=str(call_id), code=error.code)

    async def _own_peer(self, socket: Socket, call_id: CallId, peer_id: str) -> None:
        async with self._db.begin() as tx:
            await self._calls.peer_owner(tx, call_id, socket.session.user_id, peer_id)

    async def _node(self, request: Awaitable[Any]) -> Any:
        try:
            async with asyncio.timeout(NODE_TIMEOUT_S):
                return await request
        except (TimeoutError, OSError):
            raise Upstream("The media server did not answer; try again in a moment.") from None
