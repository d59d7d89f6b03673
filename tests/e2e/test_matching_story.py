"""From the question to the matches: refined while typed, with a file; why, why not, side by side, narrowed down."""

import json
import re
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.demo_people import CONSULTANTS, PASSWORD
from app.stack import Stack
from tests.e2e.conftest import RESULTS
from tests.e2e.steps import go_online, sign_in
from tests.e2e.test_axe import check

HERE = ("Anna Albrecht", "Ben Okafor", "Chiara Conti", "David Dürr", "Elena Egli", "Farid Farahani", "Hiro Hayashi")
AWAY = "Grace Greene"
HEARTBEAT_S = 8.0  # a consultant nobody hears of for 30 s is offline
TITLE = "Python service reads slowly from its data since the update"


def ask(stack: Stack, path: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(stack.url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def online(stack: Stack, names: tuple[str, ...]) -> Iterator[None]:
    """These consultants are online for as long as the block lasts, as if each had a tab open."""
    emails = [one.email for one in CONSULTANTS if one.name in names]
    tokens = [ask(stack, "/api/auth/login", {"email": email, "password": PASSWORD})["access_token"] for email in emails]

    def switch(on: bool) -> None:
        for token in tokens:
            ask(stack, "/api/consultant/online", {"online": on}, token)

    over = threading.Event()

    def stay() -> None:
        while not over.wait(HEARTBEAT_S):
            switch(True)

    switch(True)
    staying = threading.Thread(target=stay, daemon=True)
    staying.start()
    try:
        yield
    finally:
        over.set()
        staying.join()
        switch(False)


def picture(page: Page, name: str) -> None:
    folder = RESULTS / "matching"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def points(text: str) -> float:
    return float(text.replace("\u2212", "-").replace(",", ".").replace("+", ""))


@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("de-DE", 360)])
def test_from_a_question_to_the_right_person(
    stack: Stack, window: Any, tmp_path: Path, locale: str, width: int
) -> None:
    page = window("customer", locale=locale, width=width).page
    sign_in(page, stack, "customer")
    # Of this browser only: the account, which other tests share, keeps its own language.
    page.evaluate("language => localStorage.setItem('locale', language)", locale[:2])
    log = tmp_path / "server log.txt"
    log.write_text("ERROR: canceling statement due to statement timeout\n")
    with online(stack, HERE):
        write(page, stack, log)
        picture(page, f"ask-{locale}")
        check(page, "ask")
        page.set_viewport_size({"width": width, "height": 800})
        page.get_by_test_id("post-question").click()
        expect(page.get_by_test_id("ring-best")).to_be_visible()
        why(page)
        picture(page, f"matches-{locale}")
        why_not(page)
        compare(page)
        picture(page, f"compare-{locale}")
        narrow(page)
        check(page, "matches")
    page.get_by_role(
        "button", name=re.compile("Withdraw|zurückziehen")
    ).click()  # nothing is left open for the next test
    expect(page).to_have_url(re.compile(r"/ask$"))


def write(page: Page, stack: Stack, log: Path) -> None:
    page.goto(f"{stack.url}/ask")
    page.get_by_test_id("question-title").fill(TITLE)
    refining = page.get_by_test_id("refining")
    expect(refining).to_be_visible()
    chosen = refining.locator("button").first
    topic = chosen.inner_text()
    chosen.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("typing-told")).to_contain_text(topic)
    page.get_by_test_id("attach").set_input_files([log])
    expect(page.get_by_test_id("file")).to_contain_text("server log.txt")
    page.get_by_test_id("attach").set_input_files({"name": "page.html", "mimeType": "text/html", "buffer": b"<p>"})
    expect(page.get_by_test_id("file-complaint")).to_contain_text("page.html")


