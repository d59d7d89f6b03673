"""Reconciliation finds a cent anywhere: in any line of Stripe's, in any figure of ours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from billing.cases import close_case, listed
from billing.ledger import entries, journal
from billing.models import PayoutAccountRow
from billing.reconciliation import recompute
from billing.reconciliation.models import ProviderLineRow, RunRow
from core.ids import UserId, new_id
from tests.integration.billing.room import Room
from tests.integration.billing.test_after_capture import account_of, hear_everything, paid_call, refund


@pytest.fixture(autouse=True)
def today(room: Room) -> None:
    """Stripe's lines carry the time of this machine: so do ours here."""
    room.clock.advance(datetime.now(UTC) - room.clock.now())


async def everything_happened(room: Room) -> None:
    """Captures, a refund, a dispute lost, a payout and a failed one: every kind of line there is."""
    await paid_call(room)
    await refund(room, await paid_call(room, 700_000), 500)
    call = await paid_call(room, 800_000)
    intent = next(hold.provider_id for hold in await room.holds(call))
    assert intent is not None
    claimed = await room.sandbox.dispute(intent)
    await hear_everything(room)
    await room.sandbox.decide(claimed, "lost")
    await hear_everything(room)
    [payout] = await room.sandbox.pay_out(await account_of(room))
    await hear_everything(room)
    await room.sandbox.fail_payout(payout)
    await room.sandbox.top_up(700)
    await hear_everything(room)
    async with room.db.begin() as tx:  # as if worked off in the past: the clock of the room stands still
        await tx.session.execute(text("UPDATE stripe_event SET processed_at = now() WHERE processed_at IS NULL"))


async def run(room: Room, kind: str = "provider") -> RunRow:
    now = datetime.now(UTC)
    async with room.db.begin() as tx:
        if kind == "provider":
            row = await room.reconciliation.start(
                tx, kind, since=now - timedelta(hours=1), until=now + timedelta(hours=1)
            )
        else:
            row = await room.reconciliation.start(tx, kind, until=room.clock.now() + timedelta(hours=1))
    await room.work()
    async with room.db.begin() as tx:
        found = await tx.session.get(RunRow, row.id)
        assert found is not None
        return found


async def cases(room: Room) -> list[tuple[str, dict[str, Any]]]:
    async with room.db.begin() as tx:
        rows = await tx.session.execute(text("SELECT kind, details FROM billing_case ORDER BY opened_at, key"))
        return [(row[0], row[1]) for row in rows]


async def test_nothing_differs_after_everything_that_can_happen(room: Room) -> None:
    await everything_happened(room)
    done = await run(room)
    told = [one for one in await cases(room) if one[0] != "payout_failed"]
    assert (done.differences, told) == (0, []), told
    assert done.finished_at is not None
    assert done.totals["eur"]["difference_minor"] == 0
    async with room.db.begin() as tx:
        unexplained = await tx.session.scalar(
            text("SELECT count(*) FROM provider_line WHERE explained_by IS NULL OR finding IS NOT NULL")
        )
        count = await tx.session.scalar(text("SELECT count(*) FROM provider_line"))
    assert unexplained == 0
    assert count == done.checked > 20
    again = await run(room)
    assert again.differences == 0
    bills = await run(room, "bills")
    assert (bills.checked, bills.differences) == (3, 0)


async def test_a_cent_in_any_line_of_stripes_is_found_and_named(room: Room) -> None:
    await everything_happened(room)
    assert (await run(room)).differences == 0
    state = await room.sandbox.state()
    kinds: set[str] = set()
    for line in state["balance_transaction"]:
        await room.sandbox.tamper(line["id"], "amount", line["amount"] + 1)
        await room.sandbox.tamper(line["id"], "net", line["net"] + 1)
        assert (await run(room)).differences >= 1, line
        told = await cases(room)
        assert any(details.get("line") == line["id"] for _, details in told), (line, told)
        await room.sandbox.tamper(line["id"], "amount", line["amount"])
        await room.sandbox.tamper(line["id"], "net", line["net"])
        kinds.add(line["type"])
    assert kinds >= {
        "charge",
        "transfer",
        "application_fee",
        "payment",
        "refund",
        "transfer_refund",
        "payment_refund",
        "application_fee_refund",
        "adjustment",
        "payout",
        "payout_failure",
        "topup",
    }
    assert (await run(room)).differences == 0


