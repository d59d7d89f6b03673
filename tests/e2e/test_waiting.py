"""Waiting: told when somebody is online, rung with one click, every stage, a promise missed; both languages."""

import re
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.steps import go_online, ring, sign_in
from tests.e2e.test_axe import violations, widest

NARROW = {"width": 320, "height": 800}
TALLEST = "box => Math.max(...[...box.querySelectorAll('dd')].map((each) => each.getBoundingClientRect().height))"


def looks_right(page: Page, screen: str) -> None:
    """Nothing that axe finds, and nothing that sticks out of a small phone."""
    page.set_viewport_size(NARROW)
    assert violations(page) == [], screen
    wide = page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide, f"{screen} scrolls sideways: {widest(page)}"


def read_in(page: Page, locale: str) -> None:
    """In this browser only: the account, which other tests share, keeps the language that signing in chose."""
    page.evaluate("language => localStorage.setItem('locale', language)", locale[:2])
    page.reload()


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
    read_in(customer, locale)
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


@pytest.mark.parametrize(
    ("locale", "rung", "missed"),
    [
        ("en-GB", "Somebody needs you", "We missed our 2 minutes."),
        ("de-DE", "Jemand braucht Sie", "Wir haben unsere 2 Minuten nicht geschafft."),
    ],
)
def test_a_ring_a_missed_promise_and_the_rings_of_the_week_on_a_small_phone(
    stack: Stack, window: Any, locale: str, rung: str, missed: str
) -> None:
    customer, consultant = window("customer", locale=locale).page, window("consultant", locale=locale).page
    go_online(consultant, stack)
    read_in(consultant, locale)
    sign_in(customer, stack, "customer")
    read_in(customer, locale)
    ring(customer, stack)
    expect(consultant.get_by_test_id("ring")).to_contain_text(rung)
    looks_right(consultant, "ring")
    with psycopg.connect(stack.env["DATABASE_URL"]) as database:  # two minutes pass at once
        over = "UPDATE request SET promise_at = now(), due_at = now() WHERE state = 'ringing'"
        assert database.execute(over).rowcount == 1
    expect(customer.get_by_role("alert").filter(has_text=missed)).to_be_visible()
    looks_right(customer, "promise missed")
    customer.get_by_test_id("cancel-request").click()
    expect(consultant.get_by_test_id("ring")).to_have_count(0)
    fairness = consultant.get_by_test_id("fairness")
    expect(fairness.get_by_test_id("rings-received")).to_be_visible()
    looks_right(consultant, "rings of the week")
    assert fairness.evaluate(TALLEST) < 100, "a figure beside a long name is written letter under letter"
    switch(consultant, on=False)
