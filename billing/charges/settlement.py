"""Settlement: the one time a charge's bill is written, and the end when every hold has answered."""

from billing import invoices, timeline
from billing.cases import open_case
from billing.charges import commands, holds, raises, store
from billing.charges import hold as hold_machine
from billing.charges.allocation import allocate, coverable_minor
from billing.charges.announcements import HOLD_FAILED, SETTLED, announce
from billing.charges.charge import Move, State, advance
from billing.charges.command import Kind
from billing.collection import steps as collecting
from billing.credits import redeem
from billing.ledger import entries, journal
from billing.mails import outbox
from billing.metering import store as meter_store
from billing.metering.bill import Bill, bill_of
from billing.metering.intervals import running
from billing.models import ChargeRow, HoldRow
from core.db import Tx
from core.money import Currency, commission_minor


async def settle(tx: Tx, charge: ChargeRow) -> None:
    """Write the bill from what was observed, book it, and intend captures and releases: all in this transaction."""
    intervals = await meter_store.intervals(tx, charge)
    if running(intervals) is not None:  # nobody told us its end: only what was observed is billed
        timeline.record(tx, charge.id, "unfinished_interval_dropped")
    await raises.give_up_all(tx, charge)
    standing = await holds.reserve(tx, charge)
    due = _within_holds(tx, charge, bill_of(meter_store.price_of(charge), intervals), standing)
    charge.state = advance(State(charge.state), Move.SETTLE)
    charge.settling_at, charge.next_deadline_at = tx.now, None
    charge.connected_ms, charge.billed_ms = due.connected_ms, due.billed_ms
    charge.gross_minor, charge.commission_minor, charge.net_minor = due.gross_minor, due.commission_minor, due.net_minor
    timeline.record(tx, charge.id, "settled", connected_ms=due.connected_ms, gross_minor=due.gross_minor)
    await journal.book(
        tx,
        charge.id,
        key=f"settle:{charge.id}",
        kind="settlement",
        currency=charge.currency,
        postings=entries.settled(
            charge.customer_id,
            charge.consultant_id,
            share_minor=due.net_minor,
            commission_minor=due.commission_minor,
        ),
    )
    await _take(tx, charge, standing, due)
    tx.touch([charge.customer_id, charge.consultant_id])
    await conclude(tx, charge)


async def _take(tx: Tx, charge: ChargeRow, standing: list[HoldRow], due: Bill) -> None:
    parts = allocate(
        Currency(charge.currency),
        due.gross_minor,
        charge.commission_bps,
        [hold.amount_minor for hold in standing],
    )
    for hold, part in zip(standing, parts, strict=True):
        if part.amount_minor:
            await _capture(tx, hold, part.amount_minor, part.fee_minor)
    for hold in await store.holds(tx, charge.id):
        await holds.let_go(tx, hold)


async def _capture(tx: Tx, hold: HoldRow, amount_minor: int, fee_minor: int) -> None:
    hold.state = hold_machine.advance(hold_machine.State(hold.state), hold_machine.Move.CAPTURE)
    hold.capture_minor, hold.capture_fee_minor = amount_minor, fee_minor
    params = {"amount_minor": amount_minor, "fee_minor": fee_minor}
    await commands.intend(tx, hold, Kind.CAPTURE, key=f"capture:{hold.id}:1", params=params)


async def collect(tx: Tx, charge: ChargeRow, hold: HoldRow) -> None:
    """A hold for what is still owed stands: take it, if it is owed still."""
    collection = await collecting.of_charge(tx, charge.id)
    owed = collection is not None and collection.state == collecting.TRYING and charge.state == State.SETTLING
    if not owed or collection is None or hold.unwanted:
        await holds.let_go(tx, hold)
        return
    await _capture(tx, hold, collection.amount_minor, collection.fee_minor)


