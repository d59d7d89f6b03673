"""Invoices: no gap, no number twice, never changed, and credit notes that sum."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from billing import invoices
from billing.charges import settlement, store
from billing.models import ChargeRow, HoldRow, InvoiceRow
from core.db import Tx
from core.errors import Refused
from core.ids import CallId, new_id
from tests.integration.billing.room import Room


async def captured(room: Room, ms: int = 660_000) -> CallId:
    call = await room.open()
    await room.talk(call, ms)
    await room.end(call)
    return call


async def issued(room: Room, call: CallId) -> list[InvoiceRow]:
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        return await invoices.of_charge(tx, charge.id)


async def ready_to_conclude(tx: Tx, room: Room, gross: int) -> UUID:
    """A charge that is settling, its one hold captured: what the last webhook finds."""
    charge = ChargeRow(
        id=new_id(),
        call_id=new_id(),
        reference="CC-20260101-TEST",
        customer_id=room.customer,
        consultant_id=room.consultant,
        created_at=tx.now,
        currency="eur",
        rate_minor_per_hour=9_000,
        policy="whole_call",
        policy_version="2026-1",
        threshold_ms=600_000,
        commission_bps=1_500,
        tax_mode="inclusive",
        tax_rate_bps=1_900,
        snapshot_cap_minor=4_500,
        terms_version="2026-1",
        consented_at=tx.now,
        state="settling",
        cap_minor=4_500,
        marked_ms=0,
        gross_minor=gross,
        commission_minor=0,
        net_minor=gross,
        captured_minor=0,
    )
    tx.session.add(charge)
    await tx.session.flush()
    hold = HoldRow(id=new_id(), charge_id=charge.id, n=1, state="captured", amount_minor=4_500, currency="eur")
    hold.unwanted, hold.created_at, hold.capture_minor, hold.capture_fee_minor = False, tx.now, gross, 0
    hold.captured_minor = gross
    tx.session.add(hold)
    return charge.id


async def test_the_number_comes_with_the_capture_and_the_evidence_names_it(room: Room) -> None:
    call = await captured(room)
    [invoice] = await issued(room, call)
    assert invoices.number_of(invoice) == f"{room.clock.now():%Y}-000001"
    assert (invoice.gross_minor, invoice.net_minor, invoice.vat_minor) == (1_650, 1_387, 263)
    assert (invoice.vat_treatment, invoice.vat_rate_bps) == ("standard", 1_900)
    assert (await room.kinds(call))[-1] == "invoice_issued"


async def test_a_call_that_cost_nothing_has_no_invoice(room: Room) -> None:
    assert await issued(room, await captured(room, 599_999)) == []


async def test_a_hundred_settlements_at_once_are_numbered_one_to_a_hundred(room: Room) -> None:
    async with room.db.begin() as tx:
        ready = [await ready_to_conclude(tx, room, 1_500 + n) for n in range(120)]

    async def conclude(charge_id: UUID, *, fails: bool) -> None:
        try:
            async with room.db.begin() as tx:
                await settlement.conclude(tx, await store.lock(tx, charge_id))
                if fails:
                    raise ConnectionAbortedError
        except ConnectionAbortedError:
            return

    gate = asyncio.Semaphore(8)

    async def through(charge_id: UUID, *, fails: bool) -> None:
        async with gate:
            await conclude(charge_id, fails=fails)

    await asyncio.gather(*(through(one, fails=n % 6 == 5) for n, one in enumerate(ready)))
    async with room.db.begin() as tx:
        numbers = list(await tx.session.scalars(select(InvoiceRow.number).order_by(InvoiceRow.number)))
    assert numbers == list(range(1, 101))


async def test_a_new_year_begins_a_new_series(room: Room) -> None:
    await captured(room)
    year = room.clock.now().year + 1
    room.clock.advance(datetime(year, 1, 1, tzinfo=UTC) - room.clock.now())
    [invoice] = await issued(room, await captured(room))
    assert (invoice.series, invoice.number) == (str(year), 1)


async def test_credit_notes_take_back_what_there_is_and_not_a_cent_of_tax_more(room: Room) -> None:
    call = await captured(room)
    refunds = [new_id() for _ in range(3)]
    for refund, amount in zip(refunds, (501, 502, 647), strict=True):
        for _ in range(2):  # told twice
            async with room.db.begin() as tx:
                charge = await store.lock(tx, (await room.charge(call)).id)
                await invoices.issue_credit_note(tx, charge, refund, amount)
    invoice, *notes = await issued(room, call)
    assert [note.number for note in notes] == [2, 3, 4]
    assert sum(note.gross_minor for note in notes) == invoice.gross_minor
    assert sum(note.vat_minor for note in notes) == invoice.vat_minor
    assert {note.corrects_id for note in notes} == {invoice.id}
    with pytest.raises(Refused, match="left of its invoice"):
        async with room.db.begin() as tx:
            await invoices.issue_credit_note(tx, charge, new_id(), 1)


async def test_without_an_invoice_there_is_nothing_to_correct(room: Room) -> None:
    call = await captured(room, 599_999)
    with pytest.raises(Refused, match="no invoice"):
        async with room.db.begin() as tx:
            await invoices.issue_credit_note(tx, await room.charge(call), new_id(), 1)


@pytest.mark.parametrize("change", ["UPDATE invoice SET gross_minor = 1", "DELETE FROM invoice"])
async def test_an_invoice_is_never_changed(room: Room, change: str) -> None:
    await captured(room)
    with pytest.raises(DBAPIError, match="append-only"):
        async with room.db.begin() as tx:
            await tx.session.execute(text(change))
