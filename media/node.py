"""The media node: the calls this process carries, and the one task that tells the database what was observed."""

import asyncio
import gc
import os
import socket
import time
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import psycopg
from aiohttp import web
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from core import logs
from core.db import Database, Tx
from core.errors import AppError, Conflict, Invalid, NotFound
from core.ids import CallId
from core.settings import Settings
from core.tasks import finish
from media import samples, store
from media.control import control_application
from media.events import MediaMoved, SessionClosed
from media.ice import Network
from media.intervals import Side
from media.live_call import LiveCall
from media.models import MediaSession
from media.probe import Probes
from media.recording.recorder import FileBegan, FileDone, Recorder
from media.relay import new_certificate
from media.sessions import CHANNEL, take_from_the_dead

log = logs.get(__name__)

WATCH_S = 0.2
WRITE_S = 1.0
RETRY_S = 0.5
LAST_WRITE_S = 10.0
DATABASE_DOWN = (SQLAlchemyError, psycopg.Error, OSError)


class MediaNode:
    """Carries calls until ``stop``. Forwarding never waits for the database: it runs on socket callbacks."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self.id = settings.media_node_id or f"{socket.gethostname()}-{os.getpid()}-{time.time_ns() % 1_000_000}"
        self._settings = settings
        self._db = db
        self._certificate = new_certificate()
        self._network = Network.parse(settings.media_addresses, settings.media_public_address, settings.media_udp_ports)
        self._probes = Probes(self._certificate, self._network)
        folder = settings.recordings_dir
        self._recorder = Recorder(Path(folder), self._on_file) if folder else None
        self._files: list[FileBegan | FileDone] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._calls: dict[CallId, LiveCall] = {}
        self._claiming: WeakValueDictionary[CallId, asyncio.Lock] = WeakValueDictionary()
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._draining = False
        self._load = Load()
        self.control_url = ""

    async def start(self) -> None:
        """Open the control API, say that we live, and begin to watch and write."""
        self._loop = asyncio.get_running_loop()
        app = control_application(self, self._settings.media_control_token)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.media_host, self._settings.media_control_port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.control_url = f"http://{host}:{port}"
        try:
            await self._save()  # whoever reads "ready" may send calls here at once
        except DATABASE_DOWN as error:
            log.warning("media.database_unavailable", error=type(error).__name__)
        for work in (self._watch(), self._write(), self._listen()):
            self._own(work)
        settle_memory()
        log.info("media.ready", node=self.id)

    async def drain(self, seconds: float) -> None:
        """Take no new calls, and let those carried here come to their end for at most ``seconds``."""
        self._draining = True
        self._changed.set()
        log.info("media.draining", node=self.id, calls=len(self._calls), seconds=seconds)
        self._idle.clear()
        if self._calls:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                return

    async def stop(self) -> None:
        """Give every call up to the other nodes, with what was seen here written down, and free everything."""
        self._draining = True
        await finish(*self._tasks)
        await asyncio.gather(self._probes.close(), *(call.give_up() for call in self._calls.values()))
        if self._recorder is not None:
            await asyncio.to_thread(self._recorder.close)
        try:
            async with asyncio.timeout(LAST_WRITE_S):
                await self._save()
                await self._release()
        except (*DATABASE_DOWN, TimeoutError) as error:
            log.warning("media.last_write_failed", error=type(error).__name__)
        if self._runner is not None:
            await self._runner.cleanup()

    # -- what the control API asks for -----------------------------------------------------------------------------

    async def join(self, call_id: CallId, role: str, dead: str | None) -> tuple[str, str, int]:
        """A new connection for this role of the call: (peer id, offer, epoch). Claims the call for this node.

        ``dead`` names the node that carried it, when its process is known to be gone.
        """
        call = await self._claim(call_id, dead)
        return *(await call.relay.join(role)), call.epoch

    async def answer(self, call_id: CallId, peer_id: str, sdp: str) -> None:
        """Take the answer of a connection."""
        await self._call(call_id).relay.answer(peer_id, sdp)

    async def leave(self, call_id: CallId, peer_id: str) -> None:
        """Close a connection."""
        await self._call(call_id).relay.leave(peer_id)

    def skip(self, call_id: CallId, ms: int) -> None:
        """Let the demo clock run ahead; refused in production."""
        if self._settings.environment not in ("demo", "test"):
            raise NotFound
        if not 0 < ms <= 24 * 3_600_000:
            raise Invalid("ms must be between 1 and one day.")
        self._call(call_id).skip(ms)

    def quality(self, call_id: CallId) -> dict[str, object]:
        """The relay's counts of a call."""
        return self._call(call_id).relay.quality()

    def probe(self) -> tuple[str, str]:
        """A network test: its id and our offer."""
        return self._probes.open()

    def answer_probe(self, probe_id: str, sdp: str) -> None:
        """Take the answer of a network test."""
        self._probes.answer(probe_id, sdp)

    @property
    def calls(self) -> int:
        """How many calls this node carries."""
        return len(self._calls)

    def _call(self, call_id: CallId) -> LiveCall:
        call = self._calls.get(call_id)
        if call is None or call.closing:
            raise NotFound("This call is not carried here; join anew.")
        return call

    async def _claim(self, call_id: CallId, dead: str | None) -> LiveCall:
        lock = self._claiming.setdefault(call_id, asyncio.Lock())
        async with lock:
            known = self._calls.get(call_id)
            if known is not None and not known.closing:
                return known  # even while draining: who lost the connection comes back to where the call is
            if known is not None:
                raise NotFound("This call has no media now.")
            if self._draining or len(self._calls) >= self._settings.media_capacity:
                raise Conflict("This node takes no new calls; join anew.", code="full")
            async with self._db.begin() as tx:
                await store.heartbeat(tx, self.id, self._told())
                row = await store.claim(tx, call_id, self.id, dead=dead)
                if row is None:
                    raise Conflict("This call has ended or is carried elsewhere.", code="not_here")
                await take_from_the_dead(tx, row)
                numbers = {Side(side): n for side, n in (await store.last_numbers(tx, call_id)).items()}
                call = LiveCall(
                    call_id,
                    certificate=self._certificate,
                    network=self._network,
                    numbers=numbers,
                    paused=row.paused,
                    epoch=row.epoch,
                    now=tx.now,
                    wake=self._changed.set,
                    recorder=self._recorder,
                )
                call.record(allowed=row.recording)
            self._calls[call_id] = call
            return call

    # -- tasks -----------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            for call in self._calls.values():
                if not call.closing:
                    call.watch()
            await self._probes.watch(time.monotonic())
            await asyncio.sleep(WATCH_S)

    async def _write(self) -> None:
        """Once a second, and at once when something changed: everything observed goes to the database."""
        while True:
            try:
                await self._save()
            except DATABASE_DOWN as error:
                log.warning("media.database_unavailable", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            try:
                async with asyncio.timeout(WRITE_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _save(self) -> None:
        self._changed.clear()
        async with self._db.begin() as tx:
            await store.heartbeat(tx, self.id, self._told())
            batch = [(call, call.dirty()) for call in self._calls.values() if not call.pending]
            await store.write_intervals(tx, self.id, [row for _, rows in batch for row in rows])
            await samples.write(tx, [one for call in self._calls.values() for one in call.samples()])
            files = list(self._files)
            await store.write_recordings(tx, self.id, files, keep=timedelta(days=self._settings.recording_days))
            wanted = await store.sessions_of(tx, self.id)
        del self._files[: len(files)]
        for call, rows in batch:
            call.saved(rows)
        for call in [call for call in self._calls.values() if call.pending or call.closing]:
            await self._publish(call)
        await self._obey(wanted)

    async def _publish(self, call: LiveCall) -> None:
        """What happened in one call, together with its intervals, in a transaction of its own.

        The session's row is locked and its owner checked: a node that was given up for dead may still be alive, and
        must not add time to a call that another one carries by now.
        """
        events, rows = list(call.pending), call.dirty()
        try:
            async with self._db.begin() as tx:
                session = await store.session(tx, call.call_id, lock=True)
                mine = session is not None and session.node_id == self.id and session.state != "closed"
                if mine:
                    await store.write_intervals(tx, self.id, rows)
                    for event in events:
                        await tx.publish(event)
                    if call.closing:
                        await self._close(tx, call)
        except (AppError, IntegrityError, ProgrammingError, DataError) as error:
            # One call that another room refuses must not stop the others; it is tried again at the next write.
            log.warning("media.event_refused", call_id=str(call.call_id), error=type(error).__name__)
            return
        if not mine:
            await self._forget(call)
            return
        del call.pending[: len(events)]
        call.saved(rows)
        if call.closing and not call.pending:
            await self._forget(call)

    async def _forget(self, call: LiveCall) -> None:
        self._calls.pop(call.call_id, None)
        if not self._calls:
            self._idle.set()
        call.record(allowed=False)
        await call.relay.close()

    def _on_file(self, fact: FileBegan | FileDone) -> None:
        """From the recorder's thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._note_file, fact)

    def _note_file(self, fact: FileBegan | FileDone) -> None:
        self._files.append(fact)
        self._changed.set()

    async def _release(self) -> None:
        """Let other nodes carry what this one carried, and have both sides of each call join there."""
        async with self._db.begin() as tx:
            for row in await store.release(tx, self.id):
                await tx.publish(MediaMoved(CallId(row.call_id), row.epoch))
            await store.sign_off(tx, self.id)

    def _told(self) -> store.Heartbeat:
        return store.Heartbeat(
            control_url=self.control_url,
            calls=len(self._calls),
            capacity=self._settings.media_capacity,
            load_permille=self._load.permille(),
            draining=self._draining,
        )

    async def _close(self, tx: Tx, call: LiveCall) -> None:
        row = await store.session(tx, call.call_id, lock=True)
        if row is not None and row.state != "closed":
            row.state, row.closed_at = "closed", tx.now
            await tx.publish(SessionClosed(call.call_id))

    async def _obey(self, wanted: Any) -> None:
        """Close and pause as the rows say; forget calls that another node carries now."""
        rows: dict[CallId, MediaSession] = {CallId(row.call_id): row for row in wanted}
        for call_id, row in rows.items():
            call = self._calls.get(call_id)
            if row.state == "closing" and call is None:
                call = self._calls[call_id] = self._empty(call_id, row)
            if call is None or call.closing:
                continue
            if row.state == "closing":
                await call.end()
                self._changed.set()
            else:
                call.pause(paused=row.paused)
                call.record(allowed=row.recording)
        for call_id in [known for known, call in self._calls.items() if known not in rows and not call.closing]:
            if not await self._still_mine(call_id):
                await self._forget(self._calls[call_id])

    async def _still_mine(self, call_id: CallId) -> bool:
        async with self._db.begin() as tx:
            row = await store.session(tx, call_id)
            return row is not None and row.node_id == self.id and row.state != "closed"

    def _empty(self, call_id: CallId, row: MediaSession) -> LiveCall:
        """A call that is to be closed and of which this node holds nothing (it was claimed and never answered)."""
        return LiveCall(
            call_id,
            certificate=self._certificate,
            network=self._network,
            numbers={},
            paused=row.paused,
            epoch=row.epoch,
            now=row.created_at,
            wake=self._changed.set,
        )

    async def _listen(self) -> None:
        """Wake the writer when a session row changes; a lost connection only means up to a second of delay."""
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(self._db.url, autocommit=True)
                async with connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    async for _ in connection.notifies():
                        self._changed.set()
            except DATABASE_DOWN as error:
                log.warning("media.listener_lost", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_tell)
        self._tasks.append(task)


class Load:
    """This process's share of one core since it was last asked, or over the last second."""

    def __init__(self) -> None:
        self._wall, self._used, self._last = time.monotonic(), time.process_time(), 0

    def permille(self) -> int:
        """Thousandths of one core."""
        wall, used = time.monotonic(), time.process_time()
        if wall - self._wall >= WRITE_S / 2:
            self._last = round(1000 * (used - self._used) / (wall - self._wall))
            self._wall, self._used = wall, used
        return self._last


def settle_memory() -> None:
    """Keep the collector out of the packets' way.

    A full collection visits every object of every library, some tenths of a second in which nothing is forwarded.
    What is there once a node is up stays for ever: it is set aside, and the young generations are looked at less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _tell(task: asyncio.Task[None]) -> None:
    """A task of the node that ends by itself is a bug: say so loudly, and let the supervisor start us anew."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("media.task_died", exc_info=error)
        os._exit(70)
