"""Sockets: who gets in, what is refused, and that nothing is lost."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import psycopg
import pytest
from socketio.exceptions import ConnectionError as NotLetIn

from core.ids import UserId
from people.events import AccessRevoked
from tests.fakes.socket_client import Refused, SocketClient

# Every event that names a call, well formed but for the call.
ABOUT_A_CALL: dict[str, dict[str, Any]] = {
    "media.join": {},
    "media.answer": {"peer_id": "p", "sdp": "v=0"},
    "media.state": {"microphone": True, "camera": True, "screen": False},
    "media.stats": {"rtt_ms": 20, "loss_permille": 0, "jitter_ms": 1, "kbps": 900, "freezes": 0, "video_held": False},
    "chat.send": {"client_id": "a", "text": "hello"},
}


async def test_a_client_gets_the_whole_picture_right_after_connecting(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    client = await stage.client(url, call.consultant_id, "consultant")
    picture = client.snapshot
    assert picture["me"]["roles"] == ["consultant"]
    assert picture["call"]["state"] == "live"
    assert picture["call"]["role"] == "consultant"
    assert picture["presence"]["status"] == "in_meeting"
    assert picture["version"] == await stage.version(call.consultant_id)


@pytest.mark.parametrize("auth", [None, {}, {"token": "forged"}, {"token": 5}, {"token": "x" * 5000}, "text", []])
async def test_without_a_good_token_nobody_gets_in(stage: Any, auth: Any) -> None:
    _, url = await stage.gateway()
    client = SocketClient(url, "")
    with pytest.raises(NotLetIn):
        await client.io.connect(url, auth=auth, transports=["websocket"], wait_timeout=5)
    assert client.refused_because == "unauthenticated"
    await client.close()


async def test_an_expired_token_does_not_open_the_door(stage: Any) -> None:
    _, url = await stage.gateway()
    token = stage.door.token(UserId(uuid4()), "customer", life=timedelta(0))
    client = SocketClient(url, token)
    with pytest.raises(NotLetIn):
        await client.connect()
    assert client.refused_because == "unauthenticated"
    await client.close()


async def test_a_foreign_page_does_not_get_in(stage: Any) -> None:
    _, url = await stage.gateway()
    address = f"{url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(address, headers={"Origin": "https://evil.example"})
        socket = await http.ws_connect(address, headers={"Origin": "http://localhost:8000"})
        await socket.close()


async def test_malformed_messages_are_refused_with_a_reason_and_the_connection_lives(stage: Any) -> None:
    _, url = await stage.gateway()
    client = await stage.client(url, UserId(uuid4()))
    bad: list[tuple[str, tuple[Any, ...]]] = [
        ("sync", ()),
        ("sync", (None,)),
        ("sync", ([],)),
        ("sync", ("text",)),
        ("sync", ({"v": 1},)),
        ("sync", ({"v": 2, "version": 0},)),
        ("sync", ({"v": 1, "version": 0, "extra": 1},)),
        ("sync", ({"v": 1, "version": 0}, {"v": 1, "version": 0})),
        ("chat.send", ({"v": 1, "call_id": str(uuid4()), "client_id": "a", "text": "x" * 2001},)),
        ("media.answer", ({"v": 1, "call_id": str(uuid4()), "peer_id": "p", "sdp": "x" * 33_000},)),
        ("no.such.event", ({"v": 1},)),
    ]
    for event, arguments in bad:
        reply = await client.raw(event, *arguments)
        assert (reply["ok"], reply["code"]) == (False, "invalid"), event
        assert reply["message"]
    await client.heartbeat()


async def test_a_strangers_call_is_not_there_for_any_event(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    stranger = await stage.client(url, UserId(uuid4()), "customer", "consultant")
    for event, fields in ABOUT_A_CALL.items():
        for call_id in (call.call_id, uuid4()):
            with pytest.raises(Refused) as refused:
                await stranger.say(event, call_id=call_id, **fields)
            assert refused.value.code == "not_found", event
    assert stage.nodes.said == []


async def test_one_side_cannot_speak_for_the_other_sides_peer(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    customer = await stage.client(url, call.customer_id)
    consultant = await stage.client(url, call.consultant_id, "consultant")
    peer = (await consultant.join(call.call_id))["peer_id"]
    with pytest.raises(Refused, match="not_found"):
        await customer.answer(call.call_id, peer, "v=0")


async def test_no_media_before_the_hold_and_none_after_the_end(stage: Any) -> None:
    call = await stage.accept()
    _, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    with pytest.raises(Refused, match="not_ready"):
        await client.join(call.call_id)
    await stage.hold(call)
    await client.until(lambda c: c.snapshot["call"]["media_ready"])
    assert (await client.join(call.call_id))["ice_servers"] == [{"urls": ["stun:192.0.2.1"]}]
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.consultant_id)
    with pytest.raises(Refused, match="ended"):
        await client.join(call.call_id)


async def test_negotiation_reaches_the_media_node_in_order(stage: Any) -> None:
    call = await stage.ready()
    _, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    peer = (await client.join(call.call_id))["peer_id"]
    await client.answer(call.call_id, peer, "v=0")
    assert [said[0] for said in stage.nodes.said] == ["join", "answer"]


async def test_a_dead_media_node_is_said_plainly(stage: Any) -> None:
    call = await stage.ready()
    stage.nodes.down = True
    _, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    with pytest.raises(Refused, match="upstream"):
        await client.join(call.call_id)


async def test_a_second_device_takes_over_even_through_another_web_process(stage: Any) -> None:
    call = await stage.live()
    (_, url_a), (_, url_b) = await stage.gateway(), await stage.gateway()
    first = await stage.client(url_a, call.customer_id)
    second = await stage.client(url_b, call.customer_id)
    old = (await first.join(call.call_id))["peer_id"]
    new = (await second.join(call.call_id))["peer_id"]
    await first.until(lambda c: c.replaced)
    assert first.replaced == [{"v": 1, "call_id": str(call.call_id), "peer_id": old}]
    assert second.replaced == []
    assert new != old


async def test_every_tab_sees_every_change(stage: Any) -> None:
    call = await stage.live()
    (_, url_a), (_, url_b) = await stage.gateway(), await stage.gateway()
    tabs = [await stage.client(url, call.customer_id) for url in (url_a, url_a, url_b)]
    await stage.lose(call, "consultant")
    for tab in tabs:
        await tab.until(lambda c: c.snapshot["call"]["state"] == "interrupted")


async def test_a_missed_change_is_found_by_sync(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    client.snapshot = {"version": client.snapshot["version"] - 1}
    version = await client.sync()
    await client.until(lambda c: "call" in c.snapshot)
    assert client.snapshot["version"] == version


async def test_a_client_that_missed_nothing_gets_no_snapshot(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    seen = client.snapshot
    await client.sync()
    await client.sync()
    assert client.snapshot is seen
    async with stage.db.begin() as tx:
        await stage.calls.leave(tx, call.call_id, call.customer_id)
    await client.until(lambda c: c.snapshot is not seen)
    assert client.snapshot["version"] == seen["version"] + 1


async def test_a_web_process_dies_and_another_one_knows_everything(stage: Any) -> None:
    call = await stage.live()
    gateway, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    await client.chat_send(call.call_id, "before")
    await gateway.stop()
    await asyncio.wait_for(client.disconnected.wait(), 5)
    assert (await stage.db_state(call)) == "live"
    _, other = await stage.gateway()
    again = await stage.client(other, call.customer_id)
    assert again.snapshot["call"]["state"] == "live"
    assert (await again.chat_send(call.call_id, "after"))["seq"] == 2


async def test_a_lost_listener_comes_back_and_looks_at_everything_anew(stage: Any) -> None:
    call = await stage.live()
    gateway, url = await stage.gateway()
    client = await stage.client(url, call.customer_id)
    gateway.listener.listening.clear()
    with psycopg.connect(stage.db.url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [gateway.listener.backend_pid])
    await stage.lose(call, "consultant")
    await asyncio.wait_for(gateway.listener.listening.wait(), 5)
    await client.until(lambda c: c.snapshot["call"]["state"] == "interrupted")


async def test_a_revocation_missed_by_the_listener_is_found_afterwards(stage: Any) -> None:
    gateway, url = await stage.gateway()
    user = UserId(uuid4())
    client = await stage.client(url, user)
    stage.door.sessions.clear()
    with psycopg.connect(stage.db.url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s)", [gateway.listener.backend_pid])
    await client.until(lambda c: c.signed_out == "revoked")


async def test_chat_reaches_both_sides_in_order_and_once(stage: Any) -> None:
    call = await stage.live()
    (_, url_a), (_, url_b) = await stage.gateway(), await stage.gateway()
    customer = await stage.client(url_a, call.customer_id)
    consultant = await stage.client(url_b, call.consultant_id, "consultant")
    text = "<img src=x onerror=alert(1)>\nsecond line"
    sent = await customer.chat_send(call.call_id, text, "one")
    assert await customer.chat_send(call.call_id, text, "one") == sent
    await consultant.chat_send(call.call_id, "answer")
    for side in (customer, consultant):
        await side.until(lambda c: len(c.chat) == 2)
        assert [side.chat[n]["text"] for n in (1, 2)] == [text, "answer"]
    assert customer.chat[2]["author_role"] == "consultant"


async def test_switches_are_shown_to_the_other_side(stage: Any) -> None:
    call = await stage.live()
    _, url = await stage.gateway()
    customer = await stage.client(url, call.customer_id)
    consultant = await stage.client(url, call.consultant_id, "consultant")
    await customer.media_state(call.call_id, microphone=True, camera=False, screen=True)
    seen = await consultant.until(
        lambda c: (side := c.snapshot["call"]["participants"]["customer"])["microphone"] and side
    )
    assert (seen["camera"], seen["screen"]) == (False, True)


async def test_a_consultant_going_online_is_seen_by_everybody(stage: Any) -> None:
    (_, url_a), (_, url_b) = await stage.gateway(), await stage.gateway()
    watchers = [await stage.client(url, UserId(uuid4())) for url in (url_a, url_b)]
    consultant = UserId(uuid4())
    async with stage.db.begin() as tx:
        await stage.presence.set_online(tx, consultant, True)
    for watcher in watchers:
        await watcher.until(lambda c: c.directory.get(str(consultant)) == "available")


async def test_a_heartbeat_and_a_return_bring_back_the_status(stage: Any) -> None:
    _, url = await stage.gateway()
    consultant = UserId(uuid4())
    async with stage.db.begin() as tx:
        await stage.presence.set_online(tx, consultant, True)
    stage.clock.advance(timedelta(seconds=31))
    await stage.presence.run_due(stage.db)
    client = await stage.client(url, consultant, "consultant")
    assert client.snapshot["presence"]["status"] == "available"
    stage.clock.advance(timedelta(seconds=31))
    await stage.presence.run_due(stage.db)
    await client.until(lambda c: c.snapshot["presence"]["status"] == "offline")
    await client.heartbeat()
    await client.until(lambda c: c.snapshot["presence"]["status"] == "available")


async def test_closing_the_last_tab_starts_the_grace_at_that_moment(stage: Any) -> None:
    gateway, url = await stage.gateway()
    consultant = UserId(uuid4())
    async with stage.db.begin() as tx:
        await stage.presence.set_online(tx, consultant, True)
    client = await stage.client(url, consultant, "consultant")
    stage.clock.advance(timedelta(seconds=8))  # too soon for a heartbeat to be written
    await client.heartbeat()
    before = await stage.last_seen(consultant)
    await client.close()
    await stage.until(lambda: len(gateway.sockets) == 0)
    assert before < await stage.last_seen(consultant) == stage.clock.now()


async def test_a_token_is_renewed_without_dropping_the_connection(stage: Any) -> None:
    _, url = await stage.gateway()
    user = UserId(uuid4())
    client = await stage.client(url, user)
    stage.clock.advance(timedelta(minutes=9))
    await client.refresh(stage.door.token(user, "customer"))
    stage.clock.advance(timedelta(minutes=5))
    await client.heartbeat()
    with pytest.raises(Refused, match="unauthenticated"):
        await client.refresh(stage.door.token(UserId(uuid4()), "customer"))
    with pytest.raises(Refused, match="unauthenticated"):
        await client.refresh("forged")
    assert client.signed_out is None


async def test_an_expired_connection_is_signed_out_after_its_grace(stage: Any) -> None:
    _, url = await stage.gateway()
    client = await stage.client(url, UserId(uuid4()))
    stage.clock.advance(timedelta(minutes=10, seconds=31))
    await client.until(lambda c: c.signed_out == "expired")
    await asyncio.wait_for(client.disconnected.wait(), 5)


async def test_a_revoked_family_loses_its_sockets_and_its_media_and_no_other(stage: Any) -> None:
    call = await stage.live()
    (_, url_a), (_, url_b) = await stage.gateway(), await stage.gateway()
    gone = await stage.client(
        url_a, call.customer_id, token=stage.door.token(call.customer_id, "customer", family="lost phone")
    )
    kept = await stage.client(url_b, call.customer_id)
    peer = (await gone.join(call.call_id))["peer_id"]
    await stage.publish(AccessRevoked(call.customer_id, "lost phone", "logout"))
    await gone.until(lambda c: c.signed_out == "revoked")
    await asyncio.wait_for(gone.disconnected.wait(), 5)
    await stage.until(lambda: ("leave", call.call_id, peer) in stage.nodes.said)
    await kept.heartbeat()
    assert kept.signed_out is None


async def test_a_user_who_sends_too_fast_is_told_so_in_every_tab(stage: Any) -> None:
    _, url = await stage.gateway()
    user = UserId(uuid4())
    tabs = [await stage.client(url, user) for _ in (1, 2)]
    replies = [await tabs[n % 2].raw("media.join", {"v": 1, "call_id": str(uuid4())}) for n in range(14)]
    assert [reply["code"] for reply in replies].count("too_many_requests") >= 3
    await tabs[0].heartbeat()


async def test_redis_down_costs_neither_state_nor_chat(stage: Any) -> None:
    call = await stage.live()
    stage.redis_url = "redis://127.0.0.1:1/0"
    _, url = await stage.gateway()
    customer = await stage.client(url, call.customer_id)
    consultant = await stage.client(url, call.consultant_id, "consultant")
    async with asyncio.timeout(20):
        await customer.chat_send(call.call_id, "still here")
        await consultant.until(lambda c: 1 in c.chat)
        await customer.join(call.call_id)
        await customer.join(call.call_id)
    await stage.lose(call, "consultant")
    await customer.until(lambda c: c.snapshot["call"]["state"] == "interrupted")


async def raw_socket(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
    await socket.receive()
    return socket


@pytest.mark.parametrize("frame", ["4", "42", "42[", '42["sync"', "42{}", "499", "9", "4" + "[" * 30_000, "40{]"])
async def test_frames_that_are_no_messages_hurt_nobody(stage: Any, frame: str) -> None:
    _, url = await stage.gateway()
    good = await stage.client(url, UserId(uuid4()))
    async with aiohttp.ClientSession() as http:
        socket = await raw_socket(http, url)
        await socket.send_str(frame)
        await good.heartbeat()
        await socket.close()


@pytest.mark.parametrize("frame", [b"\x00" * 100, '451-["sync",{"_placeholder":true,"num":0}]', "x" * 70_000])
async def test_binary_and_oversized_frames_end_their_connection(stage: Any, frame: str | bytes) -> None:
    _, url = await stage.gateway()
    async with aiohttp.ClientSession() as http:
        socket = await raw_socket(http, url)
        await socket.send_str("40" + json.dumps({"token": stage.door.token(UserId(uuid4()), "customer")}))
        await socket.receive()
        await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
        async with asyncio.timeout(5):
            while not socket.closed:
                await socket.receive()


async def test_a_client_that_never_reads_is_dropped_below_a_megabyte(stage: Any) -> None:
    gateway, url = await stage.gateway()
    user = UserId(uuid4())
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(
        f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    body = ("40" + json.dumps({"token": stage.door.token(user, "customer")})).encode()
    writer.write(bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body)
    await stage.until(lambda: gateway.sockets.of(user))
    socket = gateway.sockets.of(user)[0]
    started = asyncio.get_running_loop().time()
    for _ in range(2_000):  # 20 MB at a client that reads nothing
        await gateway.send(socket.sid, "snapshot", {"filler": "x" * 10_000})
        await asyncio.sleep(0)
    await stage.until(lambda: not gateway.sockets.of(user), timeout_s=12)
    assert asyncio.get_running_loop().time() - started < 11
    writer.close()


async def test_a_connection_that_never_signs_in_is_cut(stage: Any) -> None:
    _, url = await stage.gateway(connect_within_s=0.5)
    async with aiohttp.ClientSession() as http:
        socket = await raw_socket(http, url)
        async with asyncio.timeout(5):
            while not socket.closed:
                await socket.receive()
