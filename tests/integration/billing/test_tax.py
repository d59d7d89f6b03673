"""VAT from the accept to the receipt: decided once, by what was stated then, and never by what was stated later."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from billing import invoices
from billing.charges import store
from billing.models import InvoiceRow
from billing.proof.document import Story
from billing.proof.pdf.layout import printed
from billing.proof.service import ProofService
from billing.proof.verifier import verify
from billing.proof.words import report
from billing.receipts import ReceiptService
from billing.tax import Party
from core.ids import CallId, UserId, new_id
from tests.fakes.receipts import SIGNER
from tests.integration.billing.room import Room

GERMAN_FIRM, FRENCH_FIRM = Party("DE", "DE136695976"), Party("FR", "FR40303265045")


@dataclass(frozen=True)
class Case:
    """What both sides stated, and the invoice of a call of 16.50 that follows."""

    consultant: Party | None
    customer: Party | None
    treatment: str
    rate_bps: int
    vat_minor: int
    reason: str


CASES = [
    Case(None, None, "standard", 1_900, 263, "supplier_unstated"),
    Case(GERMAN_FIRM, None, "standard", 1_900, 263, "customer_unstated"),
    Case(GERMAN_FIRM, Party("DE"), "standard", 1_900, 263, "domestic"),
    Case(Party("HU"), Party("DE"), "standard", 2_700, 351, "eu_consumer"),
    Case(Party("DE"), FRENCH_FIRM, "standard", 1_900, 263, "supplier_unregistered"),
    Case(GERMAN_FIRM, FRENCH_FIRM, "reverse_charge", 0, 0, "eu_business"),
    Case(Party("DE", small_business=True), Party("DE"), "exempt", 0, 0, "small_business"),
    Case(GERMAN_FIRM, Party("CH"), "outside_scope", 0, 0, "outside_eu"),
    Case(Party("US"), Party("DE"), "outside_scope", 0, 0, "no_rate"),
]


async def accepted(room: Room, consultant: Party | None, customer: Party | None) -> CallId:
    room.parties = {
        user: party for user, party in ((room.consultant, consultant), (room.customer, customer)) if party is not None
    }
    return await room.open()


async def finished(room: Room, call: CallId) -> None:
    await room.talk(call, 660_000)
    await room.end(call)


async def issued(room: Room, call: CallId) -> list[InvoiceRow]:
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        return await invoices.of_charge(tx, charge.id)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.reason)
async def test_each_case_from_the_accept_to_the_sealed_receipt(room: Room, case: Case) -> None:
    call = await accepted(room, case.consultant, case.customer)
    await finished(room, call)
    async with room.db.begin() as tx:
        charge = await store.lock(tx, (await room.charge(call)).id)
        await invoices.issue_credit_note(tx, charge, new_id(), 600)
    invoice, note = await issued(room, call)
    assert (charge.captured_minor, charge.tax_reason) == (1_650, case.reason)
    assert (invoice.gross_minor, invoice.vat_minor, invoice.net_minor) == (
        1_650,
        case.vat_minor,
        1_650 - case.vat_minor,
    )
    assert {(row.vat_treatment, row.vat_rate_bps) for row in (invoice, note)} == {(case.treatment, case.rate_bps)}
    await check_receipts(room, call, case)


async def check_receipts(room: Room, call: CallId, case: Case) -> None:
    """Both sides' receipts say it, hold when nobody but the verifier looks, and print."""
    proof = ProofService(SIGNER)
    story = Story("House", "https://example.com", "Anna", "Ben", "Why?", room.clock.now())
    for user in (room.customer, room.consultant):
        async with room.db.begin() as tx:
            receipt = await proof.sealed(tx, UserId(user), call, story)
        document, checks = verify(json.dumps(receipt), SIGNER.public_key)
        assert all(check.holds for check in checks), report(document, checks)
        assert (receipt["version"], receipt["tax"]["reason"]) == (2, case.reason)
        assert receipt["tax"]["supplier"]["vat_id"] == (case.consultant and case.consultant.vat_id)
        assert receipt["tax"]["customer"]["country"] == (case.customer and case.customer.country)
        assert printed(receipt, locale="de", zone="Europe/Berlin").startswith(b"%PDF-")


async def test_what_is_stated_after_the_accept_changes_nothing(room: Room) -> None:
    call = await accepted(room, GERMAN_FIRM, FRENCH_FIRM)
    room.parties = {room.consultant: Party("HU"), room.customer: Party("US")}
    await finished(room, call)
    charge = await room.charge(call)
    assert (charge.tax_mode, charge.supplier_country, charge.customer_vat_id) == (
        "reverse_charge",
        "DE",
        "FR40303265045",
    )
    [invoice] = await issued(room, call)
    assert (invoice.vat_treatment, invoice.vat_minor) == ("reverse_charge", 0)


async def test_without_an_invoice_neither_side_learns_who_the_other_is(room: Room) -> None:
    firm = Party("DE", "DE136695976", name="Ben AG", address="Am Markt 1\n10115 Berlin")
    person = Party("FR", "FR40303265045", name="Anna", address="1 rue A\nParis")
    call = await accepted(room, firm, person)
    assert await told(room, call) == set(), "while it runs"
    await room.talk(call, 599_999)
    await room.end(call)
    assert await told(room, call) == set(), "a free call"
    sealed = await sealed_for(room, room.consultant, call)
    assert sealed["tax"]["customer"] == dict.fromkeys(("country", "vat_id", "name", "address"))
    document, checks = verify(json.dumps(sealed), SIGNER.public_key)
    assert all(check.holds for check in checks), report(document, checks)
    paid = await accepted(room, firm, person)
    await finished(room, paid)
    assert await told(room, paid) == {"name", "address", "vat_id"}, "an invoice names both"
    assert (await sealed_for(room, room.consultant, paid))["tax"]["customer"]["name"] == "Anna"


async def told(room: Room, call: CallId) -> set[str]:
    """What the two read of each other's details, but the country."""
    async with room.db.begin() as tx:
        of_customer = (await ReceiptService().receipt(tx, room.consultant, call)).tax
        of_supplier = (await ReceiptService().receipt(tx, room.customer, call)).tax
    facts = ("name", "address", "vat_id")
    shown = {fact for fact in facts if getattr(of_customer, f"customer_{fact}")}
    assert shown == {fact for fact in facts if getattr(of_supplier, f"supplier_{fact}")}
    return shown


async def sealed_for(room: Room, user: UserId, call: CallId) -> dict[str, Any]:
    story = Story("House", "https://example.com", "Anna K", "Ben", "Why?", room.clock.now())
    async with room.db.begin() as tx:
        return await ProofService(SIGNER).sealed(tx, user, call, story)
