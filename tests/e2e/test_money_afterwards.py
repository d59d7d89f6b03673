"""Money after a capture, on the screens: refund, disputes, a failed payout, a failed capture; to the cent each time."""

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.demo_people import LOGINS, PASSWORD
from app.stack import Stack
from tests.e2e.conftest import Window
from tests.e2e.steps import sign_in
from tests.e2e.test_story import api, token_of
from tests.fakes.caller import Caller
from tests.fakes.paid_call import PaidCall

GROSS = re.compile(r"€16\.5\d")  # eleven minutes at 90.00 an hour, and what passes until everybody has left


class Afterwards:
    """One call that was paid (or is owed), the bank, and the finance desk."""

    def __init__(self, stack: Stack, desk: Page) -> None:
        self.stack, self.desk = stack, desk
        self.token = token_of(stack, "finance")
        self.call_id = ""

    def talk(self, before_the_end: Callable[[], Any] = lambda: None) -> None:
        """A paid call over the real protocol, without browsers; it is over when this returns."""

        async def call() -> str:
            async with (
                Caller(self.stack.url, LOGINS["customer"], PASSWORD) as customer,
                Caller(self.stack.url, LOGINS["consultant"], PASSWORD) as consultant,
            ):
                paid = PaidCall(self.stack, customer, consultant)
                await paid.connect()
                await paid.skip_to(660_000)
                await asyncio.to_thread(before_the_end)
                await paid.leave()
                return paid.call_id

        with ThreadPoolExecutor(1) as other:  # the browsers' driver has a loop of its own in this thread
            self.call_id = other.submit(asyncio.run, call()).result()

    def charge(self) -> Any:
        rows = api(self.stack, "GET", "/api/finance/charges?limit=100", self.token)["items"]
        found = next(row for row in rows if row["call_id"] == self.call_id)
        return api(self.stack, "GET", f"/api/finance/charges/{found['charge_id']}", self.token)

    def until(self, what: str, condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 30
        while not (found := condition()):
            assert time.monotonic() < deadline, f"not within 30 s: {what}"
            self.desk.wait_for_timeout(100)
        return found

    def captured(self) -> Any:
        return self.until("captured", lambda: (one := self.charge())["row"]["state"] == "captured" and one)

    def intent(self) -> str:
        return str(self.charge()["holds"][0]["provider_id"])

    def sandbox(self, path: str, body: Any = None, method: str = "POST") -> Any:
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"{self.stack.sandbox_url}/_sandbox/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read())

    def state(self, kind: str) -> list[dict[str, Any]]:
        return list(self.sandbox("state", method="GET").get(kind, []))

    def open_charge(self) -> None:
        self.desk.goto(f"{self.stack.url}/finance/charges/{self.charge()['row']['charge_id']}")

    def books_equal_stripe(self) -> None:
        """What both comparisons say, made now and by the desk's own button."""
        self.until("nothing under way", self._quiet)
        self.desk.goto(f"{self.stack.url}/finance/reconciliation")
        for kind in ("provider", "bills"):
            before = {run["id"] for run in self._runs()}
            self.desk.get_by_test_id(f"compare-{kind}").click()
            run = self.until(f"{kind} compared", lambda before=before: self._new(before))
            assert run["differences"] == 0, (run, api(self.stack, "GET", "/api/finance/cases", self.token))
            if kind == "provider":
                assert run["totals"]["eur"]["difference_minor"] == 0
                assert run["checked"] > 0
        expect(self.desk.get_by_test_id("run").first).to_be_visible()

    def _quiet(self) -> bool:
        detail = self.charge()
        return all(command["finished_at"] for command in detail["commands"])

    def _runs(self) -> list[dict[str, Any]]:
        return list(api(self.stack, "GET", "/api/finance/reconciliation", self.token)["items"])

    def _new(self, before: set[str]) -> dict[str, Any] | None:
        return next((run for run in self._runs() if run["id"] not in before and run["finished_at"]), None)


@pytest.fixture
def after(stack: Stack, window: Callable[..., Window]) -> Iterator[Afterwards]:
    desk = window("finance").page
    sign_in(desk, stack, "finance")
    one = Afterwards(stack, desk)
    one.sandbox("topup", {"amount": 100_000, "currency": "eur"})  # the platform can bear what banks take back
    yield one
    one.sandbox("misbehave", method="DELETE")


def test_a_refund_is_previewed_given_back_and_seen_by_both(after: Afterwards, window: Callable[..., Window]) -> None:
    after.talk()
    after.captured()
    after.open_charge()
    desk = after.desk
    desk.get_by_test_id("refund-amount").fill("5.00")
    desk.get_by_test_id("refund-reason").click()
    desk.get_by_role("option").first.click()
    expect(desk.get_by_test_id("refund-preview")).to_contain_text("€0.75")  # our commission of it
    expect(desk.get_by_test_id("planned-posting").first).to_be_visible()
    desk.get_by_test_id("refund-confirm").click()
    expect(desk.get_by_test_id("refund-state")).to_have_text(
        re.compile("given back|done|refunded", re.IGNORECASE), timeout=20_000
    )
    assert after.charge()["row"]["refunded_minor"] == 500
    made = next(refund for refund in after.state("refund") if refund["payment_intent"] == after.intent())
    assert (made["amount"], made["status"]) == (500, "succeeded")
    customer = window("customer").page
    sign_in(customer, after.stack, "customer")
    customer.goto(f"{after.stack.url}/call/{after.call_id}/done")
    expect(customer.get_by_text("€5.00").first).to_be_visible()
    after.books_equal_stripe()


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_a_dispute_is_answered_and_decided(after: Afterwards, outcome: str) -> None:
    after.talk()
    gross = after.captured()["row"]["gross_minor"]
    claimed = after.sandbox(f"dispute/{after.intent()}", {"reason": "fraudulent"})["id"]
    after.until("the dispute is known", lambda: after.charge()["disputes"])
    desk = after.desk
    desk.goto(f"{after.stack.url}/finance/disputes")
    reference = after.charge()["row"]["reference"]
    row = desk.get_by_test_id("dispute-row").filter(has_text=reference)
    expect(row).to_contain_text(GROSS)
    row.get_by_role("link", name=reference).click()
    expect(desk.get_by_text("connected for 11 min").first).to_be_visible()  # the evidence names the connected time
    desk.get_by_test_id("remark").fill("They thanked each other at the end.")
    desk.get_by_test_id("hand-in").click()
    desk.get_by_test_id("hand-in-confirm").click()
    expect(desk.get_by_test_id("handed-in")).to_be_visible()
    after.until("handed in", lambda: after.charge()["disputes"][0]["status"] == "under_review")
    sent = next(one for one in after.state("dispute") if one["id"] == claimed)["evidence"]
    assert sent["uncategorized_text"].endswith("They thanked each other at the end.")
    after.sandbox(f"dispute/{claimed}/decide", {"outcome": outcome})
    after.until("decided", lambda: after.charge()["disputes"][0]["status"] == outcome)
    desk.goto(f"{after.stack.url}/finance/disputes/closed")
    expect(desk.get_by_test_id("dispute-row").filter(has_text=reference)).to_contain_text(
        re.compile(outcome, re.IGNORECASE)
    )
    after.until("the share is where it belongs", after._quiet)
    moved = {
        posting["destination"]: posting["amount_minor"]
        for transaction in after.charge()["transactions"]
        if transaction["kind"] in {"dispute_lost", "dispute_share_returned"}
        for posting in transaction["postings"]
    }
    if outcome == "lost":
        assert sum(amount for account, amount in moved.items() if account.endswith(":receivable")) == gross
    else:
        assert any(account.endswith(":balance") for account in moved), moved
    after.books_equal_stripe()


def test_a_failed_payout_comes_back_and_says_what_to_fix(after: Afterwards, window: Callable[..., Window]) -> None:
    after.talk()
    after.captured()
    accounts = api(after.stack, "GET", "/api/finance/payout-accounts", after.token)["items"]
    account = next(one for one in accounts if any(balance["amount_minor"] > 0 for balance in one["balances"]))
    lies = account["balances"][0]["amount_minor"]
    [payout] = after.sandbox(f"payout/{account['account_id']}", {"force": True})["payouts"]
    path = f"/api/finance/payouts/{payout}"
    detail = after.until("its lines", lambda: _found(after, path))
    assert sum(line["net_minor"] for line in detail["lines"]) == detail["payout"]["amount_minor"] == lies
    after.sandbox(f"payout/{payout}/fail", {"code": "account_closed"})
    after.until("failed", lambda: _found(after, path)["payout"]["status"] == "failed")
    desk = after.desk
    desk.goto(f"{after.stack.url}/finance/payouts")
    expect(desk.get_by_test_id("payout-row").filter(has_text=payout)).to_contain_text(
        re.compile("failed", re.IGNORECASE)
    )
    desk.goto(f"{after.stack.url}/finance/payouts/{payout}")
    expect(desk.get_by_test_id("payout-line").first).to_be_visible()
    consultant = window("consultant").page
    sign_in(consultant, after.stack, "consultant")
    consultant.goto(f"{after.stack.url}/earnings")
    expect(consultant.locator("[data-testid=payout][data-status=failed]").first).to_be_visible()
    after.books_equal_stripe()


def test_a_failed_capture_is_owed_shown_and_paid_by_a_click(after: Afterwards, window: Callable[..., Window]) -> None:
    customer = window("customer").page
    sign_in(customer, after.stack, "customer")

    def trouble() -> None:
        """The call's hold stands by now: its capture fails, and so does the attempt that follows at once."""
        after.sandbox("misbehave", {"kind": "capture_expires", "operation": "payment_intents.capture"})
        after.sandbox("misbehave", {"kind": "decline", "operation": "payment_intents.confirm"})

    after.talk(trouble)
    after.until("owed", lambda: after.charge()["collection"])
    detail = after.until("tried", lambda: (one := after.charge())["collection"]["attempts"] == 1 and one)
    assert detail["row"]["state"] == "settling"
    customer.goto(f"{after.stack.url}/settings")
    pay = customer.get_by_test_id("pay-owed")
    expect(pay).to_contain_text(GROSS)
    after.open_charge()
    expect(after.desk.get_by_test_id("collection")).to_be_visible()
    pay.click()
    charge = after.captured()
    assert charge["row"]["gross_minor"] == sum(hold["captured_minor"] for hold in charge["holds"])
    expect(customer.get_by_test_id("pay-owed")).to_be_hidden(timeout=20_000)
    after.books_equal_stripe()


def _found(after: Afterwards, path: str) -> Any:
    try:
        return api(after.stack, "GET", path, after.token)
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return None
