"""A real coturn with the configuration we ship: who may use it, how, and above all where it does not relay to (S9)."""

import asyncio
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aioice import stun
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.embedded import child
from app.embedded.postgres import free_port
from app.embedded.turn import EmbeddedTurn
from media.ice import Network
from media.turn import Coturn, TurnServers
from tests.fakes.turn_client import IPV4, IPV6, TurnClient

HERE = [one for one in Network().bound() if not one.startswith("127.")]
HERE4 = next((one for one in HERE if ":" not in one), None)
pytestmark = [
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="needs coturn: apt-get install -y coturn"),
    pytest.mark.skipif(HERE4 is None, reason="needs an IPv4 address other than loopback"),
]
NOWHERE = {
    "loopback": "127.0.0.1",
    "loopback, far": "127.255.255.254",
    "any": "0.0.0.0",  # noqa: S104
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "carrier": "100.64.0.1",
    "link-local, metadata": "169.254.169.254",
    "benchmark": "198.18.0.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "public": "8.8.8.8",
}
NOWHERE6 = {
    "loopback": "::1",
    "any": "::",
    "mapped loopback": "::ffff:127.0.0.1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped node": f"::ffff:{HERE4}",
    "compatible": "::127.0.0.1",
    "6to4": "2002:7f00:1::1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, local": "64:ff9b:1::7f00:1",
    "Teredo": "2001:0:7f00:1::1",
    "ULA": "fc00::1",
    "ULA, locally assigned": "fd12:3456::1",
    "link-local": "fe80::1",
    "multicast": "ff02::1",
    "public": "2001:4860:4860::8888",
}


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTurn]:
    server = EmbeddedTurn(tmp_path_factory.mktemp("turn"))
    server.start()
    yield server
    server.stop()


def where(relay: EmbeddedTurn) -> tuple[str, int]:
    assert HERE4 is not None
    return HERE4, int(relay.urls.split("?")[0].rsplit(":", 1)[1])


def names(
    relay: EmbeddedTurn, *, ttl_s: int = 600, secret: str | None = None, at: datetime | None = None
) -> tuple[str, str]:
    servers = TurnServers.parse(relay.urls, secret or relay.secret, ttl_s)
    (one,) = servers.ice_servers(at or datetime.now(UTC))
    return one["username"], one["credential"]


async def test_it_relays_to_nothing_but_a_media_node(relay: EmbeddedTurn) -> None:
    client = TurnClient(where(relay), *names(relay))
    await client.allocate(IPV4)
    refused = {name: (await client.permit(host), await client.bind(host, 9, 0x4000 + n))
               for n, (name, host) in enumerate(NOWHERE.items())}  # fmt: skip
    client.close()
    assert {name for name, codes in refused.items() if 0 in codes} == set()


@pytest.mark.skipif(not any(":" in one for one in HERE), reason="this machine has no IPv6 address")
async def test_it_relays_to_nothing_but_a_media_node_by_ipv6(relay: EmbeddedTurn) -> None:
    client = TurnClient(where(relay), *names(relay))
    assert ":" in (await client.allocate(IPV6))[0]
    refused = {name: (await client.permit(host), await client.bind(host, 9, 0x4000 + n))
               for n, (name, host) in enumerate(NOWHERE6.items())}  # fmt: skip
    allowed = await client.permit(next(one for one in HERE if ":" in one))
    client.close()
    assert {name for name, codes in refused.items() if 0 in codes} == set()
    assert allowed == 0, "a node's IPv6 address"


@pytest.mark.parametrize("how", ["udp", "tcp"])
async def test_packets_reach_a_media_node_and_come_back(relay: EmbeddedTurn, how: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        node.bind((HERE4, 0))
        node.setblocking(False)
        client = TurnClient(where(relay), *names(relay), how)
        relayed = await client.allocate()
        await client.send(b"there", node.getsockname())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            data, source = await loop.sock_recvfrom(node, 100)
            assert (data, source) == (b"there", relayed)
            await loop.sock_sendto(node, b"and back", source)
            assert await client.receive() == (b"and back", node.getsockname())
        client.close()


async def test_it_speaks_tls_with_a_certificate(tmp_path: Path) -> None:
    assert HERE4 is not None
    pem, key = self_signed(tmp_path)
    port, tls_port = free_port(), free_port()
    server = Coturn(
        secret="s" * 32, realm="test", nodes=[HERE4], listen=[HERE4], port=port, tls_port=tls_port,
        certificate=str(pem), key=str(key),
    )  # fmt: skip
    (tmp_path / "turnserver.conf").write_text(server.configuration())
    command = ["turnserver", "-c", str(tmp_path / "turnserver.conf"), "--userdb", str(tmp_path / "users")]
    with (tmp_path / "log").open("ab") as log:
        process = child.start([*command, "--pidfile", str(tmp_path / "pid")], log=log)
    (one,) = TurnServers(("turns:x",), "s" * 32, 600).ice_servers(datetime.now(UTC))
    try:
        async with asyncio.timeout(10):
            while True:
                client = TurnClient((HERE4, tls_port), one["username"], one["credential"], "tls")
                try:
                    assert (await client.allocate())[0] == HERE4
                    break
                except OSError:  # it is not listening yet
                    await asyncio.sleep(0.1)
        assert await client.permit("127.0.0.1") != 0
        assert await client.permit(HERE4) == 0
        client.close()
    finally:
        child.stop(process)


@pytest.mark.parametrize("what", ["a wrong secret", "a name that has expired", "a later name, same password"])
async def test_nobody_gets_in_with(relay: EmbeddedTurn, what: str) -> None:
    username, password = names(relay)
    if what == "a wrong secret":
        username, password = names(relay, secret="x" * 64)
    elif what == "a name that has expired":
        username, password = names(relay, at=datetime.now(UTC) - timedelta(hours=1))
    else:
        username = f"{int(username.split(':')[0]) + 1}:{username.split(':')[1]}"
    client = TurnClient(where(relay), username, password)
    with pytest.raises(stun.TransactionFailed):
        await client.allocate()
    client.close()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate nobody trusts and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "turn.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
