"""Reconcile: what Stripe says of a PaymentIntent moves our hold forward. Answers, sweeper and webhooks all end here."""

from typing import Any
from uuid import UUID

from billing import provider_refs, timeline
from billing.cases import open_case
from billing.charges import charge as charges
from billing.charges import command as command_machine
from billing.charges import commands, holds, late_hold, raises, settlement, store
from billing.charges.announcements import HOLD_PLACED, announce
from billing.charges.hold import UNDECIDED, Move, State, advance, contradicts, told
from billing.facts import Observed
from billing.ledger import entries, journal
from billing.models import ChargeRow, HoldRow
from billing.provider.objects import Hold
from core.db import Tx


async def reconcile(tx: Tx, seen: Hold, *, return_base: str, observed: Observed) -> bool:
    """Take in what Stripe says, in any order and as often as it comes; False when the intent is not ours.

    ``observed`` says how far a call has come: what stands after the threshold stands too late.
    """
    found = await _find(tx, seen)
    if found is None:
        return False
    charge = await store.lock(tx, found.charge_id)
    hold = await store.hold(tx, found.id)
    assert hold is not None
    if not await _same(tx, hold, seen):
        return True
    hold.provider_id = seen.id
    await _finish_commands(tx, hold, seen)
    if contradicts(State(hold.state), seen.status):
        open_case(tx, charge.id, "captured_unasked", hold=hold.n, captured_minor=seen.captured_minor)
        return True
    await raises.take_in(tx, charge, hold, seen)
    move = told(State(hold.state), seen.status)
    if move is not None:
        await _follow(tx, charge, hold, move, seen, observed)
    if hold.state in UNDECIDED and hold.unwanted:
        await holds.let_go(tx, hold)
    elif hold.state == State.PLACING and seen.status == "requires_confirmation":
        await _confirm(tx, hold, f"{return_base}/call/{charge.call_id}")
    await _book_fee(tx, charge, hold, seen)
    await settlement.conclude(tx, charge)
    return True


async def _find(tx: Tx, seen: Hold) -> HoldRow | None:
    known = await store.hold_of_provider(tx, seen.id)
    if known is not None:
        return known
    try:
        return await store.hold(tx, UUID(seen.metadata.get("hold_id", "")))
    except ValueError:
        return None


async def _same(tx: Tx, hold: HoldRow, seen: Hold) -> bool:
    """One hold is one intent, of an amount and currency we asked for; anything else is for a person to judge."""
    agreed = hold.provider_id in (None, seen.id) and seen.currency == hold.currency
    if agreed and await raises.agrees(tx, hold, seen):
        return True
    open_case(tx, hold.charge_id, "intent_differs", hold=hold.n, intent=seen.id, amount_minor=seen.amount_minor)
    return False


async def _finish_commands(tx: Tx, hold: HoldRow, seen: Hold) -> None:
    for row in await store.commands(tx, hold.id):
        kind = command_machine.Kind(row.kind)
        if row.state not in command_machine.FINAL and command_machine.effect_seen(kind, seen.status):
            commands.close(tx, row, command_machine.Move.FINISH, intent=seen.id, status=seen.status)


async def _confirm(tx: Tx, hold: HoldRow, return_url: str) -> None:
    """The second step of placing: the intent exists, now the bank is asked. Once: ``n`` stays 1 for a hold."""
    asked = [row for row in await store.commands(tx, hold.id) if row.kind == command_machine.Kind.CONFIRM]
    if not asked:
        params: dict[str, Any] = {"return_url": return_url}
        if hold.purpose == holds.COLLECTION and hold.client_key is None:
            params["off_session"] = True  # nobody is there to answer the bank's questions
        await commands.intend(tx, hold, command_machine.Kind.CONFIRM, key=f"confirm:{hold.id}:1", params=params)


