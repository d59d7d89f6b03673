"""The address of the client: the peer's, unless the peer is a proxy we trust; stored only as a keyed hash."""

import hashlib
import hmac
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """Walk X-Forwarded-For from our end as long as a trusted proxy vouches for the next hop.

    What lies beyond the first untrusted hop was written by the client and is worth nothing.
    """
    hops = [hop.strip() for line in forwarded_for for hop in line.split(",")]
    current = _parse(peer)
    while current is not None and hops and any(current in network for network in trusted):
        following = _parse(hops.pop())
        if following is None:
            break
        current = following
    return str(current) if current is not None else "unknown"


def _parse(text: str | None) -> Address | None:
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def address_hash(secret_key: str, address: str) -> str:
    """Recognises an address without keeping it: a keyed hash cannot be reversed by trying all addresses."""
    return hmac.new(secret_key.encode(), b"address " + address.encode(), hashlib.sha256).hexdigest()[:24]
