"""Firefox on one side, Chromium on the other: each is seen and heard, and a reload comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.conftest import RESULTS, Window
from tests.e2e.people import INBOUND, KEEP_PEERS, FirefoxPerson
from tests.e2e.test_story import sign_in, wait_for_frames
from tests.fakes.firefox import Firefox


@pytest.fixture
def firefox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Firefox]:
    one = Firefox(tmp_path / "firefox")
    failed_before = request.session.testsfailed
    yield one
    if request.session.testsfailed > failed_before:
        one.screenshot(RESULTS / f"{request.node.name}-firefox.png")
    one.close()


def heard(page: Page) -> float:
    return float(page.evaluate(INBOUND)["audio"].get("totalAudioEnergy", 0))


def ring(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/ask")
    page.get_by_test_id("question-title").fill("Why is my PostgreSQL query slow since the update?")
    page.get_by_test_id("question-details").fill("It took a second and now it takes a minute.")
    page.get_by_test_id("post-question").click()
    page.get_by_test_id("ring-best").click()
    page.get_by_test_id("consent").check()
    page.get_by_test_id("ring-now").click()


@pytest.mark.parametrize("role", ["consultant", "customer"])
def test_firefox_and_chromium_see_and_hear_each_other(
    stack: Stack, window: Callable[..., Window], firefox: Firefox, role: str
) -> None:
    other = window("chromium").page
    other.add_init_script(KEEP_PEERS)
    person = FirefoxPerson(firefox, stack, role)
    person.sign_in()
    if role == "consultant":
        person.go_online()
        sign_in(other, stack, "customer")
        ring(other, stack)
        firefox.click("accept-offer")
    else:
        sign_in(other, stack, "consultant")
        switch = other.get_by_test_id("online-switch")
        expect(switch).to_be_visible()
        if not switch.is_checked():
            switch.check(force=True)
        person.ring()
        other.get_by_test_id("accept-offer").click()
    wait_for_frames(other, 100)
    person.frames(100)
    before = person.heard(), heard(other)
    other.wait_for_timeout(2_000)
    assert person.heard() > before[0], "Firefox hears Chromium"
    assert heard(other) > before[1], "Chromium hears Firefox"
    firefox.goto(firefox.url)  # a reload in mid-call
    person.frames(30)
    shown = other.get_by_test_id("remote-video").evaluate("video => video.getVideoPlaybackQuality().totalVideoFrames")
    wait_for_frames(other, shown + 30)
    other.get_by_test_id("leave").click()
    other.get_by_test_id("leave-confirm").click()
    firefox.wait_for("location.pathname.endsWith('/done')")
