"""Stands between our processes and the Stripe sandbox, and counts how many requests came in any one second."""

import re
import socket
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

WINDOW_S = 1.0
_ID = re.compile(r"/[a-z]+_[A-Za-z0-9]{16,}")
_HOP = {"host", "content-length", "transfer-encoding", "connection", "content-encoding"}


class CountingProxy:
    """Listens from the start (``url`` is known), answers while ``running``; counts since ``reset``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._target = ""
        self._http: aiohttp.ClientSession | None = None
        self.reset()

    def reset(self) -> None:
        """Begin to count anew."""
        self._last: dict[str, deque[float]] = defaultdict(deque)
        self.peaks: dict[str, int] = {}  # most requests in any window of a second, by endpoint; "" is all of them
        self.requests = 0

    @asynccontextmanager
    async def running(self, target: str) -> AsyncIterator[None]:
        """Pass everything on to ``target``."""
        self._target = target
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._pass)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        async with aiohttp.ClientSession(auto_decompress=False) as self._http:
            await web.SockSite(runner, self._listener).start()
            try:
                yield
            finally:
                await runner.cleanup()

    async def _pass(self, request: web.Request) -> web.Response:
        assert self._http is not None
        endpoint = f"{request.method} {_ID.sub('/{id}', request.path)}"
        self._count(endpoint)
        self._count("")
        self.requests += 1
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        body = await request.read()
        async with self._http.request(
            request.method, self._target + request.path_qs, data=body, headers=headers
        ) as reply:
            told = {name: value for name, value in reply.headers.items() if name.lower() not in _HOP}
            return web.Response(status=reply.status, body=await reply.read(), headers=told)

    def _count(self, endpoint: str) -> None:
        now, last = time.monotonic(), self._last[endpoint]
        last.append(now)
        while last[0] <= now - WINDOW_S:
            last.popleft()
        self.peaks[endpoint] = max(self.peaks.get(endpoint, 0), len(last))
