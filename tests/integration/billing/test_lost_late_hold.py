"""A lost call whose hold comes late, and a lost call whose bill may be looked at: both rules at once."""

from datetime import timedelta

import pytest

from billing import house_terms
from billing.charges.rescue import RescueOver
from billing.metering.terms import LATE_HOLD_MS
from core.ids import CallId
from media.events import IntervalClosed, IntervalOpened
from tests.integration.billing.room import Room
from tests.integration.billing.test_late_hold import ADMIN, at, begin, new_intents, recomputed, trusted
from tests.integration.billing.test_rescue import MINUTE_MS, lost

__all__ = ["trusted"]  # the fixture


async def goes_on(room: Room, first: CallId) -> CallId:
    """Somebody comes back, and both are seen."""
    second = await room.come_back(first)
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(second, 0, room.clock.now()))
    return second


async def test_the_hold_is_placed_where_both_parts_make_eight_minutes(trusted: Room) -> None:
    room = trusted
    first = await lost(room, 6 * MINUTE_MS)
    assert await room.holds(first) == []
    second = await goes_on(room, first)
    await at(room, second, LATE_HOLD_MS - 6 * MINUTE_MS - 100)
    assert await new_intents(room, first) == []
    await at(room, second, LATE_HOLD_MS - 6 * MINUTE_MS)
    assert [hold.state for hold in await room.holds(first)] == ["held"]
    await _close(room, second, 5 * MINUTE_MS)
    assert (await room.charge(first)).captured_minor == 1_650
    assert await recomputed(room) == []


async def test_a_hold_under_way_when_the_call_is_lost_comes_to_stand_meanwhile(trusted: Room) -> None:
    room = trusted
    first = await begin(room)
    room.clock.advance(timedelta(milliseconds=LATE_HOLD_MS))
    await room.meter.run_due(room.db)  # asked for; Stripe has not heard of it yet
    assert [hold.state for hold in await room.holds(first)] == ["placing"]
    await _lose(room, first, LATE_HOLD_MS)
    assert [hold.state for hold in await room.holds(first)] == ["held"]
    assert (await room.charge(first)).secured_at is not None
    second = await goes_on(room, first)
    await _close(room, second, 3 * MINUTE_MS)
    assert (await room.charge(first)).captured_minor == 1_650
    assert "hold_missed" not in await room.kinds(first)


async def test_a_hold_that_fell_due_when_the_call_was_over_is_asked_for_at_the_return(trusted: Room) -> None:
    room = trusted
    first = await begin(room)
    room.clock.advance(timedelta(milliseconds=LATE_HOLD_MS + 5_000))
    async with room.db.begin() as tx:  # no worker looked meanwhile, and what was observed is told last
        await room.charges.on_call_ended(tx, room.ended(first, "connection_lost"))
    await _lose(room, first, LATE_HOLD_MS + 5_000)
    assert await room.holds(first) == []
    second = await goes_on(room, first)
    await room.work()
    assert [hold.state for hold in await room.holds(first)] == ["held"]
    await _close(room, second, 3 * MINUTE_MS)
    assert (await room.charge(first)).captured_minor == 1_663


async def test_a_hold_that_stood_meanwhile_is_let_go_when_nobody_comes_back(trusted: Room) -> None:
    room = trusted
    first = await begin(room)
    room.clock.advance(timedelta(milliseconds=LATE_HOLD_MS))
    await room.meter.run_due(room.db)
    await _lose(room, first, LATE_HOLD_MS)
    room.clock.advance(timedelta(minutes=10))
    await room.work()
    assert [hold.state for hold in await room.holds(first)] == ["released"]
    charge = await room.charge(first)
    assert (charge.state, charge.captured_minor) == ("released", 0)


async def test_nobody_comes_back_to_a_call_that_reached_the_threshold_without_its_hold(trusted: Room) -> None:
    room = trusted
    first = await lost(room, 10 * MINUTE_MS)
    charge = await room.charge(first)
    assert (charge.state, charge.captured_minor) == ("released", 0)
    with pytest.raises(RescueOver):
        await room.come_back(first)


async def test_the_bill_of_a_lost_call_may_be_looked_at_once_nobody_comes_back(room: Room) -> None:
    async with room.db.begin() as tx:
        await house_terms.change(tx, ADMIN, after=0, late_hold=False, review_window_s=600, reason="tried out")
    call = await lost(room, 11 * MINUTE_MS)
    assert (await room.charge(call)).state == "metering"
    room.clock.advance(timedelta(minutes=10))
    await room.work()
    charge = await room.charge(call)
    assert (charge.state, charge.review_until) == ("reviewing", room.clock.now() + timedelta(minutes=10))
    with pytest.raises(RescueOver):
        await room.come_back(call)
    async with room.db.begin() as tx:
        await room.rescues.give_up(tx, room.customer, call)  # too late, and no matter
    room.clock.advance(timedelta(minutes=10))
    await room.work()
    assert (await room.charge(call)).captured_minor == 1_650


async def _lose(room: Room, call: CallId, ms: int) -> None:
    await _closed(room, call, ms, "customer_unseen")
    await room.end(call, "connection_lost")


async def _close(room: Room, call: CallId, ms: int) -> None:
    await at(room, call, ms)
    await _closed(room, call, ms, "ended")
    await room.end(call)


async def _closed(room: Room, call: CallId, ms: int, cause: str) -> None:
    async with room.db.begin() as tx:
        started = room.clock.now() - timedelta(milliseconds=ms)
        await room.meter.on_interval_closed(tx, IntervalClosed(call, 0, started, ms, cause))
