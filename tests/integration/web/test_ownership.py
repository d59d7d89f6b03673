"""The authorization matrix (S1), second half: what is not one's own does not exist, whatever one's role."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from billing.events import PayoutAccountChanged
from billing.models import CardSetupRow, ChargeRow, CustomerPaymentRow, PayoutAccountRow, SavedCardRow
from billing.payouts.models import PayoutRow
from core.ids import UserId
from core.money import Currency
from matching.dispatch.requests import Wish
from matching.models import AttachmentRow
from people.consents import CURRENT, Document
from people.profiles import ProfileDraft
from people.roles import Role
from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import Client, staff
from web.application import build_application
from web.context import House
from web.routing import Access, Route, collect

OWNED = [row for row in collect() if row.owned is not None]
KEY = str(uuid4())
CONTENT = b"ERROR: out of memory"
# A body that passes the schema, so that the answer speaks of ownership and of nothing else.
BODIES: dict[str, Any] = {
    "/api/calls/{call_id}/demo/skip": {"to_connected_ms": 1000},
    "/api/calls/{call_id}/extend": {"idempotency_key": KEY},
    "/api/calls/{call_id}/pause": {"action": "propose"},
    "/api/calls/{call_id}/problem": {"category": "quality", "words": "The picture froze."},
    "/api/calls/{call_id}/problem/reply": {"words": "It was the train."},
    "/api/calls/{call_id}/recording": {"consent": True},
    "/api/calls/{call_id}/rating": {"stars": 5},
    "/api/me/owed/{charge_id}/pay": {"idempotency_key": KEY},
    "/api/offers/{offer_id}/decline": {"reason": "busy"},
    "/api/questions/{question_id}": {"title": "Another title for it"},
    "/api/questions/{question_id}/why-not": {"consultant_id": KEY},
}
# The last to be asked for, because they end what the others need.
ENDING = ("/leave", "/withdraw", "/cancel", "/decline", "/block")


@dataclass(frozen=True)
class Scene:
    """A customer and a consultant in a call, two strangers beside them, and what belongs to whom."""

    client: Client
    customer: dict[str, str]
    consultant: dict[str, str]
    other_customer: dict[str, str]
    other_consultant: dict[str, str]
    things: dict[str, str]

    def owner(self, row: Route) -> dict[str, str]:
        return self.consultant if Access.CONSULTANT in row.access else self.customer

    async def ask(self, row: Route, headers: dict[str, str], thing: str) -> tuple[int, str]:
        before, _, rest = row.path.partition("{")
        path = before + thing + rest.partition("}")[2]
        body = {} if row.body is None else {"json": BODIES.get(row.path, {})}
        async with self.client.request(row.method, path, headers=headers, **body) as answer:
            return answer.status, await answer.text()


async def person(house: House, name: str, role: Role) -> tuple[UserId, dict[str, str]]:
    return await staff(house, role, email=f"{name}@example.com", name=name)


async def go_online(house: House, user: UserId) -> None:
    draft = ProfileDraft(
        headline="Tax law",
        biography="Twenty years of it.",
        tags=("tax law",),
        rate_minor_per_hour=9_000,
        currency="eur",
        languages=("en",),
        time_zone="Europe/Berlin",
    )
    async with house.db.begin() as tx:
        await house.profiles.put(tx, user, draft)
        await tx.publish(PayoutAccountChanged(user, can_receive=True))
        await house.presence.set_online(tx, user, online=True)


async def equip(house: House, customer: UserId, consultant: UserId) -> str:
    """A saved card and a payout account, as they stand after both were set up at the provider."""
    setup = f"seti_{uuid4().hex}"
    async with house.db.begin() as tx:
        card = SavedCardRow(payment_method_id="pm_1", user_id=customer, brand="visa", last4="4242", added_at=tx.now)
        card.exp_month, card.exp_year = 12, 2099
        tx.session.add(card)
        await tx.session.flush()  # the default refers to it
        payer = CustomerPaymentRow(user_id=customer, updated_at=tx.now, provider_customer_id="cus_1")
        payer.payment_method_id = card.payment_method_id
        account = PayoutAccountRow(
            user_id=consultant, provider_account_id="acct_1", can_receive=True, updated_at=tx.now
        )
        tx.session.add_all(
            [payer, account, CardSetupRow(id=uuid4(), setup_intent_id=setup, user_id=customer, created_at=tx.now)]
        )
    return setup


async def call_of(house: House, customer: UserId, consultant: UserId) -> dict[str, str]:
    """Question, request, offer and call, made by the same services as in life."""
    async with house.db.begin() as tx:
        question = await house.questions.post(
            tx, customer, title="How is this taxed?", details="A question of tax law.", language="en"
        )
    wish = Wish(
        question_id=question.id,
        consultant_id=None,
        max_rate_minor_per_hour=9_000,
        currency=Currency.EUR,
        cap_minor=4_500,
        terms_version=CURRENT[Document.TERMS],
        consent=True,
        idempotency_key=uuid4(),
    )
    async with house.db.begin() as tx:
        request = await house.requests.create(tx, customer, wish)
    await house.requests.run_due(house.db)
    async with house.db.begin() as tx:
        (offer,) = await house.requests.offers_view(tx, consultant)
        call = await house.requests.accept(tx, consultant, offer["id"])
        charge = await tx.session.scalar(select(ChargeRow.id).where(ChargeRow.call_id == call))
        payout = PayoutRow(
            id="po_1",
            consultant_id=consultant,
            amount_minor=100,
            currency="eur",
            status="paid",
            automatic=True,
            created_at=tx.now,
            updated_at=tx.now,
        )
        tx.session.add(payout)
        attached = AttachmentRow(
            id=uuid4(),
            question_id=question.id,
            customer_id=customer,
            name="log.txt",
            media_type="text/plain",
            bytes=len(CONTENT),
            sha256=hashlib.sha256(CONTENT).hexdigest(),
            created_at=tx.now,
            expires_at=tx.now,
        )
        tx.session.add(attached)
    things = {"question": question.id, "request": request["id"], "offer": offer["id"], "call": call}
    things |= {"charge": charge, "payout": payout.id, "attachment": attached.id}
    return {name: str(value) for name, value in things.items()}


@pytest.fixture
async def scene(house: House, aiohttp_client: MakeClient) -> Scene:
    anna, customer = await person(house, "anna", Role.CUSTOMER)
    ben, consultant = await person(house, "ben", Role.CONSULTANT)
    _, other_customer = await person(house, "carla", Role.CUSTOMER)
    _, other_consultant = await person(house, "dora", Role.CONSULTANT)
    await go_online(house, ben)
    setup = await equip(house, anna, ben)
    things = {**await call_of(house, anna, ben), "setup": setup, "payment_method": "pm_1"}
    digest = hashlib.sha256(CONTENT).hexdigest()
    content = Path(house.settings.attachments_dir) / digest[:2] / digest
    content.parent.mkdir(parents=True)
    content.write_bytes(CONTENT)
    client = await aiohttp_client(build_application(house))
    return Scene(client, customer, consultant, other_customer, other_consultant, things)


async def test_a_strangers_thing_and_nobodys_thing_look_the_same(scene: Scene) -> None:
    for row in OWNED:
        stranger = scene.other_consultant if Access.CONSULTANT in row.access else scene.other_customer
        status, text = await scene.ask(row, stranger, scene.things[row.owned or ""])
        assert status == 404, (row.method, row.path, text)
        nobodys, _ = await scene.ask(row, scene.owner(row), str(uuid4()))
        assert nobodys == 404, (row.method, row.path)


async def test_a_path_that_holds_no_id_is_nothing(scene: Scene) -> None:
    for row in OWNED:
        status, _ = await scene.ask(row, scene.owner(row), "..%00%2F'")
        assert status in {404, 422}, (row.method, row.path)


def ending(row: Route) -> tuple[bool, str, str]:
    return row.path.endswith(ENDING) or row.method == "DELETE", row.path, row.method


async def test_ones_own_is_reached(scene: Scene) -> None:
    for row in sorted(OWNED, key=ending):
        if row.owned == "setup" or row.path.endswith("/demo/skip"):
            continue  # these ask the provider and the media node, of which this test has none
        status, text = await scene.ask(row, scene.owner(row), scene.things[row.owned or ""])
        assert status not in {401, 403, 404, 500}, (row.method, row.path, text)


async def test_the_consultant_of_a_call_does_not_extend_it(scene: Scene) -> None:
    for row in OWNED:
        if row.path.endswith(("/extend", "/authenticated")):
            status, _ = await scene.ask(row, scene.consultant, scene.things["call"])
            assert status == 403
