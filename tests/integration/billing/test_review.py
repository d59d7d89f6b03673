"""The review window: a bill may be looked at before it is taken; what is found wrong by then is never taken."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from billing import house_terms
from billing.cases import listed
from billing.problems.rules import Category
from billing.problems.service import ProblemService
from billing.receipts import ReceiptService
from billing.reconciliation import recompute
from core.ids import CallId, UserId, new_id
from media.events import IntervalClosed, IntervalOpened
from tests.integration.billing.room import Room

ADMIN = UserId(new_id())
WINDOW_S = 600


async def window(room: Room, seconds: int, *, after: int = 0) -> None:
    async with room.db.begin() as tx:
        await house_terms.change(
            tx, ADMIN, after=after, late_hold=False, review_window_s=seconds, reason="people asked for it"
        )


@pytest.fixture
async def slow(room: Room) -> AsyncIterator[Room]:
    """Bills may be looked at for ten minutes; every bill that is left can be computed again."""
    await window(room, WINDOW_S)
    yield room
    async with room.db.begin() as tx:
        _, wrong = await recompute.differences(tx, tx.now - timedelta(days=30), tx.now + timedelta(days=1))
    assert wrong == []


async def paid_call(room: Room) -> CallId:
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    return call


async def later(room: Room, **span: float) -> None:
    room.clock.advance(timedelta(**span))
    await room.work()


async def test_nothing_is_taken_before_the_window_closes_and_all_that_is_due_after_it(slow: Room) -> None:
    room = slow
    ended_at = room.clock.now() + timedelta(milliseconds=660_000)
    call = await paid_call(room)
    charge = await room.charge(call)
    assert (charge.state, charge.review_until) == ("reviewing", ended_at + timedelta(seconds=WINDOW_S))
    async with room.db.begin() as tx:
        receipt = await ReceiptService().receipt(tx, room.customer, call)
    assert (receipt.gross_minor, receipt.paid_minor, receipt.review_until) == (1_650, 0, charge.review_until)
    await later(room, seconds=WINDOW_S - 1)
    assert [one["status"] for one in await room.intents()] == ["requires_capture"]
    await later(room, seconds=1)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor, charge.review_until) == ("captured", 1_650, None)


async def test_the_meter_of_a_bill_that_may_be_looked_at_shows_what_is_on_it(slow: Room) -> None:
    room = slow
    call = await room.open()
    await room.talk(call, 660_000)
    async with room.db.begin() as tx:  # seen once more in the last moment, and nobody told its end
        await room.meter.on_interval_opened(tx, IntervalOpened(call, 1, room.clock.now()))
    await room.end(call)
    await later(room, seconds=4)
    async with room.db.begin() as tx:
        meter = await room.meter.view_of(tx, room.customer, call)
        receipt = await ReceiptService().receipt(tx, room.customer, call)
    assert (meter.charge_state, meter.gross_minor) == ("reviewing", receipt.gross_minor)
    assert meter.connected_ms == receipt.connected_ms == 660_000


async def test_a_free_call_is_settled_at_once(slow: Room) -> None:
    room = slow
    call = await room.open()
    await room.talk(call, 599_999)
    await room.end(call)
    assert (await room.charge(call)).state == "released"


async def test_a_bill_the_evidence_finds_wrong_is_not_taken_instead_of_given_back(slow: Room) -> None:
    room = slow
    first = await room.open()
    started = room.clock.now()
    room.clock.advance(timedelta(seconds=1))
    second = await room.open()
    await room.talk(first, 660_000)
    await room.end(first)
    await later(room, seconds=WINDOW_S)
    async with room.db.begin() as tx:  # observed at the same time, as a bug of ours could make it
        await room.meter.on_interval_closed(tx, IntervalClosed(second, 0, started, 660_000, "ended"))
    await room.end(second)
    problems = ProblemService(room.refunds)
    async with room.db.begin() as tx:
        row = await problems.say(tx, room.customer, second, Category.CHARGED_TWICE, "I was charged twice.")
        assert (row.state, row.finding, row.refund_id) == ("answered", "overlapping_call", None)
        assert row.facts["waived"] is True
    await room.work()
    charge = await room.charge(second)
    assert (charge.state, charge.gross_minor, charge.captured_minor) == ("released", 0, 0)
    assert [hold.state for hold in await room.holds(second)] == ["released"]
    books = await room.balances()
    assert books[f"customer:{room.customer}:receivable"] == 0
    assert books[f"consultant:{room.consultant}:payable"] == 0


async def test_what_people_must_decide_holds_nothing_up(slow: Room) -> None:
    room = slow
    call = await paid_call(room)
    async with room.db.begin() as tx:
        row = await ProblemService(room.refunds).say(tx, room.customer, call, Category.QUALITY, "It crackled.")
    assert row.state == "open"
    await later(room, seconds=WINDOW_S)
    assert (await room.charge(call)).captured_minor == 1_650


async def test_time_that_is_told_of_in_the_window_is_not_added_to_the_bill(slow: Room) -> None:
    room = slow
    call = await paid_call(room)
    async with room.db.begin() as tx:
        await room.meter.on_interval_closed(tx, IntervalClosed(call, 1, room.clock.now(), 60_000, "ended"))
    await later(room, seconds=WINDOW_S)
    assert (await room.charge(call)).captured_minor == 1_650


@pytest.mark.parametrize(("left", "waits_s"), [(timedelta(days=1, seconds=30), 30), (timedelta(hours=20), None)])
async def test_the_window_closes_a_day_before_the_hold_would_lapse(
    slow: Room, left: timedelta, waits_s: int | None
) -> None:
    room = slow
    call = await room.open()
    await room.talk(call, 660_000)
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE hold SET capture_before = :at"), {"at": tx.now + left})
    await room.end(call)
    charge = await room.charge(call)
    if waits_s is None:
        assert charge.state == "captured"
    else:
        assert charge.review_until == room.clock.now() + timedelta(seconds=waits_s)
        await later(room, seconds=waits_s)
        assert (await room.charge(call)).state == "captured"


async def test_two_workers_close_a_window_once(slow: Room) -> None:
    room = slow
    call = await paid_call(room)
    room.clock.advance(timedelta(seconds=WINDOW_S))
    await asyncio.gather(*(room.charges.run_due(room.db) for _ in range(2)))
    await room.work()
    assert (await room.kinds(call)).count("settled") == 1
    assert (await room.charge(call)).captured_minor == 1_650


async def test_a_call_keeps_the_window_it_was_accepted_under(slow: Room) -> None:
    room = slow
    call = await room.open()
    await window(room, 0, after=1)
    await room.talk(call, 660_000)
    await room.end(call)
    assert (await room.charge(call)).state == "reviewing"
    await later(room, seconds=WINDOW_S)
    assert (await room.charge(call)).state == "captured"
    following = await paid_call(room)
    assert (await room.charge(following)).state == "captured"


async def test_a_bill_that_cannot_be_settled_is_a_case_and_the_next_ones_do_not_wait(slow: Room) -> None:
    room = slow
    broken = await room.charge(await paid_call(room))
    await damage(room, broken.id, 20_000)
    sound = await paid_call(room)
    await later(room, seconds=WINDOW_S)
    assert (await room.charge(sound)).state == "captured"
    async with room.db.begin() as tx:
        cases = [(case.kind, case.charge_id, case.details) for case in await listed(tx, open_only=True)]
    assert cases == [("settlement_failed", broken.id, {"error": "ValueError"})]
    await damage(room, broken.id, 1_500)
    await later(room, minutes=10)
    assert (await room.charge(CallId(broken.call_id))).captured_minor == 1_650


async def damage(room: Room, charge_id: UUID, commission_bps: int) -> None:
    """A row no code of ours writes."""
    async with room.db.begin() as tx:
        await tx.session.execute(
            text("UPDATE charge SET commission_bps = :bps WHERE id = :id"), {"bps": commission_bps, "id": charge_id}
        )
