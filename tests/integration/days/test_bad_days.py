"""Days on which a process, a server or a person goes away in the middle of a paid call."""

import asyncio
import os
import signal
import time
import urllib.request

import psycopg
import pytest

from app.demo_people import LOGINS, PASSWORD
from tests.fakes.caller import Caller
from tests.fakes.gauge import FULL, number, say
from tests.fakes.paid_call import CAP, PaidCall, until
from tests.integration.days.conftest import Servers

AWAY_S = 1.5  # a restart takes 70 ms on a fast disk: away for longer than a second, so that a write falls into it


@pytest.mark.parametrize("victim", ["web", "media", "worker"])
async def test_kill_9_of_a_process_loses_no_cent_and_no_call(paid_call: PaidCall, victim: str) -> None:
    await paid_call.connect()
    await paid_call.skip_to(660_000)
    before = await paid_call.connected_ms()
    began = time.monotonic()
    dead = paid_call.stack.pid(victim)
    os.kill(dead, signal.SIGKILL)

    def reborn() -> bool:
        try:
            return paid_call.stack.pid(victim) != dead
        except LookupError:
            return False

    await until(reborn, f"{victim} is started again")
    if victim == "media":  # until its silence is noticed, the meter shown is an extrapolation
        await until(lambda: not paid_call.customer.meter["running"], "the pause is shown")
    await paid_call.runs()
    resumed = await paid_call.connected_ms()
    deadline = time.monotonic() + 30
    while await paid_call.connected_ms() < resumed + 3_000:
        assert time.monotonic() < deadline, "the meter goes on"
        await asyncio.sleep(0.2)
    await paid_call.leave()
    receipt = await paid_call.settled()
    lasted_ms = (time.monotonic() - began) * 1000
    assert receipt["close_reason"] == "customer_left"
    # A killed node takes at most what it had not written down with it (a second), in the customer's favour.
    assert before - 1_500 < receipt["connected_ms"] <= before + lasted_ms + 2_000
    await paid_call.assert_exact(receipt)


async def test_r5_redis_restarts_and_stays_away_and_nobody_in_a_call_notices(
    paid_call: PaidCall, servers: Servers
) -> None:
    """``CATALOGUE=full``: it stays away for 30 s."""
    await paid_call.connect()
    await paid_call.skip_to(660_000)
    before, began = await paid_call.connected_ms(), time.monotonic()
    gaps: list[float] = []
    listening = asyncio.create_task(_gaps(paid_call, gaps))
    await servers.stop("redis")
    await servers.start("redis")
    await asyncio.sleep(2)
    await servers.stop("redis")
    await asyncio.sleep(number(30, 4))
    await servers.start("redis")
    await asyncio.sleep(2)
    listening.cancel()
    lasted_ms = (time.monotonic() - began) * 1000
    assert abs(await paid_call.connected_ms() - before - lasted_ms) < 1_000, "the meter never stopped"
    known = _closed(paid_call)
    await paid_call.leave()
    receipt = await paid_call.settled()
    say(f"R5: longest gap in the sound {1000 * max(gaps):.0f} ms, connected time in one stretch: {known == 0}")
    assert known == 0, "it was never interrupted"
    assert max(gaps) <= (0.25 if FULL else 1.0)
    await paid_call.assert_exact(receipt)


async def test_r6_postgresql_restarts_in_mid_call_and_no_second_is_lost(paid_call: PaidCall, servers: Servers) -> None:
    """``CATALOGUE=full``: twenty times."""
    await paid_call.connect()
    await paid_call.skip_to(660_000)
    before, began = await paid_call.connected_ms(), time.monotonic()
    peer, back = paid_call.customer.peer, []
    for _ in range(number(20, 1)):
        assert peer is not None
        frames, old = peer.video_frames, paid_call.stack.pid("postgres")
        await servers.stop("postgres")
        await asyncio.sleep(AWAY_S)
        restarted = time.monotonic()
        await servers.start("postgres")
        assert paid_call.stack.pid("postgres") != old
        await until(lambda: _ready(paid_call.stack.url), "ready again", 30)
        back.append(time.monotonic() - restarted)
        await until(lambda then=frames: peer.video_frames > then + 20, "media never stopped")
    resumed = await paid_call.connected_ms()
    deadline = time.monotonic() + 30
    while await paid_call.connected_ms() < resumed + 2_000:
        assert time.monotonic() < deadline, "the meter goes on"
        await asyncio.sleep(0.2)
    lasted_ms = (time.monotonic() - began) * 1000
    assert abs(await paid_call.connected_ms() - before - lasted_ms) < 1_500
    known = _closed(paid_call)
    await paid_call.leave()
    receipt = await paid_call.settled()
    say(f"R6: {len(back)} restarts, ready again after {max(back):.1f} s at most, interrupted {known} times")
    assert max(back) <= 10
    assert known == 0, "it was never interrupted"
    await paid_call.assert_exact(receipt)


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


