"""A client of the socket protocol over python-socketio, for tests, the robot and the benches."""

import asyncio
from collections.abc import Callable
from typing import Any, Self
from uuid import UUID, uuid4

import socketio

JsonObject = dict[str, Any]


class Refused(Exception):
    """The server answered ``ok: false``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SocketClient:
    """Keeps the newest snapshot and everything it was told; ``await until(...)`` instead of sleeping."""

    def __init__(self, url: str, token: str | Callable[[], str], *, reconnect: bool = False) -> None:
        self._url = url
        self._token = token
        self.snapshot: JsonObject = {}
        self.chat: dict[int, JsonObject] = {}
        self.directory: dict[str, str] = {}
        self.replaced: list[JsonObject] = []
        self.signed_out: str | None = None
        self.refused_because: str | None = None
        self.disconnected = asyncio.Event()
        self._changed = asyncio.Condition()
        self.io = socketio.AsyncClient(reconnection=reconnect, reconnection_delay=0.1, reconnection_delay_max=1)
        self.io.on("snapshot", self._on_snapshot)
        self.io.on("chat.message", self._on_chat)
        self.io.on("directory", self._on_directory)
        self.io.on("media.replaced", self._on_replaced)
        self.io.on("signed_out", self._on_signed_out)
        self.io.on("disconnect", self._on_disconnect)
        self.io.on("connect_error", self._on_connect_error)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def connect(self) -> None:
        """Connect, or raise ``socketio.exceptions.ConnectionError``; ``refused_because`` then says why."""
        auth: Any = self._token if callable(self._token) else {"token": self._token}
        if callable(self._token):
            token = self._token
            auth = lambda: {"token": token()}  # noqa: E731 (asked anew at each reconnection)
        await self.io.connect(self._url, auth=auth, transports=["websocket"], wait_timeout=10)

    async def close(self) -> None:
        """Disconnect and stop reconnecting."""
        await self.io.shutdown()

    # ── told by the server ───────────────────────────────────────────────────────────────────────────────────

    async def _on_snapshot(self, data: JsonObject) -> None:
        if data["version"] >= self.snapshot.get("version", -1):
            self.snapshot = data
        await self._tell()

    async def _on_chat(self, data: JsonObject) -> None:
        self.chat[data["seq"]] = data
        await self._tell()

    async def _on_directory(self, data: JsonObject) -> None:
        self.directory[data["user_id"]] = data["status"]
        await self._tell()

    async def _on_replaced(self, data: JsonObject) -> None:
        self.replaced.append(data)
        await self._tell()

    async def _on_signed_out(self, data: JsonObject) -> None:
        self.signed_out = data["reason"]
        await self._tell()

    async def _on_connect_error(self, data: Any) -> None:
        self.refused_because = data["message"] if isinstance(data, dict) else str(data)

    async def _on_disconnect(self, *_: object) -> None:
        self.disconnected.set()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, condition: Callable[["SocketClient"], Any], timeout_s: float = 20) -> Any:
        """Wait until ``condition(client)`` is true; returns its value."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: condition(self))
        return condition(self)

    # ── said by the client ───────────────────────────────────────────────────────────────────────────────────

    async def raw(self, event: str, *arguments: Any, timeout_s: float = 10) -> JsonObject:
        """Send anything at all; returns the ack as it came."""
        data: Any = arguments if len(arguments) != 1 else arguments[0]
        reply: JsonObject = await self.io.call(event, data, timeout=timeout_s)
        return reply

    async def say(self, event: str, timeout_s: float = 10, **fields: Any) -> JsonObject:
        """Send a version 1 message; returns the ack, raises ``Refused``."""
        wire = {key: str(value) if isinstance(value, UUID) else value for key, value in fields.items()}
        reply = await self.raw(event, {"v": 1, **wire}, timeout_s=timeout_s)
        if not reply["ok"]:
            raise Refused(reply["code"], reply["message"])
        return reply

    async def sync(self) -> int:
        """Ask for whatever was missed; returns the server's version."""
        reply = await self.say("sync", version=self.snapshot.get("version", 0))
        return int(reply["version"])

    async def heartbeat(self) -> None:
        """Say that this tab is alive."""
        await self.say("heartbeat")

    async def join(self, call_id: UUID | str) -> JsonObject:
        """Take this side's media; returns peer_id, sdp, ice_servers."""
        return await self.say("media.join", call_id=call_id, timeout_s=20)

    async def answer(self, call_id: UUID | str, peer_id: str, sdp: str) -> None:
        """Answer the server's offer."""
        await self.say("media.answer", call_id=call_id, peer_id=peer_id, sdp=sdp, timeout_s=20)

    async def media_state(self, call_id: UUID | str, *, microphone: bool, camera: bool, screen: bool = False) -> None:
        """Say what is being sent."""
        await self.say("media.state", call_id=call_id, microphone=microphone, camera=camera, screen=screen)

    async def chat_send(self, call_id: UUID | str, text: str, client_id: str | None = None) -> JsonObject:
        """Send a chat message; returns it as stored."""
        reply = await self.say("chat.send", call_id=call_id, client_id=client_id or uuid4().hex, text=text)
        message: JsonObject = reply["message"]
        return message

    async def refresh(self, token: str) -> None:
        """Go on with a newer token."""
        await self.say("auth.refresh", token=token)
