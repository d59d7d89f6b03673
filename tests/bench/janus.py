"""Janus as a peer of the bench: Debian's package with the videocall plugin, started on ports of its own."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp

from app.embedded import child
from app.embedded.postgres import free_port

PLUGINS = Path("/usr/lib")
MISSING = "There is no Janus to compare with: apt-get install -y --no-install-recommends janus"


class Janus:
    """One Janus process; ``connect`` lets the first participant call the second."""

    name = "janus"

    def __init__(self, core: int = 0) -> None:
        binary = shutil.which("janus")
        if binary is None:
            raise SystemExit(MISSING)
        self._folder = Path(tempfile.mkdtemp(prefix="janus-"))
        self._port = free_port()
        command = ["taskset", "-c", str(core), binary, "-F", str(self._configure())]
        with (self._folder / "log").open("wb") as log:
            self._process: subprocess.Popen[bytes] = child.start(
                command, log=log, env=self._environment(), cwd=Path("/")
            )
        self._http: aiohttp.ClientSession | None = None
        self._socket: Any = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._events: dict[int, asyncio.Queue[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int:
        """The process that is measured."""
        return self._process.pid

    async def ready(self) -> None:
        """Nothing to do once it is up."""

    async def connect(self, index: int, participants: Any) -> None:
        """Register both, call, accept."""
        caller, callee = participants
        handles = [await self._attach(f"{index}-{n}") for n in range(2)]
        await self._say(handles[0], {"request": "call", "username": f"{index}-1"}, "offer", await caller.offer())
        incoming = await self._event(handles[1], "incomingcall")
        await self._say(handles[1], {"request": "accept"}, "answer", await callee.answer(incoming["jsep"]["sdp"]))
        accepted = await self._event(handles[0], "accepted")
        async with asyncio.timeout(20):
            await asyncio.gather(
                caller.connect(accepted["jsep"]["sdp"], offered=True),
                callee.connect(incoming["jsep"]["sdp"], offered=False),
            )

    async def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        if self._http is not None:
            await self._http.close()
        child.stop(self._process)
        shutil.rmtree(self._folder)

    def _environment(self) -> dict[str, str]:
        library = os.environ.get("JANUS_LIBSRTP")  # a folder with another libsrtp2.so.1
        return os.environ | ({"LD_LIBRARY_PATH": library} if library else {})

    def _configure(self) -> Path:
        folders = {name: next(PLUGINS.glob(f"*/janus/{name}")) for name in ("plugins", "transports")}
        unwanted = [
            path.name for path in folders["plugins"].iterdir() if path.suffix == ".so" and "videocall" not in path.name
        ]
        others = [
            path.name
            for path in folders["transports"].iterdir()
            if path.suffix == ".so" and "websockets" not in path.name
        ]
        (self._folder / "janus.jcfg").write_text(
            f"""general: {{
  configs_folder = "{self._folder}"
  plugins_folder = "{folders["plugins"]}"
  transports_folder = "{folders["transports"]}"
  debug_level = 2
  session_timeout = 600
}}
media: {{ ipv6 = false }}
plugins: {{ disable = "{",".join(unwanted)}" }}
transports: {{ disable = "{",".join(others)}" }}
"""
        )
        (self._folder / "janus.transport.websockets.jcfg").write_text(
            f'general: {{ json = "compact" ws = true ws_port = {self._port} ws_interface = "lo" wss = false }}\n'
        )
        (self._folder / "janus.plugin.videocall.jcfg").write_text("general: { }\n")
        return self._folder

    async def _open(self) -> None:
        self._http = aiohttp.ClientSession()
        deadline = asyncio.get_running_loop().time() + 15
        while True:
            try:
                self._socket = await self._http.ws_connect(
                    f"http://127.0.0.1:{self._port}", protocols=["janus-protocol"], max_msg_size=0
                )
                break
            except aiohttp.ClientError:
                if asyncio.get_running_loop().time() > deadline or self._process.poll() is not None:
                    raise SystemExit((self._folder / "log").read_text(errors="replace")[-2000:]) from None
                await asyncio.sleep(0.1)
        self._tasks.append(asyncio.create_task(self._listen()))

    async def _listen(self) -> None:
        async for message in self._socket:
            said = message.json()
            waiting = self._answers.pop(said.get("transaction", ""), None)
            if waiting is not None:
                waiting.set_result(said)
            if said["janus"] == "event":
                self._events.setdefault(said["sender"], asyncio.Queue()).put_nowait(said)

    async def _ask(self, **what: Any) -> Any:
        transaction = uuid4().hex
        answer = self._answers[transaction] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"transaction": transaction, **what})
        async with asyncio.timeout(10):
            said = await answer
        if said["janus"] == "error":
            raise RuntimeError(f"janus: {said['error']}")
        return said

    async def _attach(self, username: str) -> tuple[int, int]:
        if self._socket is None:
            await self._open()
        session = (await self._ask(janus="create"))["data"]["id"]
        attached = await self._ask(janus="attach", session_id=session, plugin="janus.plugin.videocall")
        handle = session, attached["data"]["id"]
        await self._say(handle, {"request": "register", "username": username})
        await self._event(handle, "registered")
        return handle

    async def _say(self, handle: tuple[int, int], body: dict[str, Any], kind: str = "", sdp: str = "") -> None:
        jsep = {"jsep": {"type": kind, "sdp": sdp}} if sdp else {}
        await self._ask(janus="message", session_id=handle[0], handle_id=handle[1], body=body, **jsep)

    async def _event(self, handle: tuple[int, int], wanted: str) -> Any:
        queue = self._events.setdefault(handle[1], asyncio.Queue())
        async with asyncio.timeout(10):
            while True:
                said = await queue.get()
                data = said["plugindata"]["data"]
                if "error" in data:
                    raise RuntimeError(f"janus: {data['error']}")
                if data.get("result", {}).get("event") == wanted:
                    return said
