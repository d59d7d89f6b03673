"""The admins' page of matching in a browser: figures, a refit by hand, a roll-back with its reason; both languages."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.steps import sign_in
from tests.e2e.test_axe import check
from tests.e2e.test_cards import picture


def open_page(page: Page, stack: Stack) -> None:
    sign_in(page, stack, "admin")
    page.get_by_role("link", name="Matching").click()
    expect(page).to_have_url(f"{stack.url}/admin/matching")
    expect(page.get_by_role("heading", level=1, name="Matching and learning")).to_be_visible()


@pytest.mark.timeout(240)  # axe reads the whole page four times
def test_an_admin_sees_the_figures_refits_and_rolls_back(stack: Stack, window: Any) -> None:
    page = window("admin").page
    open_page(page, stack)
    expect(page.locator("figure.chart")).to_have_count(8)
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("region", name="Questions and answers").get_by_role("row")).not_to_have_count(1)
    page.get_by_role("button", name="7 days").click()
    expect(page).to_have_url(re.compile("days=7"))
    page.get_by_role("button", name="30 days").click()

    page.get_by_test_id("refit").click()
    outcome = page.get_by_test_id("refit-outcome")
    expect(outcome).to_be_visible(timeout=60_000)
    expect(outcome).to_contain_text(re.compile("fit-[0-9-]+"))
    check(page, "matching after a refit")
    picture(page, "matching-en")

    others = page.get_by_role("listitem").filter(has=page.get_by_role("button", name=re.compile("Roll back|Promote")))
    name = others.first.get_by_role("heading").inner_text()
    before = page.locator(".panel.chosen").get_by_role("heading").inner_text()
    page.get_by_test_id(f"activate-{name}").press("Enter")  # by keyboard: the reason has the focus at once
    page.keyboard.type("It ranked plumbers first")
    check(page, "matching, asked for a reason")
    page.keyboard.press("Enter")
    chosen = page.locator(".panel.chosen")
    expect(chosen.get_by_role("heading")).to_have_text(name)
    expect(chosen).to_contain_text("It ranked plumbers first")
    page.get_by_test_id(f"activate-{before}").click()
    page.get_by_test_id("reason").fill("It did not after all")
    page.get_by_test_id("activate-confirm").click()
    expect(chosen.get_by_role("heading")).to_have_text(before)


def test_the_page_in_german(stack: Stack, window: Any) -> None:
    page = window("admin").page
    open_page(page, stack)
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1, name="Vermittlung und Lernen")).to_be_visible()
    check(page, "Vermittlung")
    picture(page, "matching-de")
    with page.expect_response("**/api/me"):  # the account keeps the language: the next test reads English
        page.get_by_role("button", name="English").click()


def test_nobody_but_an_admin_finds_the_page(stack: Stack, window: Any) -> None:
    page = window("finance").page
    sign_in(page, stack, "finance")
    expect(page.get_by_role("link", name="Finance")).to_be_visible()
    expect(page.get_by_role("link", name="Matching")).to_have_count(0)
    page.goto(f"{stack.url}/admin/matching")
    expect(page.get_by_role("heading", level=1, name="There is nothing here")).to_be_visible()