async def _gaps(call: PaidCall, found: list[float]) -> None:
    """How long each stretch was in which no sound was decoded."""
    peer = call.customer.peer
    assert peer is not None
    frames, last = peer.audio_frames, time.monotonic()
    while True:
        await asyncio.sleep(0.005)
        if peer.audio_frames != frames:
            now = time.monotonic()
            found.append(now - last)
            frames, last = peer.audio_frames, now


def _closed(call: PaidCall) -> int:
    """How often the connected time of a call was interrupted so far."""
    with psycopg.connect(call.stack.env["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT count(*) FROM observed_interval WHERE call_id = %s AND side = 'both' AND cause <> 'demo_skip'",
            (call.call_id,),
        ).fetchone()
    return int(row[0]) if row else 0


async def test_both_vanish_and_the_call_ends_by_itself(paid_call: PaidCall) -> None:
    await paid_call.connect()
    await paid_call.skip_to(610_000)
    seen = await paid_call.connected_ms()
    await paid_call.customer.vanish()
    await paid_call.consultant.vanish()
    async with Caller(paid_call.stack.url, LOGINS["customer"], PASSWORD, joins=False) as later:
        paid_call.customer = later
        receipt = await paid_call.settled(60)
        assert receipt["close_reason"] == "connection_lost"
        assert seen - 1_000 <= receipt["connected_ms"] <= seen + 2_000
        await paid_call.assert_exact(receipt)


async def test_both_vanish_come_back_and_pay_one_bill(paid_call: PaidCall) -> None:
    await paid_call.connect()
    first = paid_call.call_id
    await paid_call.skip_to(400_000)
    await paid_call.customer.vanish()
    await paid_call.consultant.vanish()
    url = paid_call.stack.url
    async with (
        Caller(url, LOGINS["customer"], PASSWORD, joins=False) as customer,
        Caller(url, LOGINS["consultant"], PASSWORD, joins=False) as consultant,
    ):
        paid_call.customer = customer
        await until(lambda: customer.meter.get("returns_until"), "the customer may come back", 40)
        customer._joins = consultant._joins = True
        before = await paid_call.connected_ms()
        second = (await customer.api("POST", f"/api/calls/{first}/return", {}))["id"]
        await until(lambda: consultant.call.get("continues_call_id") == first, "the consultant is told")
        assert (await consultant.api("POST", f"/api/calls/{first}/return", {}))["id"] == second
        await paid_call.runs()
        assert await paid_call.connected_ms() >= before, "the same meter goes on"
        paid_call.call_id = second
        await paid_call.skip_to(660_000)
        await paid_call.leave()
        paid_call.call_id = first
        receipt = await paid_call.settled()
        assert receipt["gross_minor"] >= 1_650
        assert [line["cause"] for line in receipt["lines"] if line["kind"] == "unbilled"][-1].endswith("unseen")
        assert len(await paid_call.intents()) == 1
        await paid_call.assert_exact(receipt)


async def test_an_accepted_call_that_nobody_joins_ends_as_no_show(paid_call: PaidCall) -> None:
    paid_call.customer._joins = paid_call.consultant._joins = False
    await paid_call.accept()
    receipt = await paid_call.settled()
    assert receipt["close_reason"] == "no_show"
    assert receipt["gross_minor"] == 0
    assert receipt["released_minor"] == CAP
    await paid_call.assert_exact(receipt)


async def test_a_side_that_sends_nothing_hears_nothing_and_nobody_pays(paid_call: PaidCall) -> None:
    paid_call.consultant._sends = False
    await paid_call.accept()
    consultant = paid_call.consultant
    await until(lambda: consultant.peer is not None and consultant.peer.state == "connected", "connected")
    await until(lambda: paid_call.customer.call["participants"]["customer"]["seen"], "the customer is seen")
    peer = consultant.peer
    assert peer is not None
    receipt = await paid_call.settled()
    assert peer.video_frames == peer.audio_frames == 0
    assert receipt["connected_ms"] == receipt["gross_minor"] == 0
    assert receipt["close_reason"] == "no_show"
    await paid_call.assert_exact(receipt)
