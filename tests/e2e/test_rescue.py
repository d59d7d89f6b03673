"""A connection is lost for good, and both talk on: what the two see of it, in two browsers and two languages."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.e2e.conftest import LIMITS, running
from tests.e2e.steps import wait_for_frames
from tests.e2e.test_after_call import language, seen
from tests.e2e.test_axe import violations, widest
from tests.e2e.test_story import Story

LOST_S = 6


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that gives a connection up sooner."""
    settings = LIMITS | {"LOST_S": str(LOST_S)}
    data = tmp_path_factory.mktemp("rescue")
    with running(
        Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=settings)
    ) as stack:
        yield stack


def lose(story: Story) -> None:
    """The customer's browser is gone for longer than anybody waits."""
    story.connect()
    story.skip_to(360_000)
    while story.connected_ms() < 360_000:
        story.customer.wait_for_timeout(200)
    story.customer.goto("about:blank")
    expect(story.consultant.get_by_test_id("return-panel")).to_be_visible(timeout=40_000)


def narrow(page: Page, name: str) -> None:
    """The narrowest phone: no violation, and nothing sticks out."""
    page.set_viewport_size({"width": 320, "height": 700})
    assert violations(page) == [], f"{name} at 320"
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth"), f"{name}: {widest(page)}"
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.timeout(300)
def test_both_come_back_to_a_lost_call_and_pay_one_bill(quick: Stack, window: Any) -> None:
    story = Story(quick, window("customer").page, window("consultant").page)
    customer, consultant = story.customer, story.consultant
    lose(story)
    first, panel = story.call_id, consultant.get_by_test_id("return-panel")
    expect(panel).to_contain_text("Nothing new is reserved. The time goes on at 6:0")
    expect(panel).to_contain_text("stays free until 10:00")
    expect(consultant.get_by_test_id("return")).to_have_text(re.compile(r"Return to the call — (9:5\d|10:00) left"))
    expect(consultant.get_by_test_id("return")).to_have_text(re.compile(r"9:4\d left"), timeout=30_000)
    seen(consultant, "rescue-panel")
    language(consultant)
    expect(consultant.get_by_test_id("return")).to_contain_text("Zurück ins Gespräch")
    narrow(consultant, "rescue-panel-de")
    language(consultant)

    customer.goto(quick.url)
    banner = customer.get_by_test_id("return-banner")
    expect(banner).to_contain_text("was lost. You can talk on.")
    expect(banner.get_by_test_id("return")).to_contain_text("left")
    narrow(customer, "rescue-home")
    seen(customer, "rescue-home")
    consultant.get_by_test_id("return").click()
    expect(banner).to_contain_text("has come back to your call.")
    seen(customer, "rescue-other-returned")
    banner.get_by_role("link").click()
    for page in (customer, consultant):
        expect(page.get_by_test_id("call")).to_be_visible()
        wait_for_frames(page, 1)
    story.call_id = customer.url.rsplit("/call/", 1)[1].split("/")[0]
    assert story.call_id != first
    assert story.connected_ms() >= 360_000, "the same meter goes on"
    story.skip_to(660_000)
    while story.connected_ms() < 660_000:
        customer.wait_for_timeout(200)
    story.leave(customer)
    story.call_id = first
    receipt = story.settled()
    assert receipt["gross_minor"] == (9_000 * receipt["connected_ms"] + 1_800_000) // 3_600_000
    assert len(story.intents()) == 1, "nothing was held anew"
    lines = customer.get_by_test_id("receipt-lines")
    expect(lines.locator("tr[data-kind=unbilled]").last).to_contain_text("from the customer")
    expect(customer.get_by_test_id("timeline")).to_contain_text("The call goes on")
    expect(customer.get_by_test_id("return-panel")).to_have_count(0)


def test_who_is_done_with_a_lost_call_settles_it_at_once(quick: Stack, window: Any) -> None:
    story = Story(quick, window("customer").page, window("consultant").page)
    lose(story)
    story.customer.goto(f"{quick.url}/call/{story.call_id}/done")
    expect(story.customer.get_by_test_id("return-panel")).to_be_visible()
    story.consultant.get_by_test_id("finish").click()
    receipt = story.settled()
    assert receipt["gross_minor"] == 0
    for page in (story.customer, story.consultant):
        expect(page.get_by_test_id("return-panel")).to_have_count(0)
    expect(story.customer.get_by_test_id("receipt-amount")).to_have_text("€0.00")
