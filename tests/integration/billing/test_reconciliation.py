"""Reconciliation finds a cent anywhere in any line of Stripe's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from billing.ledger import entries, journal
from billing.models import PayoutAccountRow
from billing.reconciliation.models import ProviderLineRow, RunRow
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
