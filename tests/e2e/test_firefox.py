"""Firefox on one side, Chromium on the other: each is seen and heard, and a reload comes back."""

from collections.abc import Callable

import pytest

from app.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.people import KEEP_PEERS, FirefoxPerson
from tests.e2e.steps import go_online, heard, leave, ring, sign_in, wait_for_frames
from tests.fakes.firefox import Firefox


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
        go_online(other, stack)
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
    leave(other)
    firefox.wait_for("location.pathname.endsWith('/done')")
