"""The whole product, lived once: two people in two browsers, from a question to a cent that finance can explain."""

import json
import time
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.demo_people import LOGINS, PASSWORD
from app.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.steps import frames, sign_in, wait_for_frames

RATE, CAP = 9_000, 4_500


def api(stack: Stack, method: str, path: str, token: str | None = None, body: Any = None) -> Any:
    request = urllib.request.Request(f"{stack.url}{path}", method=method)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(request, data=data, timeout=10) as reply:
        return json.loads(reply.read() or b"null")


def token_of(stack: Stack, role: str) -> str:
    login = api(stack, "POST", "/api/auth/login", body={"email": LOGINS[role], "password": PASSWORD})
    return str(login["access_token"])


class Story:
    """Two people on their way into a call."""

    def __init__(self, stack: Stack, customer: Page, consultant: Page) -> None:
        self.stack, self.customer, self.consultant = stack, customer, consultant
        self.customer_token = token_of(stack, "customer")
        self.call_id = ""

    def connect(self) -> None:
        """Question, match, ring, accept, hold, video."""
        sign_in(self.consultant, self.stack, "consultant")
        switch = self.consultant.get_by_test_id("online-switch")
        expect(switch).to_be_visible()
        if not switch.is_checked():
            switch.check(force=True)
        sign_in(self.customer, self.stack, "customer")
        self.customer.goto(f"{self.stack.url}/ask")
        self.customer.get_by_test_id("question-title").fill("Why is my PostgreSQL query slow since the update?")
        self.customer.get_by_test_id("question-details").fill("It took a second and now it takes a minute.")
        self.customer.get_by_test_id("post-question").click()
        self.customer.get_by_test_id("ring-best").click()
        expect(self.customer.get_by_test_id("card-saved")).to_be_visible()
        self.customer.get_by_test_id("consent").check()
        self.customer.get_by_test_id("ring-now").click()
        expect(self.customer.get_by_test_id("waiting")).to_be_visible()
        self.consultant.get_by_test_id("accept-offer").click()
        for page in (self.customer, self.consultant):
            expect(page.get_by_test_id("call")).to_be_visible()
        self.call_id = self.customer.url.rsplit("/call/", 1)[1].split("/")[0]
        for page in (self.customer, self.consultant):
            wait_for_frames(page, 1)

    def meter(self) -> Any:
        return api(self.stack, "GET", f"/api/calls/{self.call_id}/meter", self.customer_token)

    def connected_ms(self) -> int:
        meter = self.meter()
        return int(meter["connected_ms"])

    def skip_to(self, connected_ms: int) -> None:
        body = {"to_connected_ms": connected_ms}
        api(self.stack, "POST", f"/api/calls/{self.call_id}/demo/skip", self.customer_token, body)

    def leave(self, page: Page) -> None:
        page.get_by_test_id("leave").click()
        confirm = page.get_by_test_id("leave-confirm")
        if confirm.is_visible():
            confirm.click()

    def settled(self) -> Any:
        """The receipt, once the charge is final."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.meter()["final"]:
                return api(self.stack, "GET", f"/api/calls/{self.call_id}/receipt", self.customer_token)
            self.customer.wait_for_timeout(200)
        raise AssertionError(f"not settled: {self.meter()}")

    def finance(self) -> Any:
        """The charge as finance sees it, with its postings."""
        token = token_of(self.stack, "finance")
        rows = api(self.stack, "GET", "/api/finance/charges?limit=100", token)["items"]
        row = next(row for row in rows if row["call_id"] == self.call_id)
        return api(self.stack, "GET", f"/api/finance/charges/{row['charge_id']}", token)

    def intents(self) -> list[Any]:
        """The PaymentIntents of this call as the sandbox has them."""
        with urllib.request.urlopen(f"{self.stack.sandbox_url}/_sandbox/state", timeout=10) as reply:
            objects = json.load(reply)["payment_intent"]
        known = {hold["provider_id"] for hold in self.finance()["holds"]}
        return [intent for intent in objects if intent["id"] in known]


def euros(minor: int) -> str:
    return f"€{minor // 100}.{minor % 100:02d}"


@pytest.fixture
def story(stack: Stack, window: Any) -> Story:
    customer: Window = window("customer")
    consultant: Window = window("consultant")
    story = Story(stack, customer.page, consultant.page)
    story.windows = (customer, consultant)  # type: ignore[attr-defined]
    return story


def test_a_call_past_ten_minutes_is_billed_the_same_everywhere(story: Story) -> None:
    story.connect()
    for page in (story.customer, story.consultant):
        wait_for_frames(page, 100)
    story.customer.get_by_test_id("demo-skip").click()
    story.customer.wait_for_function(
        "() => /9:[45]/.test(document.querySelector('[data-testid=meter-time]')?.textContent ?? '')"
    )
    expect(story.customer.get_by_test_id("meter-warning")).to_be_visible()
    while story.connected_ms() < 601_000:
        story.customer.wait_for_timeout(500)
    story.leave(story.customer)
    receipt = story.settled()

    gross = receipt["gross_minor"]
    assert gross == (RATE * receipt["connected_ms"] + 1_800_000) // 3_600_000
    assert 1_500 < gross < 1_600
    assert receipt["released_minor"] == CAP - gross
    expect(story.customer.get_by_test_id("receipt-amount")).to_contain_text(euros(gross))
    commission = (gross * 1_500 + 5_000) // 10_000
    expect(story.consultant.get_by_test_id("receipt-net")).to_contain_text(euros(gross - commission))

    charge = story.finance()
    assert charge["row"]["gross_minor"] == gross
    assert charge["row"]["commission_minor"] == commission
    assert charge["row"]["net_minor"] == gross - commission
    assert charge["recomputed"]["matches"]
    assert charge["recomputed"]["gross_minor"] == gross
    booked = sum(
        posting["amount_minor"]
        for transaction in charge["transactions"]
        for posting in transaction["postings"]
        if posting["source"] == "platform:commission"
    )
    assert booked == commission
    (intent,) = story.intents()
    assert intent["status"] == "succeeded"
    assert intent["amount_received"] == gross

    page = story.consultant
    page.context.clear_cookies()
    sign_in(page, story.stack, "finance")
    page.goto(f"{story.stack.url}/finance")
    row = page.get_by_test_id(f"finance-row-{receipt['reference']}")
    expect(row).to_contain_text(euros(gross))
    expect(row).to_contain_text(euros(commission))


def test_a_call_of_nine_fifty_nine_costs_nothing(story: Story) -> None:
    story.connect()
    story.skip_to(594_000)
    while story.connected_ms() < 597_500:
        story.customer.wait_for_timeout(100)
    story.leave(story.customer)
    receipt = story.settled()

    assert 597_000 < receipt["connected_ms"] < 600_000
    assert receipt["gross_minor"] == 0
    assert receipt["released_minor"] == CAP
    expect(story.customer.get_by_test_id("receipt-amount")).to_contain_text("€0.00")
    expect(story.customer.get_by_test_id("receipt-released")).to_be_visible()
    (intent,) = story.intents()
    assert intent["status"] == "canceled"
    assert intent["amount_received"] == 0
    assert story.finance()["row"]["state"] == "released"


def test_a_cut_of_twenty_seconds_is_shown_resumed_and_not_billed(story: Story) -> None:
    story.connect()
    customer, _ = story.windows  # type: ignore[attr-defined]
    for page in (story.customer, story.consultant):
        wait_for_frames(page, 30)
    story.skip_to(660_000)
    story.customer.wait_for_timeout(1_500)

    cut_at = time.monotonic()
    customer.cut_network()
    for page in (story.consultant, story.customer):
        expect(page.get_by_test_id("meter-paused")).to_be_visible(timeout=6_000)
    assert time.monotonic() - cut_at < 5, "the pause must be shown within three seconds, plus what the browser needs"
    story.consultant.wait_for_timeout(int(1000 * max(0.0, 20 - (time.monotonic() - cut_at))))
    customer.mend_network()
    lasted = time.monotonic() - cut_at

    for page in (story.customer, story.consultant):
        expect(page.get_by_test_id("meter-paused")).to_be_hidden(timeout=20_000)
        expect(page.get_by_test_id("call")).to_be_visible()
        expect(page.get_by_test_id("device-check")).to_be_hidden()
    resumed = time.monotonic() - cut_at
    before = frames(story.consultant)
    story.consultant.wait_for_timeout(3_000)
    assert frames(story.consultant) > before, "the picture moves again"
    story.leave(story.customer)
    receipt = story.settled()

    unbilled_ms = sum(line["duration_ms"] for line in receipt["lines"] if line["kind"] == "unbilled")
    assert 1000 * lasted - 1_000 <= unbilled_ms <= 1000 * resumed + 1_000
    talked = sum(line["duration_ms"] for line in receipt["lines"] if line["kind"] == "talk")
    assert talked == receipt["connected_ms"]
    assert receipt["gross_minor"] == (RATE * receipt["connected_ms"] + 1_800_000) // 3_600_000
