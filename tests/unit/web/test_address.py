"""The client's address: a header is believed only as far as proxies we trust vouch for it."""

from ipaddress import ip_network

import pytest

from web.address import address_hash, client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.7", [], "198.51.100.7"),
        ("198.51.100.7", ["1.2.3.4"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9", "1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", ["9.9.9.9, rubbish"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("::ffff:10.0.0.1", ["1.2.3.4"], "1.2.3.4"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        (None, ["1.2.3.4"], "unknown"),
    ],
)
def test_only_a_trusted_proxy_may_say_who_is_behind_it(peer: str | None, forwarded: list[str], expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


def test_without_trusted_proxies_the_header_is_worth_nothing() -> None:
    assert client_address("127.0.0.1", ["1.2.3.4"], ()) == "127.0.0.1"


def test_a_hash_recognises_an_address_and_does_not_show_it() -> None:
    hashed = address_hash("k" * 32, "198.51.100.7")
    assert hashed == address_hash("k" * 32, "198.51.100.7")
    assert hashed != address_hash("j" * 32, "198.51.100.7")
    assert "198" not in hashed[:3] or "." not in hashed
