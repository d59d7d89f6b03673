"""TURN: credentials that run out, for browsers whose network lets nothing else pass, and the relay's configuration.

coturn does the relaying (``docs/turn.md``). It is told a secret and which addresses it may relay to: those of our media
nodes and no others, so that nobody can use it to reach anything else (security.md, S9).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

PORT, TLS_PORT = 3478, 5349
RELAY_PORTS = (49_152, 65_535)
EVERYTHING = ("0.0.0.0-255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")


@dataclass(frozen=True, slots=True)
class TurnServers:
    """The relays browsers are told of. ``urls`` in the form of RFC 7065; none when there is no relay."""

    urls: tuple[str, ...]
    secret: str
    ttl_s: int

    @classmethod
    def parse(cls, urls: str, secret: str, ttl_s: int) -> "TurnServers":
        """From settings: comma-separated ``turn:`` and ``turns:`` addresses. Raises ``ValueError``."""
        found = tuple(part.strip() for part in urls.split(",") if part.strip())
        if any(not url.startswith(("turn:", "turns:")) for url in found):
            raise ValueError("TURN_URLS must be turn: or turns: addresses, with commas between them.")
        if found and not secret:
            raise ValueError("TURN_URLS needs TURN_SECRET, the static-auth-secret of the relay.")
        return cls(found, secret, ttl_s)

    def ice_servers(self, now: datetime) -> list[dict[str, Any]]:
        """What ``RTCPeerConnection`` wants: fresh credentials for one connection, good for ``ttl_s``.

        The name is the time of expiry and a random tag, its password the keyed hash of it: the relay checks both
        without asking us (draft-uberti-behave-turn-rest-00 §2.2). It tells the relay nothing about the person.
        """
        if not self.urls:
            return []
        username = f"{int(now.timestamp()) + self.ttl_s}:{secrets.token_hex(6)}"
        # SHA-1 is what the scheme is made of; as a keyed hash it still stands.
        digest = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
        return [{"urls": list(self.urls), "username": username, "credential": base64.b64encode(digest).decode()}]


@dataclass(frozen=True, slots=True)
class Coturn:
    """One coturn server. ``nodes`` are the addresses of media nodes: the only peers it will relay to."""

    secret: str
    realm: str
    nodes: Sequence[str]
    listen: Sequence[str] = ()
    external: str = ""
    port: int = PORT
    tls_port: int = TLS_PORT
    certificate: str = ""
    key: str = ""
    relay_ports: tuple[int, int] = RELAY_PORTS

    def configuration(self) -> str:
        """The text of ``turnserver.conf``; raises ``ValueError`` for something that is not an address."""
        lines = ["# Made by `python -m app.turn`; see docs/turn.md.", f"listening-port={self.port}"]
        for address in self.listen:
            lines += [f"listening-ip={ip_address(address)}", f"relay-ip={ip_address(address)}"]
        if self.external:
            lines.append(f"external-ip={self.external}")
        lines += [f"min-port={self.relay_ports[0]}", f"max-port={self.relay_ports[1]}"]
        lines += [f"realm={self.realm}", "fingerprint", "use-auth-secret", f"static-auth-secret={self.secret}"]
        lines += ["stale-nonce=600", "no-cli", "no-rfc5780", "no-software-attribute"]
        if self.certificate:
            lines += [f"tls-listening-port={self.tls_port}", f"cert={self.certificate}", f"pkey={self.key}"]
            lines += ["no-dtls", "no-tlsv1", "no-tlsv1_1"]
        else:
            lines += ["no-tls", "no-dtls"]
        lines += ["", "# Only to media nodes, only by UDP: what is allowed below is an exception to what is denied."]
        lines += ["no-multicast-peers", "no-tcp-relay", *(f"denied-peer-ip={span}" for span in EVERYTHING)]
        lines += [f"allowed-peer-ip={ip_address(address)}" for address in self.nodes]
        lines += ["", "# One person holds a few allocations at a time; a call needs some 2.5 Mbit/s each way."]
        lines += ["user-quota=12", "total-quota=1200", "max-bps=1000000", "simple-log", "log-file=stdout"]
        return "\n".join(lines) + "\n"
