"""A customer's cards and spending in a browser: add, choose, remove; the same figures on the page and in the file."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.conftest import RESULTS
from tests.e2e.steps import go_online, leave, sign_in
from tests.e2e.test_axe import check
from tests.e2e.test_story import Story

MASTERCARD = "5555 5555 5555 4444"


def add_card(page: Page, number: str) -> None:
    page.get_by_test_id("add-card").click()
    form = page.frame_locator("[data-testid=card-frame]")
    form.get_by_role("textbox").fill(number)
    form.get_by_role("button", name=re.compile("save|speichern", re.IGNORECASE)).first.click()
    expect(page.get_by_test_id("card-frame")).to_have_count(0)


def picture(page: Page, name: str) -> None:
    """The same screen at a desk's width and at a phone's, to be looked at."""
    RESULTS.mkdir(exist_ok=True)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=RESULTS / f"{name}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 320, "height": 800})
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth"), f"{name} at 320"
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_second_card_is_added_chosen_and_removed(stack: Stack, window: Any) -> None:
    page = window("customer").page
    sign_in(page, stack, "customer")
    page.goto(f"{stack.url}/settings")
    expect(page.get_by_test_id("card-4242")).to_be_checked()
    add_card(page, MASTERCARD)
    expect(page.get_by_test_id("card-4444")).to_be_checked()
    page.get_by_test_id("card-4242").click()
    expect(page.get_by_test_id("card-saved")).to_contain_text("4242")
    picture(page, "settings")
    page.get_by_test_id("remove-4444").click()
    check(page, "settings with the question whether to remove a card")
    page.get_by_test_id("remove-confirm").click()
    expect(page.get_by_test_id("card-4444")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("card-4242")).to_be_checked()
    expect(page.get_by_test_id("card-4444")).to_have_count(0)


def test_the_checkout_offers_the_saved_cards_in_both_languages(stack: Stack, window: Any) -> None:
    go_online(window("consultant").page, stack)
    page = window("customer").page
    sign_in(page, stack, "customer")
    page.goto(f"{stack.url}/ask")
    page.get_by_test_id("question-title").fill("Why is my PostgreSQL query slow since the update?")
    page.get_by_test_id("post-question").click()
    page.get_by_test_id("ring-best").click()
    expect(page.get_by_test_id("card-4242")).to_be_checked()
    page.get_by_test_id("add-card").click()
    expect(page.get_by_test_id("card-frame")).to_be_visible()
    picture(page, "checkout-en")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_text("Gespräche werden bezahlt mit")).to_be_visible()
    picture(page, "checkout-de")
    with page.expect_response("**/api/me"):  # the account keeps the language: the next test reads English
        page.get_by_role("button", name="English").click()


def test_what_was_spent_is_what_was_earned_on_the_page_and_in_the_file(
    stack: Stack, window: Any, tmp_path: Path
) -> None:
    story = Story(stack, window("customer").page, window("consultant").page)
    story.connect()
    story.skip_to(660_000)
    while story.connected_ms() < 660_000:
        story.customer.wait_for_timeout(100)
    leave(story.customer)
    settled = story.settled()
    assert settled["gross_minor"] > 0
    told = story.customer.get_by_test_id("timeline")
    expect(told).to_contain_text("per minute")
    expect(told).to_contain_text("€")
    assert not [code for code in ("_", "minor", "bps", "null") if code in told.inner_text()]
    story.customer.goto(f"{stack.url}/calls")
    story.consultant.goto(f"{stack.url}/calls")
    for page, amount in ((story.customer, "gross_minor"), (story.consultant, "net_minor")):
        expect(page.get_by_test_id("past-bill").first).to_contain_text(f"{settled[amount] / 100:.2f}")
    story.customer.get_by_test_id("to-spending").click()
    for page, path, name in ((story.customer, "spending", "spending"), (story.consultant, "earnings", "earnings")):
        page.goto(f"{stack.url}/{path}?period=year")
        expect(page.locator(".scroller tbody tr").first).to_be_visible()
        expect(page.get_by_test_id("total-eur")).to_be_visible()
        check(page, path)
        picture(page, name)
        with page.expect_download() as waiting:
            page.get_by_test_id("csv").click()
        waiting.value.save_as(tmp_path / f"{path}.csv")
        rows = (tmp_path / f"{path}.csv").read_text(encoding="utf-8-sig").strip().splitlines()
        shown = page.locator(".scroller tbody tr td:first-child").all_inner_texts()
        assert [row.split(",")[0] for row in rows[1:]] == shown
