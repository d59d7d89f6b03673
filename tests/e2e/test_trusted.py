"""An admin changes the terms of new calls; a known customer talks first and is asked for the hold during the call."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from app.demo_people import LOGINS
from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.e2e.conftest import LIMITS, running
from tests.e2e.steps import sign_in
from tests.e2e.test_axe import check
from tests.e2e.test_cards import picture
from tests.e2e.test_story import Story, api, euros

PAID = (
    "INSERT INTO charge (id, call_id, reference, customer_id, consultant_id, created_at, currency, "
    "rate_minor_per_hour, policy, policy_version, threshold_ms, commission_bps, tax_mode, tax_rate_bps, "
    "snapshot_cap_minor, terms_version, consented_at, state, cap_minor, marked_ms, captured_minor) "
    "SELECT gen_random_uuid(), gen_random_uuid(), 'CC-' || n, account.id, gen_random_uuid(), "
    "now() - interval '30 days', 'eur', 9000, 'whole_call', '2026-1', 600000, 1500, 'inclusive', 1900, 4500, "
    "'2026-1', now() - interval '30 days', 'captured', 4500, 0, 1650 "
    "FROM account, generate_series(1, 3) n WHERE email = %s"
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own: what other tests do to the customer would cost them the trust."""
    data = tmp_path_factory.mktemp("trusted")
    settings = LIMITS | {"ENCODER_DIR": ""}  # nothing here is about meanings
    plan = Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=settings)
    with running(plan) as one:
        with psycopg.connect(one.env["DATABASE_URL"]) as database:
            assert database.execute(PAID, (LOGINS["customer"],)).rowcount == 3
        yield one


def both_languages(page: Page, name: str) -> None:
    """Checked and pictured in English and German; the account keeps the language, so it is given back."""
    for language in ("en", "de"):
        check(page, f"{name} {language}")
        picture(page, f"{name}-{language}")
        with page.expect_response(lambda reply: reply.url.endswith("/api/me") and reply.request.method == "PATCH"):
            page.locator("header button[lang]").click()


@pytest.mark.timeout(300)
def test_a_known_customer_talks_first_and_may_look_at_the_bill(house: Stack, window: Any) -> None:
    admin = window("admin").page
    sign_in(admin, house, "admin")
    admin.get_by_role("link", name="Terms", exact=True).click()
    expect(admin.get_by_test_id("terms-in-force")).to_have_attribute("data-version", "0")
    admin.get_by_test_id("late-hold").check()
    admin.get_by_test_id("review-minutes").fill("60")
    admin.get_by_test_id("terms-reason").fill("Tried with our regulars")
    admin.get_by_test_id("terms-save").click()
    expect(admin.get_by_test_id("terms-in-force")).to_have_attribute("data-version", "1")
    expect(admin.get_by_test_id("terms-versions")).to_contain_text("Tried with our regulars")
    both_languages(admin, "terms")

    customer, consultant = window("customer").page, window("consultant").page
    story = Story(house, customer, consultant)
    story.connect()
    expect(customer.get_by_test_id("late-hold")).to_contain_text("Nothing is reserved yet. At 8:00")
    expect(consultant.get_by_test_id("late-hold")).to_contain_text("asked at 8:00")
    assert story.meter()["held_minor"] == 0
    picture(customer, "late-hold")
    story.skip_to(585_000)
    expect(customer.get_by_test_id("late-hold")).to_have_count(0, timeout=10_000)
    assert story.meter()["late_hold"] == {"due_ms": 480_000, "state": "stands"}
    assert story.meter()["held_minor"] == story.meter()["cap_minor"]
    while story.connected_ms() < 601_000:
        customer.wait_for_timeout(300)
    story.leave(customer)
    sentence = customer.get_by_test_id("receipt-sentence")
    expect(sentence).to_contain_text(re.compile(r"will be charged on \d+ \w+ \d{4}"), timeout=20_000)
    receipt = api(house, "GET", f"/api/calls/{story.call_id}/receipt", story.customer_token)
    expect(sentence).to_contain_text(euros(receipt["gross_minor"]))
    expect(customer.get_by_test_id("review-wrong")).to_be_visible()
    expect(customer.get_by_test_id("problem-open")).to_be_visible()
    both_languages(customer, "review")
    assert [one["status"] for one in story.intents()] == ["requires_capture"]


def test_the_consent_of_a_known_customer_says_when_the_hold_comes(house: Stack, window: Any) -> None:
    page = window("customer").page
    sign_in(page, house, "customer")
    page.goto(f"{house.url}/ask")
    page.get_by_test_id("question-title").fill("Why is my PostgreSQL query slow since the update?")
    page.get_by_test_id("question-details").fill("It took a second and now it takes a minute.")
    page.get_by_test_id("post-question").click()
    page.get_by_test_id("ring-best").click()
    expect(page.get_by_test_id("hold-sentence")).to_contain_text("You are known to us")
    expect(page.get_by_text("is reserved on my card 8:00 into the call")).to_be_visible()
    both_languages(page, "consent-late")
