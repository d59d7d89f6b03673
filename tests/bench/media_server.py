"""The server under test: calls as a node carries them, observers running, without a database; a process of its own."""

import asyncio
import gc
import multiprocessing
import os
import threading
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from aiortc import RTCCertificate

from core.ids import CallId
from media.ice import Network
from media.live_call import LiveCall
from media.node import WATCH_S, settle_memory
from media.relay import new_certificate


def serve(pipe: Connection, core: int) -> None:
    """Runs until told to stop, pinned to one core."""
    os.sched_setaffinity(0, {core})
    uvloop.run(_Server(pipe).run())


class _Server:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._certificate = new_certificate()
        self._calls: dict[int, LiveCall] = {}
        self._lags: list[float] = []  # how late the loop came back from each of its pauses

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        requests: asyncio.Queue[Any] = asyncio.Queue()
        loop.add_reader(self._pipe.fileno(), lambda: requests.put_nowait(self._pipe.recv()))
        watching = asyncio.create_task(self._watch())
        while True:
            what, *arguments = await requests.get()
            if what == "join":
                index, role = arguments
                call = self._calls.get(index) or self._calls.setdefault(index, _call(self._certificate))
                self._pipe.send(await call.relay.join(role))
            elif what == "answer":
                index, peer_id, sdp = arguments
                await self._calls[index].relay.answer(peer_id, sdp)
                self._pipe.send(None)
            elif what == "leave":
                index, peer_id = arguments
                await self._calls[index].relay.leave(peer_id)
                self._pipe.send(None)
            elif what == "vitals":
                gc.collect()
                self._pipe.send(_vitals())
            elif what == "lags":
                self._pipe.send(self._lags)
            elif what == "settle":
                self._lags.clear()
                settle_memory()
                self._pipe.send(None)
            elif what == "seen":
                self._pipe.send({index: call.relay.quality() for index, call in self._calls.items()})
            else:
                watching.cancel()
                await asyncio.gather(*(call.relay.close() for call in self._calls.values()))
                return

    async def _watch(self) -> None:
        while True:
            for call in self._calls.values():
                call.watch()
                call.pending.clear()
            due = time.monotonic() + WATCH_S
            await asyncio.sleep(WATCH_S)
            self._lags.append(time.monotonic() - due)


def _vitals() -> dict[str, int]:
    """What must come back to where it was: open files, threads, tasks; and memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "rss_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
    }


def _call(certificate: RTCCertificate) -> LiveCall:
    return LiveCall(
        CallId(uuid4()),
        certificate=certificate,
        network=Network(),
        numbers={},
        paused=False,
        epoch=0,
        now=datetime.now(UTC),
        wake=lambda: None,
    )


class MediaServer:
    """Our side of that process."""

    name = "relay"

    def __init__(self, core: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, core), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """The process that is measured."""
        return self._process.pid or 0

    async def connect(self, index: int, participants: Any) -> None:
        """Bring both participants into call ``index``."""
        for role, one in zip(("customer", "consultant"), participants, strict=True):
            peer_id, offer = self.ask("join", index, role)
            self.ask("answer", index, peer_id, await one.answer(offer))
            async with asyncio.timeout(20):
                await one.connect(offer, offered=False)

    def ask(self, *what: Any) -> Any:
        """One request over the pipe."""
        self._pipe.send(what)
        return self._pipe.recv()

    async def ready(self) -> None:
        """What a node does once it is up."""
        self.ask("settle")

    async def stop(self) -> None:
        """End it."""
        self._pipe.send(("stop",))
        await asyncio.to_thread(self._process.join, 10)
