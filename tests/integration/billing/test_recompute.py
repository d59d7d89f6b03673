"""The nightly recomputation finds a cent anywhere in a bill or its invoice, and holds whom it concerns at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from billing.cases import close_case, listed
from billing.models import PayoutAccountRow
from billing.reconciliation import recompute
from core.errors import Forbidden
from core.ids import UserId, new_id
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import account_of, paid_call, refund
from tests.integration.billing.test_reconciliation import cases, run, today  # noqa: F401 - the fixture


async def held_reason(room: Room) -> str | None:
    async with room.db.begin() as tx:
        account = await tx.session.get(PayoutAccountRow, room.consultant)
        assert account is not None
        return account.held_reason


async def alter(room: Room, statement: str) -> None:
    """As somebody with every right in the database could."""
    async with room.db.begin() as tx:
        await tx.session.execute(text(statement))


async def release(room: Room) -> None:
    async with room.db.begin() as tx:
        assert await room.money.release(tx, room.consultant, UserId(new_id()), "Looked at.")
    await room.work()


ONE_MORE = "UPDATE charge SET gross_minor = gross_minor + 1, net_minor = net_minor + 1"
ONE_LESS = "UPDATE charge SET gross_minor = gross_minor - 1, net_minor = net_minor - 1"


async def test_a_wrong_bill_holds_the_consultants_payouts_in_the_same_night(room: Room) -> None:
    await paid_call(room)
    await alter(room, ONE_MORE)
    await run(room, "bills")
    assert await held_reason(room) == "reconciliation: bill_differs"
    with pytest.raises(AssertionError, match="manual"):
        await room.sandbox.pay_out(await account_of(room))


async def test_everybody_who_looks_at_a_wrong_bill_at_once_sees_it_and_it_is_one_case_a_figure(room: Room) -> None:
    call = await paid_call(room)
    await alter(room, ONE_MORE)
    charge = await room.charge(call)

    async def look() -> tuple[str, ...]:
        async with room.db.begin() as tx:
            return tuple(one.figure for one in (await room.reconciliation.bill(tx, charge.id)).differences)

    first, *others = await asyncio.gather(*(look() for _ in range(4)))
    assert first
    assert others == [first] * 3
    async with room.db.begin() as tx:
        told = (await tx.session.scalars(text("SELECT details ->> 'figure' FROM billing_case"))).all()
    assert sorted(told) == sorted(first)


async def test_a_mended_bill_closes_its_cases_and_its_account_may_be_released(room: Room) -> None:
    await paid_call(room)
    await alter(room, ONE_MORE)
    await run(room, "bills")
    await alter(room, ONE_LESS)
    await run(room, "bills")
    async with room.db.begin() as tx:
        rows = (await tx.session.execute(text("SELECT kind, closed_at, resolution FROM billing_case"))).all()
    assert {tuple(row) for row in rows} == {("bill_differs", room.clock.now(), "agrees now")}
    assert await held_reason(room) is not None, "who holds back money also looks before it goes"
    await release(room)
    await run(room, "bills")
    assert await held_reason(room) is None
    await room.sandbox.pay_out(await account_of(room))
    await alter(room, ONE_MORE)
    await run(room, "bills")
    assert await held_reason(room) is not None, "what healed and differs again is a difference again"


async def test_a_wrong_bill_that_a_person_has_understood_holds_nobody_again(room: Room) -> None:
    await paid_call(room)
    await alter(room, ONE_MORE)
    await run(room, "bills")
    async with room.db.begin() as tx:
        for case in await listed(tx, open_only=True):
            await close_case(tx, case.id, UserId(new_id()), "A cent of ours, given away.")
    await release(room)
    assert (await run(room, "bills")).differences > 0
    assert await held_reason(room) is None


async def test_nobody_closes_a_case_about_their_own_money(room: Room) -> None:
    await paid_call(room)
    await alter(room, ONE_MORE)
    await run(room, "bills")
    async with room.db.begin() as tx:
        [case, *_] = await listed(tx, open_only=True)
        for own in (room.customer, room.consultant):
            with pytest.raises(Forbidden):
                await close_case(tx, case.id, own, "All is well.")


async def test_a_further_finding_about_a_held_account_is_told_and_asks_for_another_look_once(room: Room) -> None:
    await paid_call(room)
    moments = []
    for reason in ("reconciliation: one", "reconciliation: two", "reconciliation: two", "reconciliation: one"):
        room.clock.advance(timedelta(hours=1))
        async with room.db.begin() as tx:
            await room.money.hold(tx, room.consultant, reason, None)
            row = await tx.session.get_one(PayoutAccountRow, room.consultant)
            moments.append(row.held_at)
    assert moments[0] != moments[1] == moments[2] == moments[3]
    assert await held_reason(room) == "reconciliation: one; reconciliation: two"


FIGURES = (
    "UPDATE charge SET connected_ms = connected_ms + 1",
    "UPDATE charge SET billed_ms = billed_ms - 1",
    "UPDATE charge SET gross_minor = gross_minor + 1, net_minor = net_minor + 1",
    "UPDATE charge SET gross_minor = gross_minor - 1, commission_minor = commission_minor - 1",
    "UPDATE charge SET commission_minor = commission_minor + 1, net_minor = net_minor - 1",
    "UPDATE charge SET captured_minor = captured_minor - 1 WHERE captured_minor > 0",
    "UPDATE charge SET refunded_minor = refunded_minor + 1 WHERE captured_minor > 0",
    "UPDATE charge SET rate_minor_per_hour = rate_minor_per_hour + 6",
    "UPDATE charge SET commission_bps = commission_bps + 60",
    "UPDATE hold SET captured_minor = captured_minor + 1",
    "UPDATE posting SET amount_minor = amount_minor + 1 WHERE destination = 'stripe' || chr(58) || 'clearing'",
    "UPDATE billable_interval SET duration_ms = duration_ms + 300",
)


@pytest.mark.parametrize("injected", FIGURES)
async def test_a_cent_in_any_figure_of_a_bill_is_found_by_the_nightly_recomputation(room: Room, injected: str) -> None:
    await paid_call(room)
    await room.end(await room.open())
    assert (await run(room, "bills")).differences == 0
    async with room.db.begin() as tx:
        for table in ("posting", "billable_interval"):  # as somebody with every right in the database could
            await tx.session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        await tx.session.execute(text(injected))
        for table in ("posting", "billable_interval"):
            await tx.session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))
    done = await run(room, "bills")
    assert done.differences >= 1
    assert {kind for kind, _ in await cases(room)} == {"bill_differs"}
    first = len(await cases(room))
    await run(room, "bills")
    assert len(await cases(room)) == first, "found again, it is still the same case"


async def test_a_bill_is_computed_again_however_old_it_is(room: Room) -> None:
    await paid_call(room)
    await alter(room, "UPDATE charge SET settling_at = settling_at - interval '9 years'")
    await room.end(await room.open())
    await alter(room, ONE_MORE + " WHERE captured_minor > 0")
    done = await run(room, "bills")
    assert done.checked == 2
    assert {details["figure"] for _, details in await cases(room)} >= {"gross_minor", "net_minor"}


VAT_OF_NOTES = "UPDATE invoice SET vat_minor = vat_minor + 1, net_minor = net_minor - 1 WHERE kind = 'credit_note'"
TOO_MUCH_BACK = "UPDATE invoice SET gross_minor = gross_minor + 999, net_minor = net_minor + 999 WHERE number = 3"
INVOICES = (
    ("UPDATE invoice SET vat_minor = vat_minor + 1, net_minor = net_minor - 1", "invoice_vat_minor"),
    ("UPDATE invoice SET gross_minor = gross_minor + 1, net_minor = net_minor + 1", "invoice_gross_minor"),
    ("UPDATE invoice SET vat_rate_bps = 700", "invoice_vat_rate_bps"),
    ("UPDATE charge SET tax_rate_bps = 700 WHERE captured_minor > 0", "invoice_net_minor"),
    ("DELETE FROM invoice WHERE number = 2", "invoice_gross_minor"),
    (VAT_OF_NOTES, "credited_vat_minor"),
    (
        "UPDATE invoice SET gross_minor = gross_minor + 1000, net_minor = net_minor + 1000 WHERE number = 3",
        "credited_minor",
    ),
)


async def test_a_cent_in_any_invoice_or_credit_note_is_found_by_the_nightly_recomputation(room: Room) -> None:
    await paid_call(room, 601_234)
    call = await paid_call(room)
    for amount_minor in (333, 334, 335):  # 0.53 of VAT in each alone, 1.60 in all together
        await refund(room, call, amount_minor, key=str(amount_minor))
    assert (await run(room, "bills")).differences == 0
    async with room.db.begin() as tx:
        await tx.session.execute(text("ALTER TABLE invoice DISABLE TRIGGER ALL"))
        for injected, figure in INVOICES:
            async with tx.session.begin_nested() as undone:
                await tx.session.execute(text(injected))
                _, wrong = await recompute.differences(tx, tx.now - timedelta(days=1), tx.now + timedelta(days=1))
                assert figure in {one.figure for one in wrong}, injected
                await undone.rollback()
        await tx.session.execute(text("ALTER TABLE invoice ENABLE TRIGGER ALL"))
