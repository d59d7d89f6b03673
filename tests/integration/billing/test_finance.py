"""Receipts and finance: the same figure everywhere, and proof behind it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from billing.finance.filters import ChargeFilter
from billing.finance.service import FinanceService
from billing.receipts import ReceiptService
from core.errors import Invalid, NotFound
from core.ids import UserId, new_id
from tests.integration.billing.room import Room


async def paid(room: Room, ms: int = 660_000) -> None:
    call = await room.open()
    await room.talk(call, ms)
    await room.end(call)


async def test_the_receipt_adds_up_and_says_what_was_released(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 300_000, n=0, cause="customer_unseen")
    room.clock.advance(timedelta(seconds=20))
    await room.talk(call, 360_000, n=1)
    await room.end(call)
    async with room.db.begin() as tx:
        receipt = await ReceiptService().receipt(tx, room.customer, call)
        same = await ReceiptService().receipt(tx, room.consultant, call)
        with pytest.raises(NotFound):
            await ReceiptService().receipt(tx, UserId(new_id()), call)
    assert [(line.kind, line.duration_ms) for line in receipt.lines] == [
        ("talk", 300_000),
        ("unbilled", 20_000),
        ("talk", 360_000),
    ]
    assert sum(line.amount_minor for line in receipt.lines) == receipt.gross_minor == same.gross_minor == 1_650
    assert (receipt.held_minor, receipt.released_minor) == (4_500, 2_850)
    assert receipt.captured_at is not None
    assert same.net_minor == 1_402
    assert "hold_placed" in [entry.kind for entry in receipt.timeline]


async def test_a_free_call_has_a_receipt_too(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 492_000)
    await room.end(call)
    async with room.db.begin() as tx:
        receipt = await ReceiptService().receipt(tx, room.customer, call)
    assert (receipt.gross_minor, receipt.state, receipt.released_minor) == (0, "released", 4_500)
    assert receipt.released_at is not None
    assert [line.kind for line in receipt.lines] == ["free"]


async def test_totals_are_of_the_whole_filter_and_pages_walk_through_it(room: Room) -> None:
    for ms in (660_000, 500_000, 720_000):
        await paid(room, ms)
        room.clock.advance(timedelta(minutes=1))
    finance = FinanceService(room.reconciliation)
    async with room.db.begin() as tx:
        first = await finance.charges(tx, ChargeFilter(), limit=2)
        assert first.next_cursor is not None
        rest = await finance.charges(tx, ChargeFilter(), cursor=first.next_cursor, limit=2)
        free = await finance.charges(tx, ChargeFilter(free=True))
        [overview] = await finance.overview(tx)
        with pytest.raises(Invalid):
            await finance.charges(tx, ChargeFilter(), cursor="nonsense")
    assert [row.gross_minor for row in (*first.rows, *rest.rows)] == [1_800, 0, 1_650]
    assert [(total.gross_minor, total.count) for total in first.totals] == [(3_450, 3)]
    assert (len(free.rows), rest.next_cursor) == (1, None)
    assert (overview.captured_minor, overview.held_minor, overview.difference_minor) == (3_450, 0, 0)
    assert overview.commission_minor + overview.payable_minor == 3_450


async def test_the_detail_proves_itself(room: Room) -> None:
    await paid(room)
    finance = FinanceService(room.reconciliation)
    async with room.db.begin() as tx:
        page = await finance.charges(tx, ChargeFilter())
        detail = await finance.detail(tx, page.rows[0].id)
        with pytest.raises(NotFound):
            await finance.detail(tx, new_id())
    assert (detail.recomputed.gross_minor, detail.recomputed.matches) == (1_650, True)
    assert sorted(command.kind for command in detail.commands) == ["capture", "confirm", "create"]
    assert {command.state for command in detail.commands} == {"done"}
    assert {transaction.kind for transaction, _ in detail.transactions} >= {"settlement", "capture"}


async def test_what_differs_is_shown_to_nobody_without_becoming_the_case_of_the_night(room: Room) -> None:
    await paid(room)
    finance = FinanceService(room.reconciliation)
    async with room.db.begin() as tx:  # the meter alone would find nothing wrong: its own figures agree
        await tx.session.execute(text("UPDATE hold SET captured_minor = captured_minor + 1"))
        page = await finance.charges(tx, ChargeFilter())
    keys: list[set[str | None]] = []
    for _ in range(2):
        async with room.db.begin() as tx:
            detail = await finance.detail(tx, page.rows[0].id)
        assert (detail.recomputed.gross_minor, detail.recomputed.matches) == (1_650, False)
        assert {case.kind for case in detail.cases} == {"bill_differs"}
        keys.append({case.key for case in detail.cases})
        async with room.db.begin() as tx:
            assert (await room.money.state(tx, room.consultant)).held_reason == "reconciliation: bill_differs"
            await room.reconciliation.start(tx, "bills", until=room.clock.now() + timedelta(hours=1))
        await room.work()
    assert keys[0] == keys[1]


async def test_a_bill_that_the_holds_did_not_cover_is_no_mismatch(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 660_000)
    async with room.db.begin() as tx:  # as if the rest had lapsed by the time the bill is written
        await tx.session.execute(text("UPDATE hold SET amount_minor = 1000"))
    await room.end(call, at_work=False)
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE hold SET amount_minor = 4500"))
    await room.work()
    charge = await room.charge(call)
    assert (charge.gross_minor, charge.captured_minor) == (1_000, 1_000)
    async with room.db.begin() as tx:
        detail = await FinanceService(room.reconciliation).detail(tx, charge.id)
    assert [case.kind for case in detail.cases] == ["holds_do_not_cover"]
    assert (detail.recomputed.gross_minor, detail.recomputed.differences) == (1_000, ())
