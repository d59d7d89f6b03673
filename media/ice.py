"""The ICE-lite agent of one peer (RFC 8445 §2.5): its sockets, the checks it answers, and the path it sends on.

We have public addresses and the browser has none, so the browser does all the checking (ADR 0008). We never send to an
address that did not prove, by the password of our offer, that it belongs to this call: the candidates a client
announces are not even read, and nothing of what a stranger sends reaches DTLS or SRTP.
"""

import asyncio
import errno
import random
import secrets
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import ifaddr
from aioice import stun

from core.errors import Upstream

Address = tuple[Any, ...]  # as ``recvfrom`` gives it: two parts, or four for IPv6
Datagram = Callable[[bytes], None]

CONSENT_S = 30.0  # RFC 7675 §5.1: nothing is sent to an address that was silent for this long
RECEIVE_BYTES = 1 << 20
MOST_PATHS = 16  # validated addresses of one peer; a browser uses one to three
_MTU = 2048
_REQUEST = bytes((0, 1))  # the first two bytes of a binding request
_COOKIE = bytes((0x21, 0x12, 0xA4, 0x42))


@dataclass(frozen=True, slots=True)
class Network:
    """Where a node's sockets are. ``public`` replaces bound addresses in candidates (NAT with ports kept 1:1)."""

    addresses: tuple[str, ...] = ()
    public: tuple[str, ...] = ()
    ports: tuple[int, int] = (0, 0)

    @classmethod
    def parse(cls, addresses: str, public: str, ports: str) -> "Network":
        """From settings: comma-separated addresses (empty: all of this machine) and ``first-last`` (empty: any)."""
        first, _, last = ports.partition("-")
        span = (int(first), int(last)) if ports else (0, 0)
        if not 0 <= span[0] <= span[1] < 1 << 16:
            raise ValueError("MEDIA_UDP_PORTS must be like 40000-40999.")
        return cls(_addresses(addresses), _addresses(public), span)

    def bound(self) -> Sequence[str]:
        """The addresses to bind: those configured, or every one of this machine that others can reach."""
        return self.addresses or _own_addresses()

    def announced(self, address: str) -> list[str]:
        """What is told of a socket bound to ``address``."""
        version = ip_address(address).version
        return [known for known in self.public if ip_address(known).version == version] or [address]


class IceLite:
    """Sockets and paths of one peer. ``on_srtp`` and ``on_dtls`` get datagrams of validated addresses only."""

    def __init__(self, network: Network, on_srtp: Datagram, on_dtls: Datagram) -> None:
        self.username, self.password = secrets.token_hex(4), secrets.token_hex(16)
        self._network = network
        self._on_srtp, self._on_dtls = on_srtp, on_dtls
        self._key = self.password.encode()
        self._mark = f"{self.username}:".encode()
        self._sockets: list[socket.socket] = []
        self._paths: set[tuple[int, Address]] = set()
        self._chosen: tuple[socket.socket, Address] | None = None
        self._checked_at = time.monotonic()
        self._reachable = asyncio.Event()

    def open(self) -> None:
        """Bind one socket for each address; raises ``Upstream`` when this node has no port left."""
        loop = asyncio.get_running_loop()
        for address in self._network.bound():
            found = _bind(address, self._network.ports)
            self._sockets.append(found)
            loop.add_reader(found.fileno(), self._reader(found))

    @property
    def candidates(self) -> list[str]:
        """Our host candidates as SDP attribute values, IPv6 first (RFC 8421)."""
        lines: list[str] = []
        for bound in sorted(self._sockets, key=lambda one: one.family != socket.AF_INET6):
            host, port = bound.getsockname()[:2]
            for address in self._network.announced(host):
                priority = (126 << 24) + ((65_535 - len(lines)) << 8) + 255  # RFC 8445 §5.1.2.1
                lines.append(f"{len(lines) + 1} 1 udp {priority} {address} {port} typ host")
        return lines

    async def reachable(self) -> None:
        """Wait until the peer has proven an address."""
        await self._reachable.wait()

    def send(self, datagram: bytes) -> None:
        """Send on the path the peer nominated; with none, or a full socket, it is lost as any may be."""
        if self._chosen is not None:
            try:
                self._chosen[0].sendto(datagram, self._chosen[1])
            except OSError:
                return  # a full buffer or a route that is gone: loss, which every receiver can bear

    def watch(self, now: float) -> bool:
        """Stop sending when the peer's consent has run out; whether it still stands."""
        if now - self._checked_at < CONSENT_S:
            return True
        self._chosen = None
        self._paths.clear()
        return False

    def close(self) -> None:
        """Free the sockets."""
        self._chosen = None
        loop = asyncio.get_running_loop()
        for one in self._sockets:
            loop.remove_reader(one.fileno())
            one.close()
        self._sockets.clear()

    def _reader(self, bound: socket.socket) -> Callable[[], None]:
        """What runs for each datagram: the innermost loop of the product."""
        receive, paths, on_srtp, on_dtls = bound.recvfrom, self._paths, self._on_srtp, self._on_dtls
        number = bound.fileno()

        def read() -> None:
            try:
                data, source = receive(_MTU)
            except OSError:
                return
            if not data:
                return
            first = data[0]  # RFC 7983: what it is
            if 128 <= first < 192:  # noqa: PLR2004
                if (number, source) in paths:
                    on_srtp(data)
            elif first < 4:  # noqa: PLR2004
                self._check(bound, data, source)
            elif 20 <= first < 64 and (number, source) in paths:  # noqa: PLR2004
                on_dtls(data)

        return read

    def _check(self, bound: socket.socket, data: bytes, source: Address) -> None:
        """Answer a connectivity check that knows our password; everything else is dropped unanswered."""
        if data[:2] != _REQUEST or data[4:8] != _COOKIE or self._mark not in data:
            return  # cheap, before any hash is computed: a flood of forged checks costs next to nothing
        try:
            request = stun.parse_message(data)
            if not request.check_message_integrity(self._key):
                return
        except (ValueError, struct.error):
            return
        if not str(request.attributes.get("USERNAME", "")).startswith(f"{self.username}:"):
            return
        path = (bound.fileno(), source)
        if path not in self._paths:
            if len(self._paths) >= MOST_PATHS:
                return
            self._paths.add(path)
        if "USE-CANDIDATE" in request.attributes or self._chosen is None:
            self._chosen = (bound, source)
        self._checked_at = time.monotonic()
        self._reachable.set()
        reply = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        reply.attributes["XOR-MAPPED-ADDRESS"] = source[:2]
        reply.add_message_integrity(self._key)  # and the fingerprint
        try:
            bound.sendto(bytes(reply), source)
        except OSError:
            return


def _bind(address: str, ports: tuple[int, int]) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_DGRAM)
    found.setblocking(False)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    first, last = ports
    count = last - first + 1
    start = random.randrange(count)  # noqa: S311 - spreads ports, guards nothing
    for step in range(count):
        try:
            found.bind((address, first + (start + step) % count))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                found.close()
                raise
        else:
            return found
    found.close()
    raise Upstream("This node has no UDP port left; join anew.")


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(str(ip_address(part.strip())) for part in text.split(",") if part.strip())


def _own_addresses() -> list[str]:
    """This machine's addresses without loopback and link-local ones; loopback alone when there is nothing else."""
    found = []
    for adapter in ifaddr.get_adapters():
        for known in adapter.ips:
            address = ip_address(known.ip if isinstance(known.ip, str) else known.ip[0])
            if not (address.is_loopback or address.is_link_local):
                found.append(str(address))
    return found or ["127.0.0.1"]
