"""A TURN client that says exactly what it is told: aioice's, with IPv6 allocations and bare permissions."""

import asyncio
import ssl
from typing import Any

from aioice import stun, turn

# RFC 8656 §18.8: not in aioice's table; the family is the first of four bytes.
_FAMILY = (0x0017, "REQUESTED-ADDRESS-FAMILY", stun.pack_unsigned, stun.unpack_unsigned)
stun.ATTRIBUTES_BY_NAME.setdefault(_FAMILY[1], _FAMILY)
stun.ATTRIBUTES_BY_TYPE.setdefault(_FAMILY[0], _FAMILY)
IPV4, IPV6 = 0x01000000, 0x02000000


class _Heard(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.packets: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.packets.put_nowait((data, addr))


class TurnClient:
    """One allocation. ``how`` is "udp", "tcp" or "tls" (any certificate is accepted)."""

    def __init__(self, server: tuple[str, int], username: str, password: str, how: str = "udp") -> None:
        self._server, self._names, self._how = server, {"username": username, "password": password}, how
        self._heard = _Heard()
        self._protocol: Any = None

    async def allocate(self, family: int = IPV4) -> Any:
        """The relayed address; raises ``stun.TransactionFailed`` when it is refused."""
        loop = asyncio.get_running_loop()
        made = {"lifetime": 600, "channel_refresh_time": 500, **self._names}
        if self._how == "udp":
            _, self._protocol = await loop.create_datagram_endpoint(
                lambda: turn.TurnClientUdpProtocol(self._server, **made), remote_addr=self._server
            )
        else:
            context = None
            if self._how == "tls":
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            _, self._protocol = await loop.create_connection(
                lambda: turn.TurnClientTcpProtocol(self._server, **made), *self._server, ssl=context
            )
        self._protocol.receiver = self._heard
        request = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.REQUEST)
        request.attributes["LIFETIME"] = 600
        request.attributes["REQUESTED-TRANSPORT"] = turn.UDP_TRANSPORT
        request.attributes["REQUESTED-ADDRESS-FAMILY"] = family
        reply, _ = await self._protocol.request_with_retry(request)
        return reply.attributes["XOR-RELAYED-ADDRESS"]

    async def permit(self, host: str) -> int:
        """Ask for a permission to reach ``host``: 0, or the code it was refused with."""
        return await self._code(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": (host, 9)})

    async def bind(self, host: str, port: int, channel: int) -> int:
        """Ask for a channel: 0, or the code it was refused with."""
        return await self._code(stun.Method.CHANNEL_BIND, {"CHANNEL-NUMBER": channel, "XOR-PEER-ADDRESS": (host, port)})

    async def send(self, data: bytes, peer: tuple[str, int]) -> None:
        """Send through the relay."""
        await self._protocol.send_data(data, peer)

    async def receive(self) -> tuple[bytes, Any]:
        """The next packet that came through the relay, and from whom."""
        return await self._heard.packets.get()

    def close(self) -> None:
        """Drop the connection."""
        if self._protocol is not None:
            self._protocol.transport.close()

    async def _code(self, method: Any, attributes: dict[str, Any]) -> int:
        request = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
        request.attributes.update(attributes)
        try:
            await self._protocol.request_with_retry(request)
        except stun.TransactionFailed as error:
            return int(error.response.attributes["ERROR-CODE"][0])
        return 0
