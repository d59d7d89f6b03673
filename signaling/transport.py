"""The Socket.IO server with its known weak spots closed: unread queues are capped, binary frames are refused."""

import asyncio
import time
from typing import Any

import engineio
import socketio
from aiohttp import web

from core import logs
from core.tasks import finish
from signaling.messages import MAX_MESSAGE_BYTES

log = logs.get(__name__)

MAX_UNREAD_BYTES = 512 * 1024  # kernel and aiohttp buffer some more on top; together well under 1 MB
MAX_UNREAD_S = 10.0
CONNECT_WITHIN_S = 10.0  # from opening the WebSocket to a successful Socket.IO connect
REDIS_TIMEOUT_S = 2.0
PING_INTERVAL_S = 5
PING_TIMEOUT_S = 5


class CappedQueue(asyncio.Queue[Any]):
    """What waits for one connection; beyond the cap it takes nothing and says so (engineio's own has no bound)."""

    def __init__(self) -> None:
        super().__init__()
        self.created_at = time.monotonic()
        self.overflowed = False
        self._bytes = 0
        self._moved_at = self.created_at

    @property
    def stuck_s(self) -> float:
        """For how long something has been waiting without anything being taken."""
        return 0.0 if self.empty() else time.monotonic() - self._moved_at

    def put_nowait(self, item: Any) -> None:
        """Add a packet, or refuse it when the reader is too far behind; ``None`` ends the writer and always fits."""
        if self.empty():
            self._moved_at = time.monotonic()
        size = _size(item)
        if item is not None and self._bytes + size > MAX_UNREAD_BYTES:
            self.overflowed = True
            return
        self._bytes += size
        super().put_nowait(item)

    def get_nowait(self) -> Any:
        """Take a packet."""
        item = super().get_nowait()
        self._bytes -= _size(item)
        self._moved_at = time.monotonic()
        return item


def _size(packet: Any) -> int:
    data = getattr(packet, "data", None)
    return len(data) if isinstance(data, str | bytes) else 0


class Engine(engineio.AsyncServer):  # type: ignore[misc]  # untyped library
    """Engine.IO whose connections have capped queues."""

    def create_queue(self, *_args: Any, **_kwargs: Any) -> CappedQueue:
        """Make the queue of one connection."""
        return CappedQueue()

    async def shutdown(self) -> None:
        """End the library's own sweeping task; told twice, the second time has nothing to do."""
        task: asyncio.Task[None] | None = getattr(self, "service_task_handle", None)
        self.service_task_handle = None
        if task is not None:
            await finish(task)


class Manager(socketio.AsyncRedisManager):  # type: ignore[misc]
    """Fan-out between web processes that never waits long: Redis may be down or, worse, hang."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url, redis_options={"socket_connect_timeout": REDIS_TIMEOUT_S})
        self._retiring: set[asyncio.Task[None]] = set()

    async def _publish(self, data: Any) -> None:
        try:
            async with asyncio.timeout(REDIS_TIMEOUT_S):
                await super()._publish(data)
        except TimeoutError:
            log.warning("redis.publish_timed_out")

    def _redis_connect(self) -> None:
        # The library forgets its old connections when it makes new ones.
        if self.redis is not None:
            self._retire(self.redis, self.pubsub)
        super()._redis_connect()

    def _retire(self, redis: Any, pubsub: Any) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_close(redis, pubsub))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
        return task

    async def stop(self) -> None:
        """End the listening task and close the connections."""
        task = getattr(self, "thread", None)
        if task is not None:
            await finish(task)
        if self.redis is not None:
            self._retire(self.redis, self.pubsub)
        await asyncio.gather(*self._retiring, return_exceptions=True)


async def _close(redis: Any, pubsub: Any) -> None:
    async with asyncio.timeout(REDIS_TIMEOUT_S):
        await pubsub.aclose()
        await redis.aclose()


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """Socket.IO on aiohttp, WebSocket only."""

    def __init__(self, *, origins: list[str], redis_url: str, connect_within_s: float = CONNECT_WITHIN_S) -> None:
        self._connect_within_s = connect_within_s
        super().__init__(
            async_mode="aiohttp",
            client_manager=Manager(redis_url),
            cors_allowed_origins=origins,
            transports=["websocket"],
            max_http_buffer_size=MAX_MESSAGE_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            http_compression=False,
            cookie=None,
        )

    def _engineio_server_class(self) -> type[engineio.AsyncServer]:
        return Engine

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        # Nothing of ours is binary, and a binary event may announce attachments without end.
        if not isinstance(data, str) or data[:1] in ("5", "6"):
            self.abort(eio_sid, "binary")
            return
        await super()._handle_eio_message(eio_sid, data)

    def abort(self, eio_sid: str, why: str) -> None:
        """Cut the connection below the WebSocket: a peer that does not read would never see a polite close."""
        environ = self.environ.get(eio_sid)
        request: web.Request | None = environ and environ.get("aiohttp.request")
        log.info("socket.aborted", why=why)
        if request is not None and request.transport is not None:
            request.transport.abort()

    def sweep(self) -> None:
        """Cut every connection that does not read, and every one that never became a Socket.IO session."""
        for eio_sid, connection in list(self.eio.sockets.items()):
            queue = connection.queue
            if queue.overflowed or queue.stuck_s > MAX_UNREAD_S:
                self.abort(eio_sid, "does not read")
            elif time.monotonic() - queue.created_at > self._connect_within_s and not self.knows(eio_sid):
                self.abort(eio_sid, "never signed in")

    def knows(self, eio_sid: str) -> bool:
        """Whether this connection has a Socket.IO session."""
        return self.manager.sid_from_eio_sid(eio_sid, "/") is not None