async def _follow(tx: Tx, charge: ChargeRow, hold: HoldRow, move: Move, seen: Hold, observed: Observed) -> None:
    hold.state = advance(State(hold.state), move)
    if hold.state != State.NEEDS_ACTION:
        hold.expires_at, hold.authenticate_url = None, None
    tx.touch([charge.customer_id, charge.consultant_id])
    if move is Move.ASK:
        hold.authenticate_url = seen.authenticate_url
        timeline.record(tx, charge.id, "authentication_needed", n=hold.n)
        if charge.state == charges.State.HOLDING:
            charge.state = charges.advance(charges.State.HOLDING, charges.Move.ASK)
    elif move is Move.STAND:
        await _stand(tx, charge, hold, seen, observed)
    elif move is Move.DECLINE:
        await declined(tx, charge, hold, seen.decline.message if seen.decline else "The card was declined.")
    elif move is Move.SUCCEED:
        await _captured(tx, charge, hold, seen)
    else:
        _finish(tx, hold, "hold_released" if move is Move.VANISH else f"hold_{hold.state}", reason=_why(seen))
        if move is Move.DROP and charge.state in charges.PREPARING:
            await settlement.abandon(tx, charge, "hold_declined")


async def _stand(tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Hold, observed: Observed) -> None:
    hold.capture_before, hold.incremental = seen.capture_before, seen.incremental
    awaited = hold.purpose == holds.CALL and late_hold.awaited(charge)
    if awaited and not await late_hold.in_time(tx, charge, hold, observed):
        timeline.record(tx, charge.id, "hold_too_late", n=hold.n, amount_minor=hold.amount_minor)
        await holds.let_go(tx, hold)
        return
    hold.held_at = tx.now
    timeline.record(tx, charge.id, "hold_placed", n=hold.n, amount_minor=hold.amount_minor)
    if hold.purpose == holds.COLLECTION:
        await settlement.collect(tx, charge, hold)
        return
    wanted = charge.state in {*charges.PREPARING, charges.State.METERING} and charge.call_ended_at is None
    if awaited:
        late_hold.secure(tx, charge)
    elif hold.unwanted or not wanted:
        await holds.let_go(tx, hold)
    elif charge.state == charges.State.METERING:
        holds.extend(tx, charge, hold.amount_minor)
    else:
        charge.state = charges.advance(charges.State(charge.state), charges.Move.STAND)
        await announce(tx, charge.id, HOLD_PLACED)


async def declined(tx: Tx, charge: ChargeRow, hold: HoldRow, message: str) -> None:
    """The bank said no (the hold is ``declined`` by now): on the first hold it ends the charge, not on an extension."""
    hold.decline_message = message
    _finish(tx, hold, "hold_declined", message=message)
    if charge.state in charges.PREPARING:
        await settlement.abandon(tx, charge, "hold_declined")


async def _captured(tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Hold) -> None:
    hold.captured_minor, hold.transfer_id = seen.captured_minor, seen.transfer_id
    await provider_refs.remember(
        tx,
        charge.id,
        hold.id,
        charge=seen.charge_id,
        transfer=seen.transfer_id,
        application_fee=seen.application_fee_id,
        destination_payment=seen.destination_payment_id,
    )
    fee = seen.application_fee_minor
    if seen.captured_minor != hold.capture_minor or fee not in (None, hold.capture_fee_minor):
        open_case(tx, charge.id, "capture_differs", hold=hold.n, captured_minor=seen.captured_minor, fee_minor=fee)
    await journal.book(
        tx,
        charge.id,
        key=f"capture:{hold.id}",
        kind="capture",
        currency=hold.currency,
        postings=entries.captured(
            charge.customer_id,
            charge.consultant_id,
            amount_minor=seen.captured_minor,
            share_minor=seen.captured_minor - (hold.capture_fee_minor if fee is None else fee),
        ),
    )
    _finish(tx, hold, "hold_captured", amount_minor=seen.captured_minor)


async def _book_fee(tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Hold) -> None:
    """Stripe's fee is known with the balance transaction, which may come later than the capture."""
    if hold.state != State.CAPTURED or hold.provider_fee_minor is not None or seen.fee_minor is None:
        return
    # The application fee is our own commission coming back to us, not a cost.
    hold.provider_fee_minor = seen.fee_minor
    await journal.book(
        tx,
        charge.id,
        key=f"fee:{hold.id}",
        kind="provider_fee",
        currency=hold.currency,
        postings=entries.provider_fee(seen.fee_minor),
    )


def _finish(tx: Tx, hold: HoldRow, kind: str, **details: Any) -> None:
    hold.finished_at = tx.now
    timeline.record(tx, hold.charge_id, kind, n=hold.n, **details)


def _why(seen: Hold) -> str | None:
    return seen.cancellation_reason