def _within_holds(tx: Tx, charge: ChargeRow, due: Bill, standing: list[HoldRow]) -> Bill:
    """Never more than the holds: a lapsed hold costs the platform a case, not the customer a surprise.

    Of a bill that was found wrong while it could be looked at, nothing.
    """
    if charge.waived:
        return Bill(due.connected_ms, due.billed_ms, 0, 0, 0)
    gross = coverable_minor(Currency(charge.currency), due.gross_minor, [hold.amount_minor for hold in standing])
    if due.gross_minor <= gross:
        return due
    held = sum(hold.amount_minor for hold in standing)
    open_case(tx, charge.id, "holds_do_not_cover", due_minor=due.gross_minor, held_minor=held)
    commission = commission_minor(gross, charge.commission_bps)
    return Bill(due.connected_ms, due.billed_ms, gross, commission, gross - commission)


async def abandon(tx: Tx, charge: ChargeRow, reason: str) -> None:
    """End a charge whose hold never stood; ``reason`` is empty when the call has ended already."""
    charge.state = advance(State(charge.state), Move.ABANDON)
    charge.settled_at = tx.now
    for hold in await store.holds(tx, charge.id):
        await holds.let_go(tx, hold)
    timeline.record(tx, charge.id, "abandoned", reason=reason or charge.close_reason)
    if reason:
        await announce(tx, charge.id, HOLD_FAILED, reason)
    tx.touch([charge.customer_id, charge.consultant_id])


async def conclude(tx: Tx, charge: ChargeRow) -> None:
    """End a settling charge once each of its holds has come to its end and nothing is left to collect."""
    everything = await store.holds(tx, charge.id)
    if charge.state != State.SETTLING or any(hold.state not in hold_machine.FINAL for hold in everything):
        return
    charge.captured_minor = sum(hold.captured_minor for hold in everything)
    missing = (charge.gross_minor or 0) - charge.captured_minor
    if missing > 0 and await _still_collecting(tx, charge, everything, missing):
        return
    move = Move.RELEASE if not charge.gross_minor else Move.CAPTURE
    if missing:
        move = Move.FAIL
        await _write_off(tx, charge, everything, missing)
    collection = await collecting.of_charge(tx, charge.id)
    if missing and (collection is None or collection.state != collecting.WAIVED):
        open_case(tx, charge.id, "uncollectable", missing_minor=missing, captured_minor=charge.captured_minor)
        if missing > 0:
            await outbox.note(tx, outbox.Kind.PAYMENT_GIVEN_UP, charge.id, charge.customer_id)
    if collection is not None:
        collecting.paid(tx, collection)
    charge.state = advance(State.SETTLING, move)
    charge.settled_at = tx.now
    timeline.record(tx, charge.id, charge.state, captured_minor=charge.captured_minor)
    if charge.state == State.CAPTURED:
        await redeem.set_against(tx, charge)
    if await invoices.issue_invoice(tx, charge) is not None:
        await outbox.note(tx, outbox.Kind.RECEIPT, charge.id, charge.customer_id)
    await announce(tx, charge.id, SETTLED)
    tx.touch([charge.customer_id, charge.consultant_id])


async def _still_collecting(tx: Tx, charge: ChargeRow, everything: list[HoldRow], missing: int) -> bool:
    """Whether what is missing may still come; an attempt that has just ended is followed by the next."""
    collection = await collecting.of_charge(tx, charge.id)
    if collection is None:
        collecting.begin(tx, charge, amount_minor=missing, fee_minor=_missing_fee(charge, everything))
        await outbox.note(tx, outbox.Kind.PAYMENT_FAILED, charge.id, charge.customer_id)
        return True
    if collection.state == collecting.TRYING and collection.next_at is None:
        collecting.failed(tx, collection, everything[-1].decline_message or "The payment did not go through.")
    return collection.state == collecting.TRYING


def _missing_fee(charge: ChargeRow, everything: list[HoldRow]) -> int:
    taken = sum(hold.capture_fee_minor for hold in everything if hold.state == hold_machine.State.CAPTURED)
    return (charge.commission_minor or 0) - taken


async def _write_off(tx: Tx, charge: ChargeRow, everything: list[HoldRow], missing: int) -> None:
    """Book away what will not come."""
    fee = _missing_fee(charge, everything)
    if missing > 0:
        await journal.book(
            tx,
            charge.id,
            key=f"uncollectable:{charge.id}",
            kind="write_off",
            currency=charge.currency,
            postings=entries.written_off(
                charge.customer_id, charge.consultant_id, share_minor=missing - fee, commission_minor=fee
            ),
        )
