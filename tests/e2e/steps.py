"""The steps people take in Chromium, for every test in which they get into a call."""

import re

from playwright.sync_api import Page, expect

from app.demo_people import LOGINS, PASSWORD
from app.stack import Stack
from tests.e2e.people import INBOUND


def sign_in(page: Page, stack: Stack, role: str) -> None:
    page.goto(f"{stack.url}/sign-in")
    page.get_by_test_id("email").fill(LOGINS[role])
    page.get_by_test_id("password").fill(PASSWORD)
    page.get_by_test_id("sign-in").click()
    expect(page).not_to_have_url(re.compile("sign-in"))


def frames(page: Page) -> int:
    return int(
        page.evaluate(
            "() => document.querySelector('[data-testid=remote-video]')"
            "?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
        )
    )


def wait_for_frames(page: Page, wanted: int) -> None:
    page.wait_for_function(
        "wanted => (document.querySelector('[data-testid=remote-video]')?.getVideoPlaybackQuality()"
        ".totalVideoFrames ?? 0) >= wanted",
        arg=wanted,
        timeout=40_000,
    )


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


def go_online(page: Page, stack: Stack) -> None:
    """The consultant signs in and switches on."""
    sign_in(page, stack, "consultant")
    switch = page.get_by_test_id("online-switch")
    expect(switch).to_be_visible()
    if not switch.is_checked():
        switch.check(force=True)


def begin_call(stack: Stack, customer: Page, consultant: Page, frames: int = 30) -> None:
    """From two empty pages to pictures both ways."""
    go_online(consultant, stack)
    sign_in(customer, stack, "customer")
    ring(customer, stack)
    consultant.get_by_test_id("accept-offer").click()
    for page in (customer, consultant):
        wait_for_frames(page, frames)


def leave(page: Page) -> None:
    """End the call, and be told so."""
    page.get_by_test_id("leave").click()
    page.get_by_test_id("leave-confirm").click()
    page.wait_for_url("**/done")
