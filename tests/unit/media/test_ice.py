"""The ICE-lite agent against a socket that plays the browser, the stranger and the flooder."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Upstream
from media.ice import CONSENT_S, IceLite, Network

HERE = Network(addresses=("127.0.0.1",))
SRTP = bytes((0x80, 96)) + bytes(40)
DTLS = bytes((22, 254, 253)) + bytes(40)


class Browser:
    """A controlling agent reduced to one socket."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.server = ("127.0.0.1", port)

    def check(self, username: str, password: str, *, nominate: bool = False) -> bytes:
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{username}:them"
        request.attributes["PRIORITY"] = 1
        if nominate:
            request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(password.encode())
        self.say(bytes(request))
        return request.transaction_id

    def say(self, data: bytes) -> None:
        self.socket.sendto(data, self.server)

    async def hear(self) -> bytes | None:
        try:
            async with asyncio.timeout(0.3):
                return await asyncio.get_running_loop().sock_recv(self.socket, 2048)
        except TimeoutError:
            return None


class Stage:
    """An agent, what it passed on, and the browsers that came."""

    def __init__(self) -> None:
        self.srtp: list[bytes] = []
        self.dtls: list[bytes] = []
        self.ice = IceLite(HERE, self.srtp.append, self.dtls.append)
        self.ice.open()
        self.browsers: list[Browser] = []

    def browser(self) -> Browser:
        self.browsers.append(Browser(int(self.ice.candidates[0].split()[5])))
        return self.browsers[-1]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    stage.ice.close()
    for browser in stage.browsers:
        browser.socket.close()


async def test_who_knows_our_password_is_answered_with_the_address_we_saw(stage: Stage) -> None:
    browser = stage.browser()
    transaction = browser.check(stage.ice.username, stage.ice.password)
    reply = stun.parse_message(await browser.hear() or b"")
    assert reply.transaction_id == transaction
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.check_message_integrity(stage.ice.password.encode())
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == browser.socket.getsockname()


async def test_a_stranger_gets_no_answer_and_reaches_nothing(stage: Stage) -> None:
    stranger = stage.browser()
    stranger.check(stage.ice.username, "guessed")
    stranger.check("other", stage.ice.password)
    unsigned = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    unsigned.attributes["USERNAME"] = f"{stage.ice.username}:them"
    for data in (bytes(unsigned), SRTP, DTLS, b"", b"\x00", os.urandom(200)):
        stranger.say(data)
    assert await stranger.hear() is None
    assert (stage.srtp, stage.dtls) == ([], [])
    stage.ice.send(b"secret")
    assert await stranger.hear() is None


async def test_only_proven_addresses_reach_dtls_and_srtp(stage: Stage) -> None:
    browser, stranger = stage.browser(), stage.browser()
    browser.check(stage.ice.username, stage.ice.password)
    await browser.hear()
    for one in (browser, stranger):
        one.say(SRTP)
        one.say(DTLS)
    await stranger.hear()
    assert (stage.srtp, stage.dtls) == ([SRTP], [DTLS])


async def test_the_path_follows_the_nomination(stage: Stage) -> None:
    wire, radio = stage.browser(), stage.browser()
    wire.check(stage.ice.username, stage.ice.password, nominate=True)
    await wire.hear()
    radio.check(stage.ice.username, stage.ice.password)
    await radio.hear()
    stage.ice.send(b"one")
    assert await wire.hear() == b"one"
    radio.check(stage.ice.username, stage.ice.password, nominate=True)
    await radio.hear()
    stage.ice.send(b"two")
    assert await radio.hear() == b"two"


async def test_without_consent_nothing_is_sent_any_more(stage: Stage) -> None:
    browser = stage.browser()
    browser.check(stage.ice.username, stage.ice.password, nominate=True)
    await browser.hear()
    now = stage.ice._checked_at
    assert stage.ice.watch(now + CONSENT_S - 1)
    assert not stage.ice.watch(now + CONSENT_S)
    stage.ice.send(b"late")
    assert await browser.hear() is None


async def test_a_node_with_no_port_left_says_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ice = IceLite(Network(("127.0.0.1",), ports=(port, port)), lambda _: None, lambda _: None)
        with pytest.raises(Upstream, match="no UDP port"):
            ice.open()


def test_behind_nat_the_public_address_is_told_and_the_port_is_kept() -> None:
    network = Network.parse("10.0.0.5", "192.0.2.7, 2001:db8::7", "40000-40010")
    assert network.announced("10.0.0.5") == ["192.0.2.7"]
    assert network.announced("fd00::5") == ["2001:db8::7"]
    assert network.ports == (40_000, 40_010)
    assert Network.parse("", "", "").bound()
    for wrong in ("5-1", "x", "1-70000"):
        with pytest.raises(ValueError, match=r"."):
            Network.parse("", "", wrong)


@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 60), st.binary(max_size=8))
def test_rubbish_that_looks_like_a_check_breaks_nothing(tail: bytes, at: int, noise: bytes) -> None:
    ice = IceLite(HERE, lambda _: None, lambda _: None)
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ice.username}:them"
    good = bytes(request)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        for data in (good + tail, good[:at] + noise + good[at:], good[:at] + noise + good[at + len(noise) :]):
            ice._check(bound, data, ("127.0.0.1", 9))
    assert ice._paths == set()
