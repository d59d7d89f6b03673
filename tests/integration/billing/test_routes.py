"""The routes of money on the whole house: card, webhook, finance, receipt, each as the browser sees it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from app.wiring import build, close
from billing.problems.rules import Category
from billing.proof.verifier import verify
from billing.proof.words import report
from core.clock import FakeClock
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId, new_id
from core.settings import Settings
from matching.events import OfferAccepted, PromiseMissed
from media.events import IntervalClosed, IntervalOpened, SessionClosed
from people.origin import Origin
from people.roles import Role
from tests.fakes.sandbox import RunningSandbox, in_process
from tests.integration.billing.room import Room
from tests.integration.web.visitor import log_in, register
from web.application import build_application
from web.context import House

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[..., Awaitable[Client]]


class Scene:
    """A client, a house and the sandbox behind it."""

    def __init__(self, client: Client, house: House, sandbox: RunningSandbox) -> None:
        self.client, self.house, self.sandbox = client, house, sandbox

    async def ask(self, method: str, path: str, who: dict[str, str], body: Any = None) -> Any:
        async with self.client.request(method, path, headers=who, json=body) as answer:
            assert answer.ok, f"{answer.status} {await answer.text()}"
            return await answer.json() if answer.content_type == "application/json" else await answer.text()

    async def user(self, who: dict[str, str]) -> UserId:
        return UserId(UUID((await self.ask("GET", "/api/me", who))["id"]))

    async def work(self) -> None:
        room = Room.__new__(Room)  # the same worker loop, on this house
        room.db, room.jobs, room.meter, room.charges = (
            self.house.db,
            self.house.jobs,
            self.house.meter,
            self.house.charges,
        )
        room.collection, room.money, room.rescues = self.house.collection, self.house.payouts, self.house.rescues
        await room.work()


@pytest.fixture
async def scene(settings: Settings, clock: FakeClock, aiohttp_client: MakeClient) -> AsyncIterator[Scene]:
    async with in_process() as sandbox:
        given = {
            "stripe_api_base": sandbox.url,
            "stripe_public_base": sandbox.url,
            "stripe_webhook_secret": sandbox.webhook_secret,
        }
        house = build(settings.model_copy(update=given), clock=clock, bcrypt_cost=4)
        async with house.jobs.app.open_async():
            yield Scene(await aiohttp_client(build_application(house)), house, sandbox)
        await close(house)


async def test_from_the_card_to_the_receipt_and_the_books(scene: Scene) -> None:
    customer, consultant = await _people(scene)
    setup = await scene.ask("POST", "/api/payment/setup", customer, {})
    assert setup["form_url"].startswith(scene.sandbox.url)
    await scene.sandbox.save_card(setup["setup_intent_id"], setup["client_secret"])
    saved = await scene.ask("POST", f"/api/payment/setup/{setup['setup_intent_id']}/complete", customer, {})
    assert [(card["last4"], card["default"]) for card in saved["items"]] == [("4242", True)]
    assert await scene.ask("GET", "/api/payment/cards", customer) == saved
    account = await scene.ask("POST", "/api/consultant/payout-account", consultant, {"country": "DE"})
    await scene.sandbox.onboard(account["onboarding_url"])
    assert (await scene.ask("GET", "/api/consultant/payout-account", consultant))["can_receive"]

    call = await _call(scene, customer, consultant)
    receipt = await scene.ask("GET", f"/api/calls/{call}/receipt", customer)
    assert (receipt["gross_minor"], receipt["state"], receipt["question_title"]) == (
        1_650,
        "captured",
        "Why is it slow",
    )
    assert {"from", "to", "kind", "amount_minor"} <= set(receipt["lines"][0])
    await _finance(scene, receipt)
    earned = await scene.ask("GET", "/api/consultant/earnings", consultant)
    assert earned["items"][0]["net_minor"] == 1_402
    [card] = saved["items"]
    left = await scene.ask("DELETE", f"/api/payment/cards/{card['payment_method_id']}", customer)
    assert left == await scene.ask("GET", "/api/payment/cards", customer) == {"items": []}


async def test_a_forged_webhook_is_refused_and_nobody_else_reads_finance(scene: Scene) -> None:
    async with scene.client.post("/webhooks/stripe", data=b"{}", headers={"Stripe-Signature": "t=1,v1=0"}) as answer:
        assert answer.status == 422
    customer, _ = await _people(scene)
    async with scene.client.get("/api/finance/charges", headers=customer) as answer:
        assert answer.status == 403
    async with scene.client.post("/api/payment/setup/seti_1/complete", headers=customer, json={}) as answer:
        assert answer.status == 404


async def test_the_sealed_receipt_is_for_both_sides_checks_out_and_prints(scene: Scene) -> None:
    customer, consultant = await _people(scene)
    setup = await scene.ask("POST", "/api/payment/setup", customer, {})
    await scene.sandbox.save_card(setup["setup_intent_id"], setup["client_secret"])
    await scene.ask("POST", f"/api/payment/setup/{setup['setup_intent_id']}/complete", customer, {})
    account = await scene.ask("POST", "/api/consultant/payout-account", consultant, {"country": "DE"})
    await scene.sandbox.onboard(account["onboarding_url"])
    await scene.ask("GET", "/api/consultant/payout-account", consultant)
    await scene.ask("PATCH", "/api/me", consultant, {"display_name": "Ben"})
    call = await _call(scene, customer, consultant)
    keys = (await scene.ask("GET", "/api/receipt-keys", {}))["keys"]
    shown = await scene.ask("GET", f"/api/calls/{call}/receipt", customer)
    assert shown["evidence"]["broken_at"] is None
    assert (shown["vat_minor"], shown["net_of_vat_minor"]) == (263, 1_387)
    for who, role, hidden in ((customer, "customer", 0), (consultant, "consultant", 2)):
        async with scene.client.get(f"/api/calls/{call}/receipt.json", headers=who) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{shown["reference"]}.json"'
            document, checks = verify(await answer.text(), keys[0]["x"])
        assert all(check.holds for check in checks), report(document, checks)
        assert (document["role"], document["invoice"]["number"]) == (role, shown["invoice_number"])
        assert document["parties"] == {"customer": "Anna", "consultant": "Ben"}
        assert document["chain_hash"] == shown["evidence"]["last_hash"]
        assert (document["totals"]["share_minor"] == 1_402) == (role == "consultant")
        assert sum(entry["body"] is None for entry in document["chain"]["entries"]) == hidden
        async with scene.client.get(f"/api/calls/{call}/receipt.pdf", headers=who) as answer:
            assert (answer.status, answer.content_type) == (200, "application/pdf")
            assert (await answer.read()).startswith(b"%PDF-1.")


async def test_a_receipt_says_what_was_given_back_and_paid_in_the_end(scene: Scene) -> None:
    customer, consultant = await _people(scene)
    await _equip(scene, customer, consultant)
    call = await _call(scene, customer, consultant)
    before = await scene.ask("GET", f"/api/calls/{call}/receipt", customer)
    assert (before["given_back"], before["paid_minor"]) == ([], 1_650)
    async with scene.house.db.begin() as tx:
        problem = await scene.house.problems.say(
            tx, await scene.user(customer), CallId(call), Category.QUALITY, "The picture froze."
        )
    async with scene.house.db.begin() as tx:
        decided = {"decision": "A part goes back.", "refund_minor": 660, "reason": "quality"}
        await scene.house.problems.decide(tx, problem.id, UserId(new_id()), **decided)  # type: ignore[arg-type]
    on_its_way = await scene.ask("GET", f"/api/calls/{call}/receipt", customer)
    assert [(one["amount_minor"], one["at"]) for one in on_its_way["given_back"]] == [(660, None)]
    await scene.work()
    for who in (customer, consultant):
        receipt = await scene.ask("GET", f"/api/calls/{call}/receipt", who)
        [back] = receipt["given_back"]
        assert (back["by"], back["amount_minor"], back["share_minor"]) == ("refund", 660, 561)
        assert back["at"] is not None
        assert back["credit_note"].endswith("-000002")
        assert (receipt["gross_minor"], receipt["paid_minor"]) == (1_650, 990)
    text = await scene.ask("GET", f"/api/consultant/statement.csv?month={scene.house.clock.now():%Y-%m}", consultant)
    assert "8.41" in text.splitlines()[-1]


async def test_a_credit_is_told_to_the_customer_and_to_finance_and_changes_nothing_for_the_consultant(
    scene: Scene,
) -> None:
    customer, consultant = await _people(scene)
    await _equip(scene, customer, consultant)
    async with scene.house.db.begin() as tx:
        question = QuestionId(new_id())
        await tx.publish(PromiseMissed(RequestId(new_id()), question, await scene.user(customer), 200, "eur"))
    spending = await scene.ask("GET", "/api/me/spending", customer)
    assert spending["open_credits"] == [{"currency": "eur", "amount_minor": 200}]
    call = await _call(scene, customer, consultant)
    shown = await scene.ask("GET", f"/api/calls/{call}/receipt", customer)
    [back] = shown["given_back"]
    assert (back["by"], back["amount_minor"], back["share_minor"], shown["paid_minor"]) == ("credit", 200, 0, 1_450)
    spending = await scene.ask("GET", "/api/me/spending", customer)
    assert spending["open_credits"] == []
    assert [(one["paid_minor"], one["refunded_minor"], one["credited_minor"]) for one in spending["totals"]] == [
        (1_650, 0, 200)
    ]
    [bill] = (await scene.ask("GET", "/api/calls", customer))["bills"]
    assert bill["refunded_minor"] == 200
    theirs = await scene.ask("GET", f"/api/calls/{call}/receipt", consultant)
    assert (theirs["given_back"], theirs["paid_minor"], theirs["net_minor"]) == ([], 1_650, 1_402)
    earned = await scene.ask("GET", "/api/consultant/earnings", consultant)
    assert (earned["open_credits"], earned["totals"][0]["credited_minor"]) == ([], 0)
    for who, version in ((customer, 3), (consultant, 2)):
        async with scene.client.get(f"/api/calls/{call}/receipt.json", headers=who) as answer:
            document, checks = verify(await answer.text())
        assert all(check.holds for check in checks), report(document, checks)
        assert document["version"] == version
        assert [one["amount_minor"] for one in document.get("credits", [])] == ([200] if version == 3 else [])
        told = any("credit" in (entry["body"] or "") for entry in document["chain"]["entries"])
        assert told == (version == 3)
        async with scene.client.get(f"/api/calls/{call}/receipt.pdf", headers=who) as answer:
            assert (await answer.read()).startswith(b"%PDF-1.")
    await _finance(scene, shown)
    finance = await log_in(scene.client, "finn@example.com")
    [row] = (await scene.ask("GET", "/api/finance/charges", finance))["items"]
    assert (row["refunded_minor"], row["credited_minor"]) == (0, 200)
    detail = await scene.ask("GET", f"/api/finance/charges/{row['charge_id']}", finance)
    [refund] = detail["refunds"]
    assert (refund["reason"], refund["credit_id"] is not None, refund["state"]) == ("missed_promise", True, "done")
    moved = {(one["source"], one["destination"]) for each in detail["transactions"] for one in each["postings"]}
    assert "platform:credits" in {destination for _, destination in moved}


async def _equip(scene: Scene, customer: dict[str, str], consultant: dict[str, str]) -> None:
    setup = await scene.ask("POST", "/api/payment/setup", customer, {})
    await scene.sandbox.save_card(setup["setup_intent_id"], setup["client_secret"])
    await scene.ask("POST", f"/api/payment/setup/{setup['setup_intent_id']}/complete", customer, {})
    account = await scene.ask("POST", "/api/consultant/payout-account", consultant, {"country": "DE"})
    await scene.sandbox.onboard(account["onboarding_url"])
    await scene.ask("GET", "/api/consultant/payout-account", consultant)


async def _people(scene: Scene) -> tuple[dict[str, str], dict[str, str]]:
    await register(scene.client, "anna@example.com", "customer")
    await register(scene.client, "ben@example.com", "consultant")
    return await log_in(scene.client, "anna@example.com"), await log_in(scene.client, "ben@example.com")


async def _call(scene: Scene, customer: dict[str, str], consultant: dict[str, str]) -> UUID:
    asked = {"title": "Why is it slow", "details": "", "tags": [], "language": "en"}
    question = await scene.ask("POST", "/api/questions", customer, asked)
    call, house = CallId(new_id()), scene.house
    accepted = OfferAccepted(
        request_id=RequestId(new_id()),
        offer_id=OfferId(new_id()),
        question_id=QuestionId(UUID(question["id"])),
        call_id=call,
        customer_id=await scene.user(customer),
        consultant_id=await scene.user(consultant),
        rate_minor_per_hour=9_000,
        max_rate_minor_per_hour=9_000,
        currency="eur",
        cap_minor=4_500,
        terms_version="2026-01",
        consented_at_iso=house.clock.now().isoformat(),
    )
    async with house.db.begin() as tx:
        await house.calls.on_offer_accepted(tx, accepted)
    await scene.work()
    meter = await scene.ask("GET", f"/api/calls/{call}/meter", customer)
    assert (meter["charge_state"], meter["held_minor"]) == ("metering", 4_500)
    started = house.clock.now()
    async with house.db.begin() as tx:
        await house.meter.on_interval_opened(tx, IntervalOpened(call, 0, started))
        await house.meter.on_interval_closed(tx, IntervalClosed(call, 0, started, 660_000, "ended"))
        await house.charges.on_session_closed(tx, SessionClosed(call))
    await scene.work()
    return call


async def _finance(scene: Scene, receipt: dict[str, Any]) -> None:
    await register(scene.client, "finn@example.com", "customer")
    async with scene.house.db.begin() as tx:
        await scene.house.accounts.set_role(
            tx, "finn@example.com", Role.FINANCE, granted=True, origin=Origin(None, None)
        )
    finance = await log_in(scene.client, "finn@example.com")
    listed = await scene.ask("GET", f"/api/finance/charges?q={receipt['reference']}&min_minor=1&free=false", finance)
    assert [row["gross_minor"] for row in listed["items"]] == [1_650]
    assert listed["items"][0]["customer_name"] == "Anna"
    detail = await scene.ask("GET", f"/api/finance/charges/{listed['items'][0]['charge_id']}", finance)
    assert detail["recomputed"] == {"gross_minor": 1_650, "matches": True}
    assert detail["snapshot"]["commission_bps"] == 1_500
    nothing = await scene.ask("GET", "/api/finance/charges?from=2030-01-01&to=2030-02-01", finance)
    assert nothing["items"] == []
    text = await scene.ask("GET", "/api/finance/charges.csv", finance)
    assert "16.50" in text
    overview = await scene.ask("GET", "/api/finance/overview", finance)
    assert overview["currencies"][0]["difference_minor"] == 0
