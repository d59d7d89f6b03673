"""The finance console, worked as finance works it: the list by keyboard, views, files, four eyes, holds, a month."""

import asyncio
import csv
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from app.demo_people import CONSULTANTS, LOGINS, PASSWORD, STAFF_NAMES
from app.embedded.postgres import free_port
from app.stack import Plan, Stack
from tests.e2e.conftest import LIMITS, Window, running
from tests.e2e.steps import sign_in
from tests.e2e.test_story import api, token_of
from tests.fakes.caller import Caller
from tests.fakes.paid_call import PaidCall
from tests.fakes.pdf_text import texts

CALLS_MS = (660_000, 0, 720_000)  # two that are paid, and between them one that is free
LIMIT_MINOR = 500  # above it, two people


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own, with three calls, a low limit, and an administrator who may also act for finance."""
    settings = LIMITS | {"ENCODER_DIR": "", "APPROVAL_ABOVE_MINOR": str(LIMIT_MINOR)}
    data = tmp_path_factory.mktemp("console")
    plan = Plan(data=data, port=free_port(), environment="test", robot=False, throwaway=True, settings=settings)
    with running(plan) as one:
        with psycopg.connect(one.env["DATABASE_URL"]) as database:
            granted = "UPDATE account SET roles = roles || '{finance}' WHERE email = %s"
            assert database.execute(granted, (LOGINS["admin"],)).rowcount == 1
        with ThreadPoolExecutor(1) as other:  # the browsers' driver has a loop of its own in this thread
            other.submit(asyncio.run, _calls(one)).result()
        yield one


async def _calls(stack: Stack) -> None:
    async with (
        Caller(stack.url, LOGINS["customer"], PASSWORD) as customer,
        Caller(stack.url, LOGINS["consultant"], PASSWORD) as consultant,
    ):
        for connected_ms in CALLS_MS:
            paid = PaidCall(stack, customer, consultant)
            await paid.connect()
            if connected_ms:
                await paid.skip_to(connected_ms)
            await paid.leave()
            await paid.settled()


def charges(stack: Stack) -> list[dict[str, Any]]:
    """What the server lists, newest first."""
    return list(api(stack, "GET", "/api/finance/charges", token_of(stack, "finance"))["items"])


def euros(minor: int) -> str:
    return f"€{minor // 100}.{minor % 100:02d}"


def desk(window: Callable[..., Window], stack: Stack, role: str) -> Page:
    page = window(role).page
    sign_in(page, stack, role)
    return page


def test_the_list_is_worked_by_keyboard_summed_and_opened_to_its_proof(
    house: Stack, window: Callable[..., Window]
) -> None:
    first, second, _ = charges(house)
    page = desk(window, house, "finance")
    page.goto(f"{house.url}/finance/charges")
    links = page.locator("table.charges a.row-link")
    expect(links).to_have_count(len(CALLS_MS))
    links.nth(0).focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("Space")
    sums = page.get_by_test_id("ticked-totals")
    expect(sums).to_contain_text(f"1 charge: {euros(second['gross_minor'])} gross")
    page.keyboard.press("ArrowUp")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("Space")
    both = [first[f"{name}_minor"] + second[f"{name}_minor"] for name in ("gross", "commission", "net")]
    gross, commission, net = map(euros, both)
    expect(sums).to_contain_text(f"2 charges: {gross} gross, {commission} commission, {net} net")
    page.keyboard.press("Space")
    expect(sums).to_contain_text("1 charge:")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/finance/charges/{first['charge_id']}")
    proof = page.get_by_test_id("recomputed")
    with page.expect_response(re.compile(f"/api/finance/charges/{first['charge_id']}$")) as asked:
        page.get_by_test_id("recompute").click()
    assert asked.value.json()["recomputed"] == {"gross_minor": first["gross_minor"], "matches": True}
    expect(proof).to_contain_text(f"{euros(first['gross_minor'])}, equal to what is booked")


def test_a_view_is_kept_and_both_files_equal_what_it_shows(house: Stack, window: Callable[..., Window]) -> None:
    page = desk(window, house, "finance")
    page.goto(f"{house.url}/finance/charges")
    page.get_by_test_id("filter-state").click()
    page.get_by_role("option", name="captured", exact=True).click()
    rows = page.locator("table.charges tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_text("Saved views (0)").click()
    page.get_by_test_id("view-name").fill("Taken")
    page.get_by_test_id("view-keep").click()
    expect(page.get_by_text("Saved views (1)")).to_be_visible()
    page.goto(f"{house.url}/finance/charges")
    expect(rows).to_have_count(len(CALLS_MS))
    page.get_by_text("Saved views (1)").click()
    page.get_by_role("link", name="Taken").click()
    expect(rows).to_have_count(2)
    expect(page).to_have_url(re.compile("state=captured"))
    shown = [_shown(row) for row in rows.all()]
    with page.expect_download() as saved:
        page.get_by_test_id("csv").click()
    lines = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig"))))
    names = ("reference", "customer", "consultant", "gross", "commission", "net")
    assert [[line[name] for name in names] for line in lines] == shown
    with page.expect_download() as saved:
        page.get_by_test_id("pdf").click()
    written = texts(Path(saved.value.path()).read_bytes())
    for reference, *people, gross, commission, net in shown:
        begin = written.index(reference)
        line = written[begin : begin + 11]
        assert set(people) <= set(line)
        assert line[7:10] == [f"{gross} EUR", commission, net]
    assert sum(text.startswith("CC-") for text in written) == len(shown)


def _shown(row: Locator) -> list[str]:
    """Reference, the two sides, and the three amounts of a line of the table, without their currency."""
    cells = row.locator("td").all_inner_texts()
    return [cells[1], cells[3], cells[4], *(amount.removeprefix("€") for amount in cells[7:10])]


def test_two_people_decide_an_account_is_held_a_month_is_closed_and_all_of_it_is_on_record(
    house: Stack, window: Callable[..., Window]
) -> None:
    fiona, adam = desk(window, house, "finance"), desk(window, house, "admin")
    charge = charges(house)[0]
    fiona.goto(f"{house.url}/finance/charges/{charge['charge_id']}")
    fiona.get_by_test_id("refund-amount").fill("5.01")
    fiona.get_by_test_id("refund-reason").click()
    fiona.get_by_role("option").first.click()
    fiona.get_by_test_id("refund-confirm").click()
    expect(fiona.get_by_test_id("refund-state")).to_have_text("waits for a second person")
    fiona.goto(f"{house.url}/finance/approvals")
    expect(fiona.get_by_test_id("approval")).to_contain_text("somebody else must decide")
    expect(fiona.get_by_test_id("approve")).to_have_count(0)
    _agree(house, adam)
    fiona.goto(f"{house.url}/finance/charges/{charge['charge_id']}")
    expect(fiona.get_by_test_id("refund-state")).to_contain_text("done", timeout=20_000)

    fiona.goto(f"{house.url}/finance/accounts")
    card = fiona.get_by_test_id("account").filter(has_text=CONSULTANTS[0].name)
    card.locator("summary").click()
    card.get_by_test_id("hold-why").fill("The bank asks who this is")
    card.get_by_test_id("hold").click()
    expect(card).to_contain_text("The bank asks who this is")
    card.get_by_test_id("hold-why").fill("They answered")
    card.get_by_test_id("release").click()
    expect(card).to_contain_text("A release waits for a second person.")
    _agree(house, adam)
    fiona.reload()
    expect(card.locator("summary")).to_be_visible()  # it can be held again: it is held no more
    expect(card).not_to_contain_text("The bank asks who this is")

    fiona.goto(f"{house.url}/finance/months")
    month = fiona.locator("[data-testid^=month-]").last
    name = month.get_by_role("heading").inner_text()
    with fiona.expect_download() as journal:
        fiona.get_by_test_id("journal").first.click()
    assert len(Path(journal.value.path()).read_text("utf-8-sig").splitlines()) > len(CALLS_MS)
    month.get_by_test_id("close-month").click()
    month.get_by_test_id("close-month-confirm").click()
    closed = fiona.locator("[data-testid^=month-]").filter(has_text=name)
    expect(closed).to_contain_text(re.compile(r"Closed \d"))
    expect(closed.get_by_test_id("close-month")).to_have_count(0)

    fiona.goto(f"{house.url}/finance/audit")
    done = [
        ("finance", "Asked a second person for a refund"),
        ("admin", "Refund approved"),
        ("finance", "Account held"),
        ("finance", "Asked a second person for a release"),
        ("admin", "Release approved"),
        ("finance", "Month closed"),
    ]
    for role, what in done:
        row = fiona.get_by_test_id("audit-row").filter(has_text=what)
        expect(row).to_have_count(1)
        expect(row).to_contain_text(STAFF_NAMES[role])


def _agree(stack: Stack, second: Page) -> None:
    second.goto(f"{stack.url}/finance/approvals")
    second.get_by_test_id("approve").click()
    second.get_by_test_id("approve-confirm").click()
    expect(second.get_by_test_id("approval")).to_have_count(0)
