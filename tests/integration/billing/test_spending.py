"""Spending and earnings: one set of bills seen from both sides, equal to the books for the same period."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from billing import bills
from billing.bills import BillTotal, Side
from billing.periods import Period, Span, named
from billing.spending import header, statement, table
from core.errors import Invalid
from core.ids import UserId, new_id
from tests.integration.billing.room import Room

ZONE = "Europe/Berlin"
BOOKED = """
SELECT coalesce(sum(p.amount_minor) FILTER (WHERE t.kind = 'settlement' AND p.destination = :receivable), 0),
       coalesce(sum(p.amount_minor) FILTER (WHERE t.kind = 'capture' AND p.source = :receivable), 0),
       coalesce(sum(p.amount_minor) FILTER (WHERE t.kind = 'settlement' AND p.source = :payable), 0)
FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
WHERE t.at >= :starts AND t.at < :ends AND p.currency = :currency
"""


async def paid(room: Room, ms: int, currency: str = "eur") -> None:
    call = await room.open(currency=currency)
    await room.talk(call, ms)
    await room.end(call)


async def two_months(room: Room) -> None:
    """January: a call that costs and a free one. February: two, in two currencies."""
    await paid(room, 660_000)
    await paid(room, 300_000)
    room.clock.advance(timedelta(days=31))
    await paid(room, 720_000)
    await paid(room, 900_000, "usd")


async def totals(room: Room, side: Side, period: Period) -> dict[str, BillTotal]:
    user = room.customer if side == "customer" else room.consultant
    async with room.db.begin() as tx:
        return {total.currency: total for total in await bills.totals(tx, side, user, period)}


async def booked(room: Room, period: Period, currency: str) -> tuple[int, ...]:
    given = {
        "receivable": f"customer:{room.customer}:receivable",
        "payable": f"consultant:{room.consultant}:payable",
        "starts": period.starts_at,
        "ends": period.ends_at,
        "currency": currency,
    }
    async with room.db.begin() as tx:
        [row] = (await tx.session.execute(text(BOOKED), given)).all()
    return tuple(map(int, row))


async def test_what_was_spent_and_earned_in_a_period_is_what_the_books_say(room: Room) -> None:
    await two_months(room)
    now = room.clock.now()
    seen = {}
    for span in (Span.MONTH, Span.LAST_MONTH, Span.YEAR):
        period = named(span, now, ZONE)
        spent, earned = await totals(room, "customer", period), await totals(room, "consultant", period)
        for currency, total in spent.items():
            expected = (total.gross_minor, total.paid_minor, earned[currency].net_minor)
            assert expected == await booked(room, period, currency), (span, currency)
        seen[span] = {currency: total.gross_minor for currency, total in spent.items()}
    assert seen == {
        Span.MONTH: {"eur": 1_800, "usd": 2_250},
        Span.LAST_MONTH: {"eur": 1_650},
        Span.YEAR: {"eur": 3_450, "usd": 2_250},
    }


async def test_both_sides_see_the_same_figures_for_the_same_calls(room: Room) -> None:
    await two_months(room)
    async with room.db.begin() as tx:
        spent, _ = await bills.piece(tx, "customer", room.customer, Period(), None)
        earned, _ = await bills.piece(tx, "consultant", room.consultant, Period(), None)
    assert [bill.call_id for bill in spent] == [bill.call_id for bill in earned]
    assert sum(bill.gross_minor for bill in spent) == sum(bill.gross_minor for bill in earned) == 5_700
    assert all(bill.commission_minor + bill.net_minor == bill.gross_minor == bill.paid_minor for bill in earned)
    assert {bill.other_id for bill in spent} == {room.consultant}
    assert {bill.other_id for bill in earned} == {room.customer}


async def test_the_list_of_calls_tells_a_bill_to_its_two_sides_and_to_nobody_else(room: Room) -> None:
    await two_months(room)
    open_call = await room.open()
    async with room.db.begin() as tx:
        every = [bill.call_id for bill in (await bills.piece(tx, "customer", room.customer, Period(), None))[0]]
        seen = {
            user: await bills.of_calls(tx, user, [*every, open_call])
            for user in (room.customer, room.consultant, UserId(new_id()))
        }
    amounts = {user: sorted((bill.gross_minor, bill.net_minor) for bill in found) for user, found in seen.items()}
    written = [(0, 0), (1_650, 1_402), (1_800, 1_530), (2_250, 1_912)]
    assert list(amounts.values()) == [written, written, []]


async def test_the_months_add_up_to_the_year_and_those_without_a_bill_are_left_out(room: Room) -> None:
    await two_months(room)
    year = named(Span.YEAR, room.clock.now(), ZONE)
    async with room.db.begin() as tx:
        found = await statement(tx, "customer", room.customer, year, zone=ZONE)
    assert [(month.month, month.currency, month.paid_minor) for month in found.months] == [
        ("2026-01", "eur", 1_650),
        ("2026-02", "eur", 1_800),
        ("2026-02", "usd", 2_250),
    ]
    assert sum(month.paid_minor for month in found.months) == sum(total.paid_minor for total in found.totals)


async def test_a_bill_written_just_after_midnight_belongs_to_the_new_month_of_the_reader(room: Room) -> None:
    room.clock.advance(datetime(2026, 1, 31, 22, 45, tzinfo=UTC) - room.clock.now())
    await paid(room, 20 * 60_000)  # it ends at 23:05 UTC, which is 00:05 on the first of February in Berlin
    for zone, span in ((ZONE, Span.MONTH), ("UTC", Span.MONTH), ("America/New_York", Span.MONTH)):
        period = named(span, room.clock.now(), zone)
        assert [total.count for total in (await totals(room, "customer", period)).values()] == [1], zone
        async with room.db.begin() as tx:
            found = await statement(tx, "customer", room.customer, period, zone=zone)
        assert [month.month for month in found.months] == ["2026-02" if zone == ZONE else "2026-01"]


async def test_pages_walk_through_all_bills_once(room: Room) -> None:
    await two_months(room)
    async with room.db.begin() as tx:  # a page's worth of copies of one bill, of other calls
        await tx.session.execute(
            text(
                "INSERT INTO charge SELECT (jsonb_populate_record(charge, jsonb_build_object("
                "'id', gen_random_uuid(), 'call_id', gen_random_uuid()))).* FROM charge, generate_series(1, 30)"
            )
        )
    seen, cursor = [], None
    while True:
        async with room.db.begin() as tx:
            found = await bills.page(tx, "customer", room.customer, Period(), cursor)
        seen += [bill.call_id for bill in found.items]
        cursor = found.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 4 * 31
    async with room.db.begin() as tx:
        with pytest.raises(Invalid):
            await bills.page(tx, "customer", room.customer, Period(), "nonsense")


async def test_the_table_says_what_the_screen_says_and_runs_no_formula(room: Room) -> None:
    await two_months(room)
    period = named(Span.YEAR, room.clock.now(), ZONE)
    async with room.db.begin() as tx:
        rows, _ = await bills.piece(tx, "consultant", room.consultant, period, None)
    written = header("consultant") + table("consultant", rows, {room.customer: "=1+1"})
    read = list(csv.DictReader(io.StringIO(written)))
    assert {row["customer"] for row in read} == {"'=1+1"}
    for currency, total in (await totals(room, "consultant", period)).items():
        mine = [row for row in read if row["currency"] == currency.upper()]
        for column, minor in (("gross", total.gross_minor), ("net", total.net_minor)):
            assert sum(int(row[column].replace(".", "")) for row in mine) == minor
    [cheapest] = [row for row in read if row["connected_seconds"] == "660.000"]
    assert (cheapest["gross"], cheapest["commission"], cheapest["net"]) == ("16.50", "2.48", "14.02")
    assert header("customer").strip().split(",")[4:] == ["price", "paid", "refunded", "credited", "currency", "state"]


async def test_nobody_sees_anothers_money_and_a_call_not_billed_yet_is_not_there(room: Room) -> None:
    await paid(room, 660_000)
    await room.open()
    assert [total.count for total in (await totals(room, "customer", Period())).values()] == [1]
    async with room.db.begin() as tx:
        for side in ("customer", "consultant"):
            assert await bills.piece(tx, side, UserId(new_id()), Period(), None) == ([], None)
        assert await bills.piece(tx, "customer", room.consultant, Period(), None) == ([], None)
