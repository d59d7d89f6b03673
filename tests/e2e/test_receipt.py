"""The receipt's proof in a browser: downloaded, checked on the page, and a changed cent named."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.test_axe import check
from tests.e2e.test_story import Story
from tests.fakes.receipts import FOLDER


def shown(page: Page, text: str, tmp_path: Path) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(text, encoding="utf-8")
    page.get_by_test_id("verify-file").set_input_files(file)


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_anyone_checks_a_receipt_without_an_account(stack: Stack, window: Any, tmp_path: Path, locale: str) -> None:
    page = window("anyone", locale=locale).page
    page.goto(f"{stack.url}/verify")
    check(page, "verify")
    text = (FOLDER / "paid-customer.json").read_text(encoding="utf-8")
    shown(page, text, tmp_path)
    expect(page.locator("[data-testid=checks] > li[data-good=true]")).to_have_count(10)
    expect(page.get_by_test_id("verify-key")).to_have_class("note warn")  # the examples are not signed by this house
    check(page, "a receipt that holds")

    changed = json.loads(text)
    changed["lines"][0]["amount_minor"] += 1
    shown(page, json.dumps(changed), tmp_path)
    wrong = page.locator("[data-check=lines] ul")
    sentence = "Line 1: the receipt says €9.31, worked out again €9.30."
    german = "Zeile 1: Der Beleg sagt 9,31\u00a0€, nachgerechnet 9,30\u00a0€."
    expect(wrong).to_have_text(german if locale == "de-DE" else sentence, use_inner_text=True)
    check(page, "a receipt that does not hold")


def test_what_is_pasted_is_checked_and_what_is_no_receipt_is_said(stack: Stack, window: Any) -> None:
    page = window("anyone").page
    page.goto(f"{stack.url}/verify")
    page.locator("summary").click()
    page.get_by_test_id("verify-text").fill("this is no receipt")
    page.get_by_test_id("verify-go").click()
    expect(page.locator("[data-check=form][data-good=false]")).to_be_visible()


def test_from_the_call_to_a_receipt_that_checks_out(stack: Stack, window: Any, tmp_path: Path) -> None:
    story = Story(stack, window("customer").page, window("consultant").page)
    story.connect()
    story.skip_to(605_000)
    while story.connected_ms() < 605_000:
        story.customer.wait_for_timeout(200)
    story.leave(story.customer)
    receipt = story.settled()
    for page, role in ((story.customer, "customer"), (story.consultant, "consultant")):
        expect(page.get_by_test_id("seal")).to_contain_text(f"{receipt['evidence']['entries']}")
        expect(page.get_by_test_id("receipt-invoice")).to_have_text(receipt["invoice_number"])
        check(page, f"sealed receipt of the {role}")
        with page.expect_download() as pdf:
            page.get_by_test_id("download-pdf").click()
        assert pdf.value.suggested_filename == f"{receipt['reference']}.pdf"
        assert Path(pdf.value.path()).read_bytes().startswith(b"%PDF-")
        with page.expect_download() as signed:
            page.get_by_test_id("download-json").click()
        text = Path(signed.value.path()).read_text(encoding="utf-8")
        assert json.loads(text)["role"] == role
        page.get_by_test_id("proof").get_by_role("link").click()
        shown(page, text, tmp_path)
        expect(page.locator("[data-testid=checks] > li[data-good=true]")).to_have_count(10)
        expect(page.get_by_test_id("verify-key")).to_have_text("It is signed with a key this site publishes.")
