"""Days on which a process, a server or a person goes away in the middle of a paid call."""

import asyncio
import os
import signal
import time

import pytest

from app.demo_people import LOGINS, PASSWORD
from tests.fakes.caller import Caller
from tests.fakes.paid_call import CAP, PaidCall, until


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


@pytest.mark.parametrize("server", ["redis", "postgres"])
async def test_a_restarted_server_loses_no_cent_and_no_call(paid_call: PaidCall, server: str) -> None:
    await paid_call.connect()
    await paid_call.skip_to(660_000)
    before = await paid_call.connected_ms()
    frames = paid_call.customer.peer.video_frames if paid_call.customer.peer else 0
    paid_call.stack.restart_server(server)  # in this thread: a child dies with the thread that started it
    deadline = time.monotonic() + 30
    while await paid_call.connected_ms() < before + 4_000:
        assert time.monotonic() < deadline, "the meter goes on"
        await asyncio.sleep(0.2)
    assert paid_call.customer.peer is not None
    assert paid_call.customer.peer.video_frames > frames, "media never stopped"
    await paid_call.leave()
    await paid_call.assert_exact(await paid_call.settled())


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
