"""From the hold to the money: the ordinary stories, on real PostgreSQL and the sandbox."""

from datetime import timedelta
from uuid import UUID

from billing.charges import store
from billing.events import CapReached, ChargeSettled
from core.db import Tx
from media.events import IntervalClosed, IntervalOpened
from tests.integration.billing.room import Room
from tests.integration.billing.test_cards import MASTERCARD, add


async def test_a_call_past_ten_minutes_is_captured_and_fifteen_percent_split_off(room: Room) -> None:
    call = await room.open()
    assert room.names() == ["HoldPlaced"]
    await room.talk(call, 660_000)
    await room.end(call)
    charge = await room.charge(call)
    assert (charge.state, charge.gross_minor, charge.commission_minor, charge.net_minor) == (
        "captured",
        1650,
        248,
        1402,
    )
    assert charge.captured_minor == 1650
    [intent] = await room.intents()
    assert (intent["status"], intent["amount_received"], intent["application_fee_amount"]) == ("succeeded", 1650, 248)
    settled = room.heard[-1]
    assert isinstance(settled, ChargeSettled)
    assert (settled.state, settled.gross_minor) == ("captured", 1650)
    assert (settled.connected_ms, settled.threshold_passed) == (660_000, True)


async def test_the_books_say_what_stripe_says(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 660_000)
    await room.end(call)
    [hold] = await room.holds(call)
    balances = await room.balances()
    fee = hold.provider_fee_minor or 0
    assert sum(balances.values()) == 0
    assert balances.pop("stripe:clearing") == 248 - fee
    assert balances.pop("platform:commission") == -248
    assert balances.pop("platform:stripe_fees", 0) == fee
    assert balances.pop(f"connected:{room.consultant}:balance") == 1_402
    assert balances.pop(f"connected:{room.consultant}:sent") == -1_402
    assert set(balances.values()) == {0}


async def test_a_call_of_nine_fifty_nine_costs_nothing_and_the_hold_is_released(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 599_999)
    await room.end(call)
    charge = await room.charge(call)
    assert (charge.state, charge.gross_minor, charge.connected_ms) == ("released", 0, 599_999)
    [intent] = await room.intents()
    assert intent["status"] == "canceled"
    assert await room.balances() == {}


async def test_nobody_joined_releases_the_hold(room: Room) -> None:
    call = await room.open()
    await room.end(call, "no_show")
    assert (await room.charge(call)).state == "released"


async def test_warnings_threshold_and_cap_are_evidence_and_the_cap_ends_the_call(room: Room) -> None:
    call = await room.open()
    started = room.clock.now()
    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(call, 0, started))
    for second in (479, 480, 570, 600, 1_620, 1_770, 1_799):
        room.clock.advance(started + timedelta(seconds=second) - room.clock.now())
        await room.work()
    assert "CapReached" not in room.names()
    room.clock.advance(timedelta(seconds=1))
    await room.work()
    assert "CapReached" in room.names()
    async with room.db.begin() as tx:
        await room.meter.on_interval_closed(tx, IntervalClosed(call, 0, started, 1_800_400, "ended"))
    await room.end(call, "cap_reached")
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 4_500)
    marks = [kind for kind in await room.kinds(call) if kind.startswith(("threshold", "cap_"))]
    assert marks == [
        "threshold_in_2_min",
        "threshold_in_30_s",
        "threshold_passed",
        "cap_in_3_min",
        "cap_in_30_s",
        "cap_reached",
    ]


async def test_an_extension_is_a_second_hold_and_raises_the_cap_once(room: Room) -> None:
    await add(room, MASTERCARD, make_default=True)  # its holds cannot be raised
    call = await room.open()
    for _ in range(2):  # a double click
        async with room.db.begin() as tx:
            await room.charges.extend(tx, room.customer, call, UUID(int=1))
    await room.work()
    assert (await room.charge(call)).cap_minor == 6_000
    await room.talk(call, 2_000_000)
    await room.end(call)
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("captured", 5_000)
    received = [intent["amount_received"] for intent in await room.intents()]
    assert sorted(received) == [500, 4_500]
    fees = sum(hold.capture_fee_minor for hold in await room.holds(call))
    assert fees == charge.commission_minor == 750


async def test_a_cap_raised_while_the_end_is_announced_lets_the_call_go_on_to_the_new_one(room: Room) -> None:
    call = await room.open()
    started = room.clock.now()

    async def raise_it_meanwhile(_tx: Tx, event: CapReached) -> None:
        async with room.db.begin() as another:  # an extension comes to stand after the announcement has looked
            charge = await store.lock_of_call(another, event.call_id)
            assert charge is not None
            charge.cap_minor, charge.next_deadline_at = 6_000, another.now

    async with room.db.begin() as tx:
        await room.meter.on_interval_opened(tx, IntervalOpened(call, 0, started))
    room.bus.connect({CapReached: (raise_it_meanwhile, room.hear)})
    room.clock.advance(timedelta(seconds=1_800))
    await room.work()
    assert room.names().count("CapReached") == 1
    assert (await room.charge(call)).call_ended_at is None
    room.bus.connect({CapReached: (room.hear,)})
    room.clock.advance(timedelta(seconds=600))
    await room.work()
    charge = await room.charge(call)
    assert charge.call_ended_at is not None
    assert charge.close_reason == "cap_reached"


async def test_session_closed_twice_settles_once(room: Room) -> None:
    call = await room.open()
    await room.talk(call, 700_000)
    await room.end(call)
    await room.end(call)
    assert (await room.kinds(call)).count("settled") == 1
    assert room.names().count("ChargeSettled") == 1
