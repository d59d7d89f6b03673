"""Nobody online: the customer is told when somebody is, rings with one click, sees every stage; both languages."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.steps import sign_in
from tests.e2e.test_axe import violations, widest

NARROW = {"width": 320, "height": 800}


def looks_right(page: Page, screen: str) -> None:
    """Nothing that axe finds, and nothing that sticks out of a small phone."""
    page.set_viewport_size(NARROW)
    assert violations(page) == [], screen
    wide = page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, f"{screen} scrolls sideways: {widest(page)}"


def switch(page: Page, *, on: bool) -> None:
    """Turn the consultant's switch, if it is not so already."""
    button = page.get_by_test_id("online-switch")
    expect(button).to_be_visible()
    if button.is_checked() is not on:
        button.set_checked(on, force=True)
    expect(button).to_be_checked(checked=on)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_who_finds_nobody_is_told_and_rings_with_one_click(stack: Stack, window: Any, locale: str) -> None:
    customer, consultant = window("customer", locale=locale).page, window("consultant").page
    sign_in(consultant, stack, "consultant")
    switch(consultant, on=False)
    sign_in(customer, stack, "customer")
    customer.goto(f"{stack.url}/ask")
    customer.get_by_test_id("question-title").fill("How do I read a PostgreSQL query plan?")
    customer.get_by_test_id("post-question").click()
    customer.get_by_test_id("tell-me-button").click()
    expect(customer.get_by_test_id("tell-me-button")).to_be_hidden()
    looks_right(customer, "nobody online")
    switch(consultant, on=True)
    expect(customer.get_by_test_id("told")).to_be_visible()
    looks_right(customer, "somebody online")
    customer.get_by_test_id("told-ring").click()
    expect(customer).to_have_url(re.compile(r"/checkout\?consultant="))
    customer.get_by_test_id("consent").check()
    customer.get_by_test_id("ring-now").click()
    expect(customer.get_by_test_id("waiting")).to_be_visible()
    expect(customer.get_by_test_id("told")).to_be_hidden()
    expect(consultant.get_by_test_id("accept-offer")).to_be_visible()
    looks_right(customer, "ringing")
    customer.get_by_test_id("cancel-request").click()
    expect(consultant.get_by_test_id("accept-offer")).to_be_hidden()
    switch(consultant, on=False)
