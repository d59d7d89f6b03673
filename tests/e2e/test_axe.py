"""Every screen without a violation that axe can find, at a desk's width and a phone's, in both languages."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.steps import go_online, sign_in
from tests.e2e.test_story import Story

AXE = Path(__file__).parent.parent.parent / "web/client/node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


def violations(page: Page) -> list[str]:
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text())
    found = page.evaluate(f"() => axe.run(document, {json.dumps(RULES)})")
    return [f"{each['id']}: {each['nodes'][0]['html'][:160]}" for each in found["violations"]]


def widest(page: Page) -> str:
    """The elements that stick out."""
    return str(
        page.evaluate(
            "() => [...document.querySelectorAll('body *')]"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
            ".map(e => e.outerHTML.slice(0, 90)).slice(-3).join(' | ')"
        )
    )


def check(page: Page, screen: str) -> None:
    for width in (1280, 375):
        page.set_viewport_size({"width": width, "height": 800})
        assert violations(page) == [], f"{screen} at {width}"
        wide = page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth")
        assert not wide, f"{screen} scrolls sideways at {width}: {widest(page)}"
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_screens_anyone_may_see(stack: Stack, window: Any, locale: str) -> None:
    page = window("anyone", locale=locale).page
    for path in ("/", "/ask", "/sign-in", "/sign-up"):
        page.goto(f"{stack.url}{path}")
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("() => document.documentElement.lang") == locale[:2]
        check(page, path)


@pytest.mark.parametrize(
    ("role", "paths"),
    [
        ("consultant", ("/home", "/profile", "/earnings", "/calls", "/settings")),
        ("customer", ("/calls", "/spending", "/settings")),
        ("finance", ("", "/charges", "/approvals", "/problems", "/disputes", "/disputes/closed")),
        ("finance", ("/payouts", "/accounts", "/reconciliation", "/reconciliation/closed", "/months", "/audit")),
    ],
)
def test_screens_of_consultant_customer_and_finance(
    stack: Stack, window: Any, role: str, paths: tuple[str, ...]
) -> None:
    page = window(role).page
    sign_in(page, stack, role)
    for path in paths:
        address = f"/finance{path}" if role == "finance" else path
        page.goto(f"{stack.url}{address}")
        expect(page.locator("h1")).to_be_visible()
        check(page, address)


def test_screens_on_the_way_through_a_call(stack: Stack, window: Any) -> None:
    customer, consultant = window("customer").page, window("consultant").page
    story = Story(stack, customer, consultant)
    go_online(consultant, stack)
    sign_in(customer, stack, "customer")
    customer.goto(f"{stack.url}/ask")
    customer.get_by_test_id("question-title").fill("How do I read a query plan?")
    customer.get_by_test_id("post-question").click()
    expect(customer.get_by_test_id("ring-best")).to_be_visible()
    customer.get_by_test_id("why").first.click()
    check(customer, "matches")
    customer.get_by_test_id("ring-best").click()
    expect(customer.get_by_test_id("card-saved")).to_be_visible()
    check(customer, "checkout")
    customer.get_by_test_id("consent").check()
    customer.get_by_test_id("ring-now").click()
    expect(customer.get_by_test_id("waiting")).to_be_visible()
    assert violations(customer) == [], "waiting"
    expect(consultant.get_by_test_id("accept-offer")).to_be_visible()
    assert violations(consultant) == [], "ring"
    consultant.get_by_test_id("accept-offer").click()
    expect(customer.get_by_test_id("call")).to_be_visible()
    story.call_id = customer.url.rsplit("/call/", 1)[1].split("/")[0]
    expect(customer.get_by_test_id("meter")).to_be_visible()
    check(customer, "call of the customer")
    check(consultant, "call of the consultant")
    story.leave(customer)
    expect(customer.get_by_test_id("receipt")).to_be_visible()
    check(customer, "receipt of the customer")
    check(consultant, "receipt of the consultant")


def test_a_reload_in_mid_call_comes_back_into_the_same_call_and_a_screen_can_be_shared(
    stack: Stack, window: Any
) -> None:
    story = Story(stack, window("customer").page, window("consultant").page)
    story.connect()
    story.customer.reload()
    expect(story.customer.get_by_test_id("call")).to_be_visible()
    assert story.call_id in story.customer.url
    story.customer.wait_for_function(
        "() => (document.querySelector('[data-testid=remote-video]')?.getVideoPlaybackQuality()"
        ".totalVideoFrames ?? 0) >= 10",
        timeout=20_000,
    )
    story.customer.get_by_test_id("toggle-screen").click()
    shared = story.consultant.get_by_test_id("remote-screen")
    expect(shared).to_be_visible()
    story.consultant.wait_for_function(
        "() => document.querySelector('[data-testid=remote-screen]').getVideoPlaybackQuality().totalVideoFrames >= 5"
    )
    story.leave(story.customer)
