"""Billing details over HTTP: strict, one's own, and what the next call is taxed by."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from billing.models import ChargeRow
from core.ids import CallId, QuestionId, RequestId, UserId, new_id
from signaling.events import CallOpened
from tests.integration.web.conftest import MakeClient
from tests.integration.web.visitor import Client, error_of, log_in, register
from web.application import build_application
from web.context import House

PATH = "/api/me/billing-details"
STATED = {
    "country": "DE",
    "vat_id": "de 136 695 976",
    "small_business": False,
    "name": " Ben  AG ",
    "address": "Am Markt 1\n10115 Berlin",
}


async def signed_in(client: Client, email: str, role: str) -> tuple[dict[str, str], UserId]:
    await register(client, email, role)
    headers = await log_in(client, email)
    async with client.get("/api/me", headers=headers) as answer:
        return headers, UserId(UUID((await answer.json())["id"]))


async def test_details_are_stated_whole_and_read_back_in_one_way(aiohttp_client: MakeClient, house: House) -> None:
    client = await aiohttp_client(build_application(house))
    headers, _ = await signed_in(client, "ben@example.com", "consultant")
    async with client.get(PATH, headers=headers) as answer:
        before = await answer.json()
    assert (before["country"], before["vat_id"], before["small_business"]) == (None, None, False)
    assert {"DE", "US"} < set(before["countries"])
    async with client.put(PATH, headers=headers, json=STATED) as answer:
        assert answer.status == 200, await answer.text()
    small = {"country": "AT", "vat_id": None, "small_business": True, "name": "Ben", "address": None}
    async with client.put(PATH, headers=headers, json=small) as answer:
        assert (await answer.json()).items() >= small.items()
    async with client.get(PATH, headers=headers) as answer:
        assert (await answer.json()).items() >= small.items()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"country": "ZZ"}, "invalid"),
        ({"country": "de"}, "invalid"),
        ({"vat_id": "DE136695977"}, "vat_id_invalid"),
        ({"country": "FR"}, "vat_id_invalid"),
        ({"country": "US", "vat_id": "US123456789"}, "vat_id_unreadable"),
        ({"small_business": True}, "invalid"),  # a customer
        ({"rate_bps": 0}, "invalid"),
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_is_kept(
    aiohttp_client: MakeClient, house: House, changes: dict[str, object], code: str
) -> None:
    client = await aiohttp_client(build_application(house))
    headers, user = await signed_in(client, "anna@example.com", "customer")
    async with client.put(PATH, headers=headers, json={**STATED, **changes}) as answer:
        assert answer.status == 422
        assert (await error_of(answer))["code"] == code
    async with house.db.begin() as tx:
        assert await house.billing_details.of(tx, user) is None


async def test_the_next_call_is_taxed_by_what_both_stated(aiohttp_client: MakeClient, house: House) -> None:
    client = await aiohttp_client(build_application(house))
    consultant_headers, consultant = await signed_in(client, "ben@example.com", "consultant")
    customer_headers, customer = await signed_in(client, "anna@example.com", "customer")
    french = {"country": "FR", "vat_id": "FR40303265045", "small_business": False, "name": None, "address": None}
    for headers, stated in ((consultant_headers, STATED), (customer_headers, french)):
        async with client.put(PATH, headers=headers, json=stated) as answer:
            assert answer.status == 200
    event = CallOpened(
        call_id=CallId(new_id()),
        reference="CC-20260101-TEST",
        request_id=RequestId(new_id()),
        question_id=QuestionId(new_id()),
        customer_id=customer,
        consultant_id=consultant,
        rate_minor_per_hour=9_000,
        max_rate_minor_per_hour=9_000,
        currency="eur",
        cap_minor=4_500,
        terms_version="2026-01",
        consented_at_iso=(house.clock.now() - timedelta(seconds=1)).isoformat(),
    )
    async with house.db.begin() as tx:
        await house.charges.on_call_opened(tx, event)
        charge = (await tx.session.scalars(select(ChargeRow).where(ChargeRow.call_id == event.call_id))).one()
        decided = (charge.tax_mode, charge.tax_rate_bps, charge.tax_reason)
        facts = (charge.supplier_vat_id, charge.customer_vat_id, charge.supplier_country, charge.customer_country)
        shown = (charge.supplier_name, charge.supplier_address, charge.customer_name)
    assert decided == ("reverse_charge", 0, "eu_business")
    assert shown == ("Ben AG", "Am Markt 1\n10115 Berlin", None)
    assert facts == ("DE136695976", "FR40303265045", "DE", "FR")
