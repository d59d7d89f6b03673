"""VAT in a browser: both sides state where they are taxed, and receipt, paper, file and mail say what follows."""

import email
import email.policy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.stack import Stack
from tests.e2e.steps import sign_in
from tests.e2e.test_axe import check, violations
from tests.e2e.test_cards import picture
from tests.e2e.test_story import Story, api, token_of
from tests.fakes.pdf_text import texts

PATH = "/api/me/billing-details"
AT_HOME = {"country": "DE", "vat_id": None, "small_business": False, "name": None, "address": None}


@pytest.fixture
def at_home_again(stack: Stack) -> Iterator[None]:
    """What other tests count on: both taxed in one country, as consumers."""
    yield
    for role in ("customer", "consultant"):
        api(stack, "PUT", PATH, token_of(stack, role), AT_HOME)


def state(page: Page, stack: Stack, country: str, number: str) -> None:
    """Fill in the form of the settings, as a person does."""
    page.goto(f"{stack.url}/settings")
    chosen = page.get_by_test_id("tax-country")
    chosen.click()
    chosen.fill(country)
    page.get_by_role("option", name=country, exact=True).click()
    page.get_by_test_id("tax-vat-id").fill(number)
    with page.expect_response(lambda reply: reply.url.endswith("/billing-details") and reply.request.method == "PUT"):
        page.get_by_test_id("tax-save").click()


def letter_about(folder: Path, reference: str) -> Any:
    """The mail that names this call; the worker lays it into the folder of mails."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for file in folder.glob("receipt-*.eml"):
            letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if reference in letter["Subject"]:
                return letter
        time.sleep(0.2)
    raise AssertionError("no mail came")


@pytest.mark.usefixtures("at_home_again")
def test_a_wrong_number_is_said_and_the_form_fits_a_phone(stack: Stack, window: Any) -> None:
    page = window("consultant").page
    sign_in(page, stack, "consultant")
    state(page, stack, "Germany", "DE136695977")
    expect(page.get_by_test_id("billing-details").get_by_role("alert")).to_contain_text("not a VAT number")
    check(page, "settings with a wrong VAT number")
    picture(page, "billing-details")
    page.get_by_test_id("tax-vat-id").fill("")
    page.get_by_test_id("tax-small").check()
    page.get_by_test_id("tax-save").click()
    expect(page.get_by_test_id("billing-details").get_by_role("alert")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("tax-small")).to_be_checked()
    assert violations(page) == []


@pytest.mark.usefixtures("at_home_again")
def test_two_businesses_of_two_countries_are_charged_in_reverse(stack: Stack, window: Any) -> None:
    story = Story(stack, window("customer").page, window("consultant").page)
    for role, country, number in (("consultant", "DE", "DE136695976"), ("customer", "FR", "FR40303265045")):
        stated = AT_HOME | {"country": country, "vat_id": number, "name": "A firm", "address": "A street 1\nA town"}
        api(stack, "PUT", PATH, token_of(stack, role), stated)
    story.connect()
    story.skip_to(605_000)
    while story.connected_ms() < 605_000:
        story.customer.wait_for_timeout(200)
    story.leave(story.customer)
    receipt = story.settled()
    assert (receipt["tax_mode"], receipt["vat_minor"], receipt["tax"]["reason"]) == ("reverse_charge", 0, "eu_business")
    for page in (story.customer, story.consultant):
        expect(page.get_by_test_id("receipt-vat")).to_contain_text("VAT (reverse charge)")
        expect(page.get_by_test_id("vat-reason")).to_contain_text("the customer owes the VAT")
        expect(page.get_by_test_id("vat-parties")).to_contain_text("FR40303265045")
        expect(page.get_by_test_id("vat-parties")).to_contain_text("A street 1")
        check(page, "a receipt in reverse charge")
    said = paper(story.customer)
    assert "Reverse charge: the customer owes the VAT (Art. 44, 196 Directive 2006/112/EC)." in said
    assert any("A firm ? A street 1 ? A town ? FR" in one for one in said)
    with story.customer.expect_download() as signed:
        story.customer.get_by_test_id("download-json").click()
    story.customer.goto(f"{stack.url}/verify")
    story.customer.get_by_test_id("verify-file").set_input_files(signed.value.path())
    expect(story.customer.locator("[data-testid=checks] > li[data-good=true]")).to_have_count(10)
    letter = letter_about(stack.mails, receipt["reference"])
    assert "Reverse charge: the customer owes the VAT" in letter.get_content()


def paper(page: Page) -> list[str]:
    with page.expect_download() as pdf:
        page.get_by_test_id("download-pdf").click()
    return texts(Path(pdf.value.path()).read_bytes())
