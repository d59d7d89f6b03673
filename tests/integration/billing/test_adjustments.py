"""Bills that are waived and entries that correct the books: over real PostgreSQL, with the second person."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from billing import timeline
from billing.adjustments.service import Correction
from billing.finance import approvals, store
from billing.ledger import entries, journal
from billing.reconciliation import months
from core.errors import Conflict, Forbidden, Refused
from core.ids import CallId, UserId, new_id
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import equal_to_stripe, paid_call
from tests.integration.billing.test_decisions import a_paid_call, refused, staff
from tests.integration.billing.test_routes import Scene, scene  # noqa: F401 - the fixture

ANNA, BEN = UserId(new_id()), UserId(new_id())


async def unpaid_call(room: Room) -> CallId:
    """A call of 16.50 whose capture failed, and the first attempt to collect it, too."""
    await room.sandbox.misbehave("capture_expires", "payment_intents.capture")
    call = await room.open()
    await room.talk(call, 660_000)
    await room.sandbox.misbehave("decline", "payment_intents.confirm", times=5, decline_code="insufficient_funds")
    await room.end(call)
    return call


async def ask(room: Room, call: CallId, wanted: Correction | None, *, by: UserId = ANNA, key: str | None = None) -> str:
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        row = await room.adjustments.request(
            tx, charge.id, wanted, note="They never got a picture.", key=key or str(uuid4()), by=by
        )
        return row.state


async def counted(room: Room, query: str) -> int:
    async with room.db.begin() as tx:
        return int(await tx.session.scalar(text(query)) or 0)


async def test_a_waived_bill_is_written_off_and_nobody_is_asked_for_it_again(room: Room) -> None:
    call = await unpaid_call(room)
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        assert await room.collection.limits(tx, room.customer)
        plan = await room.adjustments.preview(tx, charge.id, None)
    assert (plan.amount_minor, plan.four_eyes) == (1_650, False)
    assert sum(posting.amount_minor for posting in plan.postings) == 1_650
    assert await ask(room, call, None) == "booked"
    tried = len(await room.holds(call))
    charge = await room.charge(call)
    assert (charge.state, charge.captured_minor) == ("uncollectable", 0)
    assert set((await room.balances()).values()) == {0}
    async with room.db.begin() as tx:
        assert not await room.collection.limits(tx, room.customer)
        assert await room.collection.owed(tx, room.customer) == []
    room.clock.advance(timedelta(days=8))
    await room.work()
    assert len(await room.holds(call)) == tried
    assert await counted(room, "SELECT count(*) FROM billing_case WHERE kind = 'uncollectable'") == 0
    assert await counted(room, "SELECT count(*) FROM mail WHERE kind = 'payment_given_up'") == 0
    with pytest.raises(Conflict, match="Nothing is owed"):
        await ask(room, call, None)


async def test_nothing_is_waived_while_a_payment_is_under_way(room: Room) -> None:
    call = await unpaid_call(room)
    await room.sandbox.misbehave("authenticate", "payment_intents.confirm")
    charge = await room.charge(call)
    async with room.db.begin() as tx:
        await room.collection.pay(tx, room.customer, charge.id, new_id())
    with pytest.raises(Conflict, match="under way"):
        await ask(room, call, None)
    assert (await room.charge(call)).state == "settling"


async def test_above_the_limit_a_waiver_waits_for_a_second_person(room: Room) -> None:
    room.adjustments._limit = 1_000
    call = await unpaid_call(room)
    assert await ask(room, call, None) == "awaiting"
    assert (await room.charge(call)).state == "settling"
    async with room.db.begin() as tx:
        [waiting] = await approvals.waiting(tx)
        assert waiting.kind == approvals.WAIVE
        with pytest.raises(Forbidden):
            await approvals.decide(tx, waiting.id, ANNA, approved=True)
    async with room.db.begin() as tx:
        await approvals.decide(tx, waiting.id, BEN, approved=True)
        await room.adjustments.decided(tx, waiting.subject_id, BEN, approved=True)
    assert (await room.charge(call)).state == "uncollectable"


async def test_a_correction_takes_two_people_and_goes_into_the_open_month(room: Room) -> None:
    call = await paid_call(room)
    charge = await room.charge(call)
    room.clock.advance(timedelta(days=40))
    async with room.db.begin() as tx:
        closed = await months.close(tx, "2026-01", room.customer)
    wanted = Correction(entries.COMMISSION, entries.LOSSES, 48)
    key = str(uuid4())
    assert await ask(room, call, wanted, key=key) == "awaiting"
    assert await ask(room, call, wanted, key=key) == "awaiting"
    with pytest.raises(Conflict, match="another adjustment"):
        await ask(room, call, Correction(entries.COMMISSION, entries.LOSSES, 49), key=key)
    async with room.db.begin() as tx:
        assert await journal.balances_minor(tx, entries.LOSSES) == {}
        [waiting] = await approvals.waiting(tx)
        await approvals.decide(tx, waiting.id, BEN, approved=True)
        await room.adjustments.decided(tx, waiting.subject_id, BEN, approved=True)
    with pytest.raises(Conflict, match="not waiting"):
        async with room.db.begin() as tx:
            await room.adjustments.decided(tx, waiting.subject_id, BEN, approved=True)
    async with room.db.begin() as tx:
        assert await journal.balances_minor(tx, entries.LOSSES) == {"eur": 48}
        assert await journal.balances_minor(tx, entries.COMMISSION) == {"eur": -248 - 48}
        assert (await months.figures(tx, "2026-01"))["accounts"] == closed.figures["accounts"]
        assert (await months.figures(tx, "2026-02"))["bookings"] == {"correction": 1}
        told = [entry.kind for entry in await timeline.of_charge(tx, charge.id)]
    assert [kind for kind in told if kind.startswith("correction")] == ["correction_requested", "correction_booked"]
    await equal_to_stripe(room)


async def test_the_overview_follows_a_correction(room: Room) -> None:
    call = await paid_call(room)
    async with room.db.begin() as tx:
        [before] = await store.overview(tx)
    for wanted in (
        Correction(entries.payable(room.consultant), entries.COMMISSION, 48),
        Correction(entries.STRIPE_FEES, entries.LOSSES, 7),
    ):
        await ask(room, call, wanted)
        async with room.db.begin() as tx:
            [waiting] = await approvals.waiting(tx)
            await approvals.decide(tx, waiting.id, BEN, approved=True)
            await room.adjustments.decided(tx, waiting.subject_id, BEN, approved=True)
    async with room.db.begin() as tx:
        [after] = await store.overview(tx)
    assert after.commission_minor == before.commission_minor - 48
    assert after.payable_minor == before.payable_minor + 48
    assert after.fees_minor == before.fees_minor - 7


async def test_a_rejected_correction_books_nothing(room: Room) -> None:
    call = await paid_call(room)
    await ask(room, call, Correction(entries.CLEARING, entries.LOSSES, 10))
    async with room.db.begin() as tx:
        [waiting] = await approvals.waiting(tx)
        await approvals.decide(tx, waiting.id, BEN, approved=False)
        await room.adjustments.decided(tx, waiting.subject_id, BEN, approved=False)
    async with room.db.begin() as tx:
        assert await journal.balances_minor(tx, entries.LOSSES) == {}
    await equal_to_stripe(room)


async def test_neither_of_the_two_people_of_a_call_decides_about_it(room: Room) -> None:
    call = await paid_call(room)
    wanted = Correction(entries.COMMISSION, entries.payable(room.consultant), 100)
    for person in (room.customer, room.consultant):
        with pytest.raises(Forbidden, match="your own"):
            await ask(room, call, wanted, by=person)
    await ask(room, call, wanted)
    async with room.db.begin() as tx:
        [waiting] = await approvals.waiting(tx)
    with pytest.raises(Forbidden, match="your own"):
        async with room.db.begin() as tx:
            await room.adjustments.decided(tx, waiting.subject_id, room.consultant, approved=True)
    with pytest.raises(Refused, match="stays among"):
        await ask(room, call, Correction(entries.COMMISSION, entries.receivable(new_id()), 100))


async def test_over_http_it_is_previewed_asked_for_decided_and_shown(scene: Scene) -> None:  # noqa: F811
    await a_paid_call(scene)
    anna, ben = await staff(scene, "anna"), await staff(scene, "ben")
    [row] = (await scene.ask("GET", "/api/finance/charges", anna))["items"]
    path = f"/api/finance/charges/{row['charge_id']}"
    accounts = (await scene.ask("GET", f"{path}/accounts", anna))["accounts"]
    assert {entries.COMMISSION, entries.LOSSES} <= set(accounts)
    assert [account.rsplit(":", 1)[1] for account in accounts if account.startswith("customer:")] == ["receivable"]
    assert await refused(scene, "GET", f"{path}/adjustment?kind=waive", anna) == (409, "nothing_owed")
    assert (await refused(scene, "GET", f"{path}/adjustment?kind=correction", anna))[0] == 422
    asked = {"kind": "correction", "source": entries.COMMISSION, "destination": entries.LOSSES, "amount_minor": 48}
    wanted = "&".join(f"{name}={value}" for name, value in asked.items())
    plan = await scene.ask("GET", f"{path}/adjustment?{wanted}", anna)
    assert plan["four_eyes"]
    assert [(one["source"], one["destination"], one["amount_minor"]) for one in plan["postings"]] == [
        (entries.COMMISSION, entries.LOSSES, 48)
    ]
    body = {**asked, "note": "The fee was Stripe's own mistake.", "idempotency_key": str(uuid4())}
    assert (await scene.ask("POST", f"{path}/adjustments", anna, body))["state"] == "awaiting"
    [waiting] = (await scene.ask("GET", "/api/finance/approvals", ben))["items"]
    assert (waiting["kind"], waiting["amount_minor"]) == ("correction", 48)
    await scene.ask("POST", f"/api/finance/approvals/{waiting['id']}", ben, {"approved": True})
    detail = await scene.ask("GET", path, anna)
    assert [each["state"] for each in detail["adjustments"]] == ["booked"]
    booked = next(each for each in detail["transactions"] if each["kind"] == "correction")
    assert [posting["amount_minor"] for posting in booked["postings"]] == [48]
    actions = [entry["action"] for entry in (await scene.ask("GET", "/api/finance/audit", anna))["items"]]
    assert actions == [f"finance.correction_{what}" for what in ("booked", "approved", "asked", "requested")]
