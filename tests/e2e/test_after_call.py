"""What comes after a capture, in two browsers: a problem and its decision, a payout by line, a payment made up for."""

import json
import os
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.conftest import RESULTS
from tests.e2e.test_axe import check
from tests.e2e.test_story import Story, api, token_of


def sandbox(stack: Stack, path: str, body: Any = None) -> Any:
    """What a bank or Stripe itself brings about; GET without a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{stack.sandbox_url}/_sandbox/{path}", data=data)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=10) as reply:
        return json.load(reply)


def seen(page: Page, name: str) -> None:
    """No violation, nothing sticks out; with SCREENSHOTS set, pictures at a desk's width and a phone's."""
    check(page, name)
    if os.environ.get("SCREENSHOTS"):
        RESULTS.mkdir(exist_ok=True)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=RESULTS / f"after-{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1280, "height": 800})


def talk(story: Story, connected_ms: int) -> None:
    story.connect()
    story.skip_to(connected_ms)
    while story.connected_ms() < connected_ms:
        story.customer.wait_for_timeout(200)
    story.leave(story.customer)


@pytest.fixture
def story(stack: Stack, window: Any) -> Story:
    return Story(stack, window("customer").page, window("consultant").page)


def language(page: Page) -> None:
    """The other language, by the button in the head; the account keeps it, so every test gives it back."""
    with page.expect_response(lambda reply: reply.url.endswith("/api/me") and reply.request.method == "PATCH"):
        page.locator("header button[lang]").click()


def test_a_problem_is_answered_decided_and_paid_back_before_both(story: Story, stack: Stack) -> None:
    talk(story, 660_000)
    receipt = story.settled()
    customer, consultant = story.customer, story.consultant
    customer.get_by_test_id("problem-open").click()
    customer.get_by_test_id("problem-quality").check()
    customer.get_by_test_id("problem-words").fill("The picture froze for half of the time.")
    seen(customer, "problem-form")
    customer.get_by_test_id("problem-send").click()
    expect(customer.get_by_test_id("problem-said")).to_have_attribute("data-finding", "undecided")
    consultant.get_by_test_id("reply-words").fill("It was my train; I am sorry.")
    consultant.get_by_test_id("reply-send").click()
    expect(customer.get_by_test_id("problem-reply")).to_contain_text("train")
    seen(consultant, "problem-open")

    finance = token_of(stack, "finance")
    [waiting] = api(stack, "GET", "/api/finance/problems", finance)["items"]
    decision = {"decision": "Half of the call was poor: 6.60 goes back.", "refund_minor": 660, "reason": "quality"}
    api(stack, "POST", f"/api/finance/problems/{waiting['id']}", finance, decision)
    expect(customer.get_by_test_id("problem-decision")).to_contain_text("6.60")
    end = f"€{(receipt['gross_minor'] - 660) / 100:.2f}"
    expect(customer.get_by_test_id("paid-in-the-end")).to_contain_text(end, timeout=30_000)
    expect(customer.get_by_test_id("given-back")).to_contain_text("credit note", timeout=30_000)
    seen(customer, "receipt-refunded")
    expect(consultant.get_by_test_id("given-back")).to_contain_text("€5.61", timeout=30_000)
    language(consultant)
    seen(consultant, "receipt-refunded-consultant-de")
    language(consultant)


def test_a_free_call_is_answered_at_once(story: Story) -> None:
    talk(story, 20_000)
    story.settled()
    story.customer.get_by_test_id("problem-open").click()
    story.customer.get_by_test_id("problem-amount").check()
    story.customer.get_by_test_id("problem-words").fill("Was I charged for this?")
    story.customer.get_by_test_id("problem-send").click()
    expect(story.customer.get_by_test_id("problem-answer")).to_contain_text("Nothing was charged.")
    expect(story.consultant.get_by_test_id("problem-answer")).to_contain_text("Nothing was charged.")


def test_a_payout_is_shown_to_its_lines_and_the_schedule_is_chosen(story: Story, stack: Stack) -> None:
    talk(story, 660_000)
    story.settled()
    page = story.consultant
    page.goto(f"{stack.url}/earnings")
    expect(page.get_by_test_id("balance-eur")).to_be_visible()
    expect(page.get_by_test_id("payouts-next")).to_contain_text("Monday")
    expect(page.get_by_test_id("payout")).to_have_count(0)
    seen(page, "earnings")
    mine = sandbox(stack, "state")["transfer"][-1]
    [payout] = sandbox(stack, f"payout/{mine['destination']}", {})["payouts"]
    page.reload()
    while page.get_by_test_id("payout").count() == 0:  # Stripe's event is on its way
        page.wait_for_timeout(300)
        page.reload()
        expect(page.get_by_test_id("payouts-next")).to_be_visible()
    page.get_by_test_id("payout-open").click()
    expect(page.get_by_test_id("payout-lines").get_by_role("link").first).to_be_visible()
    expect(page.get_by_test_id("payout-lines")).to_contain_text("equal to the payout")
    page.get_by_test_id("schedule-open").click()
    page.get_by_test_id("interval-monthly").check()
    page.get_by_test_id("schedule-save").click()
    expect(page.get_by_test_id("payouts-next")).to_contain_text("1 ")
    seen(page, "earnings-payout")
    with page.expect_download() as file:
        page.get_by_test_id("statement").click()
    assert file.value.suggested_filename.startswith("statement-")
    with page.expect_download() as file:
        page.get_by_test_id("statement-pdf").click()
    assert file.value.path().read_bytes().startswith(b"%PDF-")

    sandbox(stack, f"payout/{payout}/fail", {"code": "account_closed"})
    while page.get_by_test_id("payouts-missing").count() == 0:
        page.wait_for_timeout(300)
        page.reload()
        expect(page.get_by_test_id("payout")).to_be_visible()
    language(page)
    expect(page.get_by_test_id("payouts-missing")).to_contain_text("das Bankkonto")
    seen(page, "earnings-failed-de")
    language(page)
    page.get_by_test_id("payouts-onboard").click()
    page.wait_for_url(lambda url: url.startswith(stack.sandbox_url))


def test_what_is_owed_is_paid_with_the_bank_in_the_page(story: Story, stack: Stack) -> None:
    sandbox(stack, "misbehave", {"kind": "capture_expires", "operation": "payment_intents.capture", "times": 1})
    story.connect()
    story.skip_to(660_000)
    while story.connected_ms() < 660_000:
        story.customer.wait_for_timeout(200)
    decline = {"kind": "decline", "operation": "payment_intents.confirm", "times": 1}
    sandbox(stack, "misbehave", {**decline, "decline_code": "insufficient_funds"})
    story.leave(story.customer)
    page = story.customer
    expect(page.get_by_test_id("owed-banner")).to_contain_text("did not go through", timeout=45_000)
    seen(page, "owed-banner")
    page.get_by_test_id("owed-banner").get_by_role("link").click()
    expect(page.get_by_test_id("owed-message")).to_contain_text("insufficient funds")
    expect(page.get_by_test_id("owed")).to_contain_text("We try again on")
    seen(page, "owed")
    language(page)
    seen(page, "owed-de")
    language(page)

    page.goto(f"{stack.url}/ask")
    page.get_by_test_id("question-title").fill("May I ask again?")
    page.get_by_test_id("post-question").click()
    page.get_by_test_id("ring-best").click()
    page.get_by_test_id("consent").check()
    page.get_by_test_id("ring-now").click()
    page.get_by_test_id("to-owed").click()

    sandbox(stack, "misbehave", {"kind": "authenticate", "operation": "payment_intents.confirm", "times": 1})
    page.get_by_test_id("pay-owed").click()
    frame = page.frame_locator("[data-testid=authenticate-frame]")
    expect(frame.get_by_role("button").first).to_be_visible(timeout=30_000)
    seen(page, "owed-bank")
    frame.get_by_role("button").first.click()
    expect(page.get_by_test_id("owed-part")).to_have_count(0, timeout=30_000)
    expect(page.get_by_test_id("owed-banner")).to_have_count(0)
