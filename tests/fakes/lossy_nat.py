"""A bad network in one thread: a 1:1 NAT before a media node that loses, delays and reorders datagrams."""

import asyncio
import random
import threading
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]


@dataclass(slots=True)
class Weather:
    """What happens to each datagram, in either direction: lost with ``loss``, else late by 0 to ``jitter_s``."""

    loss: float = 0.0
    jitter_s: float = 0.0


@dataclass(slots=True)
class Counts:
    """What passed, both directions together."""

    passed: int = 0
    lost: int = 0
    clients: set[Address] = field(default_factory=set)


class LossyNat:
    """Listens on ``outside`` for each port of ``ports`` and speaks to ``inside`` at the same port.

    Every client address gets a socket of its own towards the node, as behind a real NAT. ``weather`` may be changed
    while it runs.
    """

    def __init__(self, outside: str, inside: str, ports: range, *, seed: int = 1) -> None:
        self.weather, self.counts = Weather(), Counts()
        self._outside, self._inside, self._ports = outside, inside, ports
        self._random = random.Random(seed)  # noqa: S311 - a network that can be repeated
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: list[asyncio.DatagramTransport] = []
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def close(self) -> None:
        """End the thread and free the sockets."""
        self._loop.call_soon_threadsafe(self._close)
        self._thread.join(10)
        self._loop.close()

    def pass_on(self, transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
        """Send now, later or never."""
        if self._random.random() < self.weather.loss:
            self.counts.lost += 1
            return
        self.counts.passed += 1
        late = self._random.random() * self.weather.jitter_s
        if late:
            self._loop.call_later(late, self._send, transport, data, to)
        else:
            self._send(transport, data, to)

    async def inner(self, port: int, client: Address, outer: asyncio.DatagramTransport) -> asyncio.DatagramTransport:
        """The socket of one client towards the node."""
        self.counts.clients.add(client)
        transport, _ = await self._loop.create_datagram_endpoint(
            lambda: _Inner(self, outer, client),
            # The node tells the browser where it saw it, and Firefox gives up a path that seems to be loopback.
            local_addr=(self._outside, 0),
            remote_addr=(self._inside, port),
        )
        self._open.append(transport)
        return transport

    async def _listen(self) -> None:
        for port in self._ports:
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda port=port: _Outer(self, port),  # type: ignore[misc]
                local_addr=(self._outside, port),
            )
            self._open.append(transport)

    def _send(self, transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
        if not transport.is_closing():
            transport.sendto(data, to)

    def _close(self) -> None:
        for transport in self._open:
            transport.close()
        self._loop.call_soon(self._loop.stop)


class _Outer(asyncio.DatagramProtocol):
    """What clients talk to."""

    def __init__(self, nat: LossyNat, port: int) -> None:
        self._nat, self._port = nat, port
        self._inner: dict[Address, asyncio.Future[asyncio.DatagramTransport]] = {}

    def connection_made(self, transport: Any) -> None:
        """Ready."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """From a client to the node."""
        inner = self._inner.get(addr)
        if inner is None:
            opening = self._nat.inner(self._port, addr, self._transport)
            inner = self._inner[addr] = asyncio.ensure_future(opening)
        if inner.done():
            self._nat.pass_on(inner.result(), data, None)
        else:
            inner.add_done_callback(lambda opened: self._nat.pass_on(opened.result(), data, None))


class _Inner(asyncio.DatagramProtocol):
    """What the node talks to."""

    def __init__(self, nat: LossyNat, outer: asyncio.DatagramTransport, client: Address) -> None:
        self._nat, self._outer, self._client = nat, outer, client

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - the protocol's signature
        """From the node to the client."""
        self._nat.pass_on(self._outer, data, self._client)
