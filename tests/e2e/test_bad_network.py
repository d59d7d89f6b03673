"""A bad network (3 % random loss and 40 ms jitter from person to person) does nothing that anybody would mind.

Every datagram passes the bad network twice, on its way to the node and from it: each way gets half of the weather.
``BAD_NETWORK_S=60`` measures for the minute of the promise. Inside ``./test``, where a busy machine stalls a browser
now and then, it is a quarter of that, and only what no machine explains fails.
``BAD_NETWORK_WAYS=1`` is a harder day: the whole weather on each way.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from media.ice import Network
from tests.e2e.conftest import LIMITS, RESULTS, Window, running
from tests.e2e.people import KEEP_PEERS, FirefoxPerson
from tests.e2e.steps import begin_call, leave, ring, sign_in, wait_for_frames
from tests.fakes.firefox import Firefox
from tests.fakes.lossy_nat import LossyNat, Weather

SECONDS = float(os.environ.get("BAD_NETWORK_S", "15"))
WAYS = int(os.environ.get("BAD_NETWORK_WAYS", "2"))
LOSS, JITTER_S = 1 - (1 - 0.03) ** (1 / WAYS), 0.040 / WAYS
FREEZE_MS, SILENCE_MS = (500, 200) if SECONDS >= 60 else (2_500, 1_000)
PORTS = range(41_000, 41_024)
# Firefox does not go to loopback addresses: the NAT stands on this machine's own address, the node behind it.
OUTSIDE = next((one for one in Network().bound() if ":" not in one), "127.0.0.2")

# Gaps between shown pictures, and runs of sound that was made up because none came, from now on.
WATCH = """(() => {
  const found = (window.watched = {pictures: 0, longest_ms: 0, freezes: [], concealed_ms: 0, run_ms: 0, runs: []})
  const video = document.querySelector('[data-testid=remote-video]')
  let last = performance.now()
  const shown = (now) => {
    const gap = now - last
    last = now
    found.pictures += 1
    found.longest_ms = Math.max(found.longest_ms, gap)
    if (gap > FREEZE_MS) found.freezes.push(Math.round(gap))
    video.requestVideoFrameCallback(shown)
  }
  video.requestVideoFrameCallback((now) => { last = now; video.requestVideoFrameCallback(shown) })
  let before = null
  setInterval(async () => {
    const peer = window.peers.filter((one) => one.connectionState === 'connected').at(-1)
    for (const report of (await peer.getStats()).values()) {
      if (report.type !== 'inbound-rtp' || report.kind !== 'audio' || !report.packetsReceived) continue
      const now = {made: report.concealedSamples, all: report.totalSamplesReceived}
      if (before && now.all > before.all) {
        const all = now.all - before.all
        const made = now.made - before.made
        found.concealed_ms += made / 48
        // Only sound that was made up from end to end is a hole; a part of it is a repaired packet.
        if (made > 0.9 * all) found.run_ms += all / 48
        else found.run_ms = 0
        found.runs.push(Math.round(found.run_ms))
      }
      before = now
    }
  }, 50)
  return true
})()""".replace("FREEZE_MS", str(FREEZE_MS))
READ = """(({pictures, longest_ms, freezes, concealed_ms, runs}) =>
  ({pictures, longest_ms: Math.round(longest_ms), freezes, concealed_ms: Math.round(concealed_ms),
    longest_run_ms: Math.max(0, ...runs)}))(window.watched)"""


@pytest.fixture(scope="module")
def nat() -> Iterator[LossyNat]:
    network = LossyNat(OUTSIDE, "127.0.0.1", PORTS)
    yield network
    network.close()


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory,
    nat: LossyNat,  # noqa: ARG001 - it must be there
) -> Iterator[Stack]:
    """A node behind the NAT: it is told the address that browsers reach it under."""
    settings = LIMITS | {
        "MEDIA_ADDRESSES": "127.0.0.1",
        "MEDIA_PUBLIC_ADDRESS": OUTSIDE,
        "MEDIA_UDP_PORTS": f"{PORTS.start}-{PORTS.stop - 1}",
    }
    data = tmp_path_factory.mktemp("behind-nat")
    with running(
        Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=settings)
    ) as stack:
        yield stack


def settle(page: Page, nat: LossyNat) -> None:
    """The weather turns bad, and the browsers' congestion control finds its rate."""
    nat.weather = Weather(LOSS, JITTER_S)
    page.wait_for_timeout(6_000)