async def test_a_fee_a_missing_and_an_unknown_line_are_found(room: Room) -> None:
    await everything_happened(room)
    await run(room)
    line = next(one for one in (await room.sandbox.state())["balance_transaction"] if one["type"] == "charge")
    await room.sandbox.tamper(line["id"], "fee", line["fee"] + 1)
    await room.sandbox.tamper(line["id"], "net", line["net"] - 1)
    await run(room)
    assert "fee_differs" in [kind for kind, _ in await cases(room)]
    await room.sandbox.forget(line["id"])
    await run(room)
    assert {"vanished_at_provider", "balance_differs"} <= {kind for kind, _ in await cases(room)}
    other = next(one for one in (await room.sandbox.state())["balance_transaction"] if one["type"] == "transfer")
    await room.sandbox.tamper(other["id"], "source", "tr_nobody_knows")
    await run(room)
    assert "unknown_line" in [kind for kind, _ in await cases(room)]


async def test_a_mismatch_holds_the_consultants_payouts(room: Room) -> None:
    await paid_call(room)
    line = next(one for one in (await room.sandbox.state())["balance_transaction"] if one["type"] == "payment")
    await room.sandbox.tamper(line["id"], "amount", line["amount"] - 1)
    await run(room)
    async with room.db.begin() as tx:
        account = await tx.session.get(PayoutAccountRow, room.consultant)
        assert account is not None
        assert account.held_at is None, "found once, it may be on its way"
    await run(room)
    async with room.db.begin() as tx:
        account = await tx.session.get(PayoutAccountRow, room.consultant)
        assert account is not None
        assert account.held_reason == "reconciliation: net_differs"
    with pytest.raises(AssertionError, match="manual"):
        await room.sandbox.pay_out(await account_of(room))


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


async def test_one_worker_starts_each_run_when_it_is_due(room: Room) -> None:
    async with room.db.begin() as tx:
        await tx.session.execute(text("DELETE FROM reconciliation_run"))
    assert await room.reconciliation.run_due(room.db) == 2
    assert await room.reconciliation.run_due(room.db) == 0
    await room.work()
    room.clock.advance(timedelta(minutes=61))
    assert await room.reconciliation.run_due(room.db) == 1
    async with room.db.begin() as tx:
        assert await tx.session.scalar(text("SELECT count(*) FROM reconciliation_run WHERE kind = 'provider'")) == 2
        assert await tx.session.get(ProviderLineRow, "txn_none") is None


async def test_what_was_missing_heals_when_its_line_appears(room: Room) -> None:
    await paid_call(room)
    until = datetime.now(UTC) + timedelta(hours=1)
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE provider_ref SET id = id || '_late' WHERE kind = 'charge'"))
    await run(room)
    assert "missing_at_provider" in [kind for kind, _ in await cases(room)]
    async with room.db.begin() as tx:
        await tx.session.execute(text("UPDATE provider_ref SET id = replace(id, '_late', '') WHERE kind = 'charge'"))
        await tx.session.execute(
            text(
                "UPDATE billing_case SET details = jsonb_set(details, '{object}', to_jsonb(replace(details->>'object',"
                " '_late', ''))) WHERE kind = 'missing_at_provider'"
            )
        )
    await run(room)
    async with room.db.begin() as tx:
        query = "SELECT resolution FROM billing_case WHERE kind = 'missing_at_provider' AND opened_at < :until"
        assert await tx.session.scalar(text(query), {"until": until}) == "agrees now"


async def test_a_run_goes_on_where_stripe_fell_silent(room: Room) -> None:
    await everything_happened(room)
    before = await cases(room)
    await room.sandbox.misbehave("down", "balance_transactions", times=8)
    started = await run(room)
    assert started.finished_at is None
    await room.sandbox.behave()
    room.clock.advance(timedelta(minutes=1))
    await room.reconciliation.run_due(room.db)
    await room.work()
    async with room.db.begin() as tx:
        done = await tx.session.get(RunRow, started.id)
        assert done is not None
        assert (done.differences, done.finished_at) == (0, room.clock.now())
        left = (
            "SELECT count(*) FILTER (WHERE due_at IS NOT NULL), count(*) FROM reconciliation_part WHERE run_id = :run"
        )
        assert (await tx.session.execute(text(left), {"run": started.id})).one() == (0, 3)
    assert await cases(room) == before


async def test_books_and_lines_are_compared_while_something_is_under_way(room: Room) -> None:
    await everything_happened(room)
    await room.open()
    async with room.db.begin() as tx:  # a command nobody finishes, and a booking nobody can explain
        await tx.session.execute(
            text("UPDATE command SET finished_at = NULL WHERE id = (SELECT max(id::text)::uuid FROM command)")
        )
        await journal.book(
            tx, None, key="nobody-knows", kind="stripe_fee", currency="eur", postings=entries.provider_fee(1)
        )
    await run(room)
    found = dict(await cases(room))
    assert "balance_differs" not in found
    assert found["books_differ_from_lines"]["difference_minor"] == 1
