"""One person in a call as a browser would be: API, socket and media, coming back by itself whatever breaks."""

import asyncio
import contextlib
import time
from typing import Any, Self

import aiohttp
from socketio.exceptions import SocketIOError

from app.robot_peer import MediaPeer
from tests.fakes.socket_client import Refused, SocketClient

SILENT_S = 2.5
LOOK_S = 0.2


class Rejected(AssertionError):
    """The server answered 4xx: wrong for a test that expects it to work, an answer for who knows better."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class Caller:
    """Logs in, keeps a socket, and keeps media in the call the snapshot names. ``sends`` False only listens."""

    PATIENCE_S = 20.0  # how long what cannot be reached is tried again

    def __init__(self, url: str, email: str, password: str, *, sends: bool = True, joins: bool = True) -> None:
        self._login = {"email": email, "password": password}
        self._sends, self._joins = sends, joins
        self.http = aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=10))
        self.token = ""
        self.socket = SocketClient(url, lambda: self.token, reconnect=True)
        self.peer: MediaPeer | None = None
        self.received_frames = 0
        self._joined_at = 0.0
        self._epoch = 0
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self.token = (await self.api("POST", "/api/auth/login", self._login))["access_token"]
        await self.socket.connect()
        self._keeper = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()
        await self.http.close()

    async def vanish(self) -> None:
        """Gone without a word: no media, no socket."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        await self._hang_up()
        await self.socket.close()

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """A request that must succeed; what cannot be reached is tried again for a while, as the client does.

        Raises Rejected, an AssertionError, for 4xx.
        """
        deadline = time.monotonic() + self.PATIENCE_S
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        while True:
            try:
                async with self.http.request(method, path, json=body, headers=headers) as reply:
                    if reply.status >= 500 and time.monotonic() < deadline:
                        raise aiohttp.ClientConnectionError(str(reply.status))
                    text = await reply.text()
                    if reply.status >= 400:
                        raise Rejected(reply.status, f"{method} {path}: {reply.status} {text}")
                    return await reply.json() if text else None
            except (aiohttp.ClientConnectionError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.2)

    @property
    def call(self) -> dict[str, Any]:
        """The call of the newest snapshot."""
        return self.socket.snapshot.get("call") or {}

    @property
    def meter(self) -> dict[str, Any]:
        """The meter of the newest snapshot."""
        return self.socket.snapshot.get("meter") or {}

    async def _keep(self) -> None:
        asked_at = 0.0
        while True:
            if self.socket.io.connected and time.monotonic() - asked_at > 2:
                asked_at = time.monotonic()
                with contextlib.suppress(SocketIOError, TimeoutError):
                    await self.socket.say("heartbeat")
                    await self.socket.sync()
            if self._joins and self.call.get("media_ready") and self.call.get("state") != "ended" and self._lost():
                with contextlib.suppress(Refused, SocketIOError, TimeoutError):
                    await self._join()
            if self.call.get("state") == "ended":
                await self._hang_up()
            await asyncio.sleep(LOOK_S)

    def _lost(self) -> bool:
        if self.peer is None or self.peer.state in ("failed", "closed") or self.call["media_epoch"] > self._epoch:
            return True
        heard = max(self.peer.last_audio_at or 0.0, self._joined_at)
        return time.monotonic() - heard > 2 * SILENT_S and not self._seen()

    def _seen(self) -> bool:
        return bool(self.call["participants"][self.call["role"]]["seen"])

    async def _join(self) -> None:
        await self._hang_up()
        joined = await self.socket.say("media.join", call_id=self.call["id"])
        self.peer = MediaPeer(send_audio=self._sends, send_video=self._sends)
        self._joined_at = time.monotonic()
        self._epoch = joined["epoch"]
        sdp = await self.peer.answer(joined["sdp"])
        await self.socket.say("media.answer", call_id=self.call["id"], peer_id=joined["peer_id"], sdp=sdp)

    async def _hang_up(self) -> None:
        if self.peer is not None:
            self.received_frames += self.peer.video_frames + self.peer.audio_frames
            await self.peer.close()
            self.peer = None