def judge(who: str, found: dict[str, Any], nat: LossyNat) -> None:
    lost, all_of_them = nat.counts.lost, nat.counts.passed + nat.counts.lost
    sys.stderr.write(f"\n{who}: {json.dumps(found)}, lost {lost} of {all_of_them} datagrams\n")
    assert found["pictures"] > 5 * SECONDS, f"{who} sees a moving picture"
    assert found["freezes"] == [], f"{who}: a picture stood for over {FREEZE_MS} ms"
    assert found["longest_run_ms"] <= SILENCE_MS, f"{who}: sound was missing for over {SILENCE_MS} ms"


def test_chromium_and_chromium(stack: Stack, window: Callable[..., Window], nat: LossyNat) -> None:
    nat.weather = Weather()
    pages = [window(name).page for name in ("customer", "consultant")]
    for page in pages:
        page.add_init_script(KEEP_PEERS)
    customer, consultant = pages
    begin_call(stack, customer, consultant)
    settle(customer, nat)
    for page in pages:
        page.evaluate(WATCH)
    customer.wait_for_timeout(SECONDS * 1000)
    found = [page.evaluate(READ) for page in pages]
    leave(customer)
    for who, one in zip(("customer in Chromium", "consultant in Chromium"), found, strict=True):
        judge(who, one, nat)


def test_a_weak_network_is_shown_sound_comes_first_and_finance_can_see_it(
    stack: Stack, window: Callable[..., Window], nat: LossyNat
) -> None:
    nat.weather = Weather()
    customer, consultant = (window(name).page for name in ("customer", "consultant"))
    begin_call(stack, customer, consultant)
    sign = customer.get_by_test_id("quality")
    expect(sign).to_contain_text("Good connection", timeout=20_000)
    nat.weather = Weather(loss=0.10)
    # A slow machine may already give up the picture here: whichever word it finds, it says that it is not good.
    expect(sign).to_have_attribute("data-level", re.compile("fair|poor"), timeout=20_000)
    nat.weather = Weather(loss=0.35)
    expect(sign).to_contain_text("Sound only", timeout=40_000)
    expect(consultant.get_by_text("sound only, weak network")).to_be_visible()
    customer.screenshot(path=RESULTS / "sound-only.png")
    nat.weather = Weather()
    expect(sign).not_to_contain_text("Sound only", timeout=60_000)
    leave(customer)
    finance = window("finance").page
    sign_in(finance, stack, "finance")
    finance.goto(f"{stack.url}/finance")
    finance.locator("[data-testid^=finance-row-]").first.get_by_role("link").first.click()
    picture = finance.get_by_test_id("quality-picture")
    expect(picture).to_be_visible()
    picture.get_by_text("All figures").click()
    expect(picture.get_by_role("cell", name="Sound only").first).to_be_visible()
    picture.screenshot(path=RESULTS / "quality-picture.png")


def test_chromium_and_firefox(
    stack: Stack,
    window: Callable[..., Window],
    firefox: Firefox,
    nat: LossyNat,
) -> None:
    nat.weather = Weather()
    customer = window("customer").page
    customer.add_init_script(KEEP_PEERS)
    consultant = FirefoxPerson(firefox, stack, "consultant")
    consultant.sign_in()
    consultant.go_online()
    sign_in(customer, stack, "customer")
    ring(customer, stack)
    firefox.click("accept-offer")
    wait_for_frames(customer, 30)
    consultant.frames(30)
    settle(customer, nat)
    customer.evaluate(WATCH)
    firefox.evaluate(WATCH)
    customer.wait_for_timeout(SECONDS * 1000)
    found = customer.evaluate(READ), firefox.evaluate(READ)
    leave(customer)
    for who, one in zip(("customer in Chromium", "consultant in Firefox"), found, strict=True):
        judge(who, one, nat)
