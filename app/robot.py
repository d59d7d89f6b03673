"""The robot consultant: a real participant through the real protocol, so that one person can try the whole product."""

import asyncio
import contextlib
import signal
from typing import Any

import aiohttp
import socketio
from socketio.exceptions import SocketIOError

from app.demo_people import PASSWORD, ROBOT
from app.robot_peer import MediaPeer
from app.wiring import load_settings
from core import logs

log = logs.get(__name__)

ANSWER_AFTER_S = 4.0  # a person in a second tab may be faster
HEARTBEAT_S = 10.0
LOGIN_EVERY_S = 300.0  # access tokens live for ten minutes
RETRY_S = 2.0
ANSWERS = {
    False: "Hello, I am a robot. I show a moving picture and hum; everything else you see here is real.",
    True: "I can only repeat myself, but your meter, hold and receipt are the real thing.",
}


class Robot:
    """Stays online, answers rings, joins the call, says hello, and leaves when the call is over."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=10))
        self._io = socketio.AsyncClient(reconnection=False, logger=False)
        self._io.on("snapshot", self._on_snapshot)
        self._io.on("chat.message", self._on_chat)
        self._token = ""
        self._snapshot: dict[str, Any] = {}
        self._changed = asyncio.Event()
        self._peer: MediaPeer | None = None
        self._epoch = 0
        self._in_call: str | None = None
        self._said: set[str] = set()

    async def live(self) -> None:
        """Be there until cancelled; whatever breaks is tried again."""
        while True:
            try:
                await self._shift()
            except (aiohttp.ClientError, SocketIOError, TimeoutError, OSError) as error:
                log.info("robot.retry", error=type(error).__name__)
            await self._hang_up()
            with contextlib.suppress(SocketIOError):
                await self._io.disconnect()
            await asyncio.sleep(RETRY_S)

    async def close(self) -> None:
        """Leave everything."""
        await self._hang_up()
        await self._io.shutdown()
        await self._http.close()

    async def _shift(self) -> None:
        """Log in, go online, and serve until the connection breaks."""
        await self._log_in()
        await self._io.connect(self._url, auth={"token": self._token}, transports=["websocket"], wait_timeout=10)
        await self._post("/api/consultant/online", {"online": True})
        loop = asyncio.get_running_loop()
        login_at, beat_at = loop.time() + LOGIN_EVERY_S, 0.0
        while self._io.connected:
            if loop.time() > beat_at:
                await self._say("heartbeat")
                beat_at = loop.time() + HEARTBEAT_S
            if loop.time() > login_at:
                await self._log_in()
                await self._say("auth.refresh", token=self._token)
                login_at = loop.time() + LOGIN_EVERY_S
            self._changed.clear()
            await self._act()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), 1.0)

    async def _act(self) -> None:
        """Do what the newest snapshot asks for."""
        presence = self._snapshot.get("presence") or {}
        if presence.get("status") in ("away", "offline"):
            await self._post("/api/consultant/online", {"online": True})
        for offer in self._snapshot.get("offers", []):
            await asyncio.sleep(ANSWER_AFTER_S)
            if any(known["id"] == offer["id"] for known in self._snapshot.get("offers", [])):
                await self._post(f"/api/offers/{offer['id']}/accept", {})
        call = self._snapshot.get("call")
        if call is None or call["state"] == "ended":
            await self._hang_up()
        elif call["media_ready"] and (
            self._peer is None or self._peer.state in ("failed", "closed") or call["media_epoch"] > self._epoch
        ):
            await self._join(call["id"])

    async def _join(self, call_id: str) -> None:
        await self._hang_up()
        joined = await self._say("media.join", call_id=call_id)
        if not joined["ok"]:
            return
        self._peer, self._in_call = MediaPeer(), call_id
        self._epoch = joined["epoch"]
        sdp = await self._peer.answer(joined["sdp"])
        await self._say("media.answer", call_id=call_id, peer_id=joined["peer_id"], sdp=sdp)
        await self._say("media.state", call_id=call_id, microphone=True, camera=True, screen=False)
        await self._chat(call_id, ANSWERS[False], "hello")

    async def _hang_up(self) -> None:
        if self._peer is not None:
            await self._peer.close()
        self._peer = self._in_call = None

    async def _on_snapshot(self, data: dict[str, Any]) -> None:
        if data["version"] >= self._snapshot.get("version", 0) or not self._snapshot:
            self._snapshot = data
            self._changed.set()

    async def _on_chat(self, data: dict[str, Any]) -> None:
        if data["author_role"] == "customer" and self._in_call == data["call_id"]:
            await self._chat(data["call_id"], ANSWERS[True], f"reply-{data['seq']}")

    async def _chat(self, call_id: str, text: str, client_id: str) -> None:
        key = f"{call_id}:{client_id}"
        if key not in self._said:
            self._said.add(key)
            await self._say("chat.send", call_id=call_id, client_id=client_id, text=text)

    async def _log_in(self) -> None:
        async with self._http.post("/api/auth/login", json={"email": ROBOT, "password": PASSWORD}) as response:
            response.raise_for_status()
            self._token = (await response.json())["access_token"]

    async def _post(self, path: str, body: dict[str, Any]) -> None:
        async with self._http.post(path, json=body, headers={"Authorization": f"Bearer {self._token}"}) as response:
            if response.status >= 500:  # noqa: PLR2004 - a refusal is an answer, a failure is not
                response.raise_for_status()

    async def _say(self, event: str, **fields: Any) -> dict[str, Any]:
        reply: dict[str, Any] = await self._io.call(event, {"v": 1, **fields}, timeout=10)
        return reply


async def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = load_settings()
    logs.configure("robot")
    robot = Robot(settings.public_url)
    living = asyncio.create_task(robot.live())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, living.cancel)
    await asyncio.wait({living})
    await robot.close()


if __name__ == "__main__":
    asyncio.run(main())
