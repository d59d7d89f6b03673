"""Receipts and finance: the same figure everywhere, and proof behind it."""

from datetime import timedelta

import pytest

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
    finance = FinanceService()
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
    finance = FinanceService()
    async with room.db.begin() as tx:
        page = await finance.charges(tx, ChargeFilter())
        detail = await finance.detail(tx, page.rows[0].id)
        with pytest.raises(NotFound):
            await finance.detail(tx, new_id())
    assert (detail.recomputed.gross_minor, detail.recomputed.matches) == (1_650, True)
    assert sorted(command.kind for command in detail.commands) == ["capture", "confirm", "create"]
    assert {command.state for command in detail.commands} == {"done"}
    assert {transaction.kind for transaction, _ in detail.transactions} >= {"settlement", "capture"}