def why(page: Page) -> None:
    """The points that are shown add up to the score that is shown."""
    expect(page.get_by_test_id("own-files").get_by_test_id("file")).to_contain_text("server log.txt")
    first = page.get_by_test_id("why").first
    first.locator("summary").first.click()
    expect(first.get_by_test_id("reasons").or_(first.get_by_test_id("concerns")).first).to_be_visible()
    shown = [points(text) for text in first.locator(".bar-line:not(.sum) dd.right").all_inner_texts()]
    assert len(shown) >= 7
    assert round(sum(shown), 2) == points(first.get_by_test_id("score-sum").inner_text())


def why_not(page: Page) -> None:
    """Somebody behind the last one shown, with the difference; somebody who is not there, without a word more."""
    page.locator("[data-testid^=why-not-]:not([data-testid=why-not-who])").first.click()
    because = page.get_by_test_id("because")
    rows = because.locator("tbody td:last-child")
    expect(rows.first).to_be_visible()
    total = points(because.get_by_test_id("gap-sum").inner_text())
    assert round(sum(points(text) for text in rows.all_inner_texts()), 2) == total <= 0
    picture(page, f"why-not-{page.evaluate('() => document.documentElement.lang')}")
    who = page.get_by_test_id("why-not-who")
    who.fill(AWAY)
    page.get_by_role("option", name=AWAY).click()
    expect(because).to_contain_text(re.compile("cannot be rung|nicht erreichbar"))


def compare(page: Page) -> None:
    boxes = page.locator("input[data-testid^=compare-]")
    for n in range(3):
        boxes.nth(n).check()
    table = page.get_by_test_id("compare").locator("table")
    expect(table.locator("thead th[scope=col]")).to_have_count(4)
    expect(boxes.nth(3)).to_be_disabled()


def narrow(page: Page) -> None:
    """A language nobody but Hiro speaks is not on the list of choices; a low price leaves nobody."""
    filters = page.get_by_test_id("filters")
    filters.locator("summary").click()
    page.get_by_test_id("filter-price").fill("0.10")
    page.get_by_test_id("filter-price").press("Enter")
    expect(page.get_by_test_id("ring-best")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("filter-price")).to_have_value(re.compile("^0[.,]10$"))
    page.get_by_test_id("filter-clear").click()
    expect(page.get_by_test_id("ring-best")).to_be_visible()


def test_the_consultant_reads_the_file_while_it_rings_and_sees_their_rings(
    stack: Stack, window: Any, tmp_path: Path
) -> None:
    customer, consultant = window("customer").page, window("consultant").page
    log = tmp_path / "plan.txt"
    log.write_text("Seq Scan on orders\n")
    go_online(consultant, stack)
    expect(consultant.get_by_test_id("fairness")).to_be_visible()
    rings = int(consultant.get_by_test_id("rings-received").inner_text())
    sign_in(customer, stack, "customer")
    customer.goto(f"{stack.url}/ask")
    customer.get_by_test_id("question-title").fill("Which index does this slow PostgreSQL query plan want?")
    customer.get_by_test_id("attach").set_input_files([log])
    customer.get_by_test_id("post-question").click()
    customer.get_by_test_id("ring-best").click()
    customer.get_by_test_id("consent").check()
    customer.get_by_test_id("ring-now").click()
    ring = consultant.get_by_test_id("ring")
    expect(ring.get_by_test_id("files-of-question")).to_contain_text("plan.txt")
    picture(consultant, "ring")
    with consultant.expect_download() as got:
        ring.get_by_test_id("files-of-question").get_by_role("button").click()
    assert got.value.suggested_filename == "plan.txt"
    assert Path(got.value.path()).read_text() == log.read_text()
    consultant.get_by_test_id("decline-offer").click()
    expect(ring).to_have_count(0)
    customer.get_by_test_id("cancel-request").click()  # nobody is left to answer, and others ring after us
    expect(customer.get_by_test_id("cancel-request")).to_have_count(0)
    consultant.reload()
    expect(consultant.get_by_test_id("rings-received")).to_have_text(str(rings + 1))
    picture(consultant, "fairness")
    check(consultant, "home with its rings")
