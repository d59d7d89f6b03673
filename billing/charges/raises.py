"""Raises: a hold that stands is made larger on the same intent, where the card's bank offers that."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from billing import timeline
from billing.charges import charge as charges
from billing.charges import command as command_machine
from billing.charges import commands, holds, store
from billing.charges.command import Kind
from billing.charges.hold import FINAL as HOLD_FINAL
from billing.charges.hold import UNDECIDED
from billing.charges.hold import State as HoldState
from billing.charges.increment import Move, State, advance, known_amounts, may_be_raised, told
from billing.models import ChargeRow, CommandRow, HoldRaiseRow, HoldRow
from billing.provider.objects import Hold
from core.db import Database, Tx
from core.ids import new_id

NOT_WANTED = "not_wanted"
_OVER = frozenset({"succeeded", "canceled"})  # statuses after which nothing more can be held


async def of_hold(tx: Tx, hold_id: UUID) -> list[HoldRaiseRow]:
    """The raises of a hold, first to last, read anew."""
    query = select(HoldRaiseRow).where(HoldRaiseRow.hold_id == hold_id).order_by(HoldRaiseRow.n)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


async def of_charge(tx: Tx, charge_id: UUID) -> list[HoldRaiseRow]:
    """The raises of all holds of a charge, read anew."""
    query = select(HoldRaiseRow).join(HoldRow, HoldRow.id == HoldRaiseRow.hold_id).where(HoldRow.charge_id == charge_id)
    query = query.order_by(HoldRow.n, HoldRaiseRow.n)
    return list(await tx.session.scalars(query.execution_options(populate_existing=True)))


def pending(standing: Sequence[HoldRow], raised: Sequence[HoldRaiseRow]) -> bool:
    """Whether an extension is under way: a hold that does not stand yet, or a raise without an answer."""
    return any(hold.state in UNDECIDED for hold in standing) or any(row.state == State.ASKED for row in raised)


async def raisable(tx: Tx, charge: ChargeRow) -> HoldRow | None:
    """The first hold that stands and may be raised, on the card a further one would be placed with.

    Whoever chose another card since wants that one to be asked; None too where there is no card at all.
    """
    means = await holds.means_of(tx, charge)
    if means is None:
        return None
    card, destination_id = means
    for hold in await holds.reserve(tx, charge):
        before = [State(row.state) for row in await of_hold(tx, hold.id)]
        if not may_be_raised(incremental=hold.incremental, raises=before):
            continue
        created = next(row for row in await store.commands(tx, hold.id) if row.kind == Kind.CREATE)
        same = (card.payment_method_id, destination_id)
        if same == (created.params["payment_method_id"], created.params["destination_id"]):
            return hold
    return None


async def ask(tx: Tx, hold: HoldRow, *, by_minor: int, within: timedelta, client_key: str) -> None:
    """Write down that a hold is to be raised, and the command that asks the bank for it."""
    row = HoldRaiseRow(
        id=new_id(),
        hold_id=hold.id,
        n=len(await of_hold(tx, hold.id)) + 1,
        client_key=client_key,
        state=State.ASKED,
        from_minor=hold.amount_minor,
        to_minor=hold.amount_minor + by_minor,
        created_at=tx.now,
        expires_at=tx.now + within,
        finished_at=None,
    )
    tx.session.add(row)
    await tx.session.flush()
    params = {"amount_minor": row.to_minor}
    await commands.intend(tx, hold, Kind.INCREMENT, key=f"raise:{row.id}", params=params, subject_id=row.id)
    timeline.record(tx, hold.charge_id, "raise_requested", n=hold.n, amount_minor=row.to_minor)


async def agrees(tx: Tx, hold: HoldRow, seen: Hold) -> bool:
    """Whether the intent's amount is one we asked for: the first, or any it was to be raised to."""
    if seen.amount_minor == hold.amount_minor:
        return True
    asked = [(row.from_minor, row.to_minor) for row in await of_hold(tx, hold.id)]
    return seen.amount_minor in known_amounts(hold.amount_minor, asked)


async def take_in(tx: Tx, charge: ChargeRow, hold: HoldRow, seen: Hold) -> None:
    """Note what the bank holds by now. The cap grows with it while the call runs; what comes late raises nothing."""
    rows = [] if hold.state in HOLD_FINAL else await of_hold(tx, hold.id)
    if not rows:
        return
    if hold.state != HoldState.HELD or seen.status in _OVER or not _runs(charge):
        await give_up(tx, hold, "call_ended")
    for row in rows:
        move = told(State(row.state), row.to_minor, seen.amount_minor)
        if move is None:
            continue
        row.state = advance(State(row.state), move)
        row.finished_at, row.expires_at = row.finished_at or tx.now, None
        hold.amount_minor = max(hold.amount_minor, row.to_minor)
        hold.capture_before = seen.capture_before or hold.capture_before
        timeline.record(tx, charge.id, "hold_raised", n=hold.n, amount_minor=hold.amount_minor)
        await _finish_command(tx, row, seen)
        if row.state == State.GRANTED:
            holds.extend(tx, charge, row.to_minor - row.from_minor)
        tx.touch([charge.customer_id, charge.consultant_id])


async def give_up(tx: Tx, hold: HoldRow, why: str) -> None:
    """Wait for no raise of this hold any more: one that nobody has sent never is, one that was is only looked at."""
    for row in await of_hold(tx, hold.id):
        if row.state != State.ASKED:
            continue
        _end(tx, row, Move.GIVE_UP)
        timeline.record(tx, hold.charge_id, "raise_given_up", n=hold.n, reason=why)
        command = await _command(tx, row)
        if command is None:
            continue
        if command.first_sent_at is None:
            commands.close(tx, command, command_machine.Move.REFUSE, reason=NOT_WANTED)
        else:
            command.outcome = {**(command.outcome or {}), "ask": True}


async def give_up_all(tx: Tx, charge: ChargeRow) -> None:
    """The same for every hold of a charge: its call is over."""
    asked = {row.hold_id for row in await of_charge(tx, charge.id) if row.state == State.ASKED}
    for hold in [hold for hold in await store.holds(tx, charge.id) if hold.id in asked]:
        await give_up(tx, hold, "call_ended")


async def wanted(tx: Tx, raise_id: UUID | None) -> bool:
    """Whether somebody still waits for this raise."""
    row = await tx.session.get(HoldRaiseRow, raise_id, populate_existing=True)
    return row is not None and row.state == State.ASKED


async def refused(tx: Tx, charge: ChargeRow, hold: HoldRow, raise_id: UUID | None, *, within: timedelta) -> None:
    """The bank, or Stripe, said no: ask for a further hold in its place, where the call still runs."""
    row = await tx.session.get(HoldRaiseRow, raise_id, populate_existing=True)
    if row is None or row.state != State.ASKED:
        return
    _end(tx, row, Move.DECLINE)
    timeline.record(tx, charge.id, "raise_declined", n=hold.n)
    tx.touch([charge.customer_id, charge.consultant_id])
    if _runs(charge):
        by_minor = row.to_minor - row.from_minor
        placed = await holds.place(tx, charge, amount_minor=by_minor, within=within, client_key=row.client_key)
        if placed is None:
            timeline.record(tx, charge.id, "hold_impossible")


async def expire(db: Database) -> int:
    """Wait no longer for raises whose time is over; the hold stands as it was. Returns how many."""
    done = 0
    while True:
        async with db.begin() as tx:
            query = select(HoldRaiseRow).where(HoldRaiseRow.expires_at <= tx.now).order_by(HoldRaiseRow.expires_at)
            found = (await tx.session.scalars(query.limit(1))).one_or_none()
            if found is None:
                return done
            known = await store.hold(tx, found.hold_id)
            assert known is not None
            charge = await store.lock(tx, known.charge_id)
            hold = await store.hold(tx, found.hold_id)
            assert hold is not None
            await tx.session.refresh(found)
            if found.expires_at is not None:  # nobody has answered while we waited for the lock
                await give_up(tx, hold, "payment_unavailable")
                tx.touch([charge.customer_id, charge.consultant_id])
        done += 1


def _runs(charge: ChargeRow) -> bool:
    return charge.state == charges.State.METERING and charge.call_ended_at is None


def _end(tx: Tx, row: HoldRaiseRow, move: Move) -> None:
    row.state = advance(State(row.state), move)
    row.finished_at, row.expires_at = tx.now, None


async def _finish_command(tx: Tx, row: HoldRaiseRow, seen: Hold) -> None:
    command = await _command(tx, row)
    if command is not None:
        commands.close(tx, command, command_machine.Move.FINISH, intent=seen.id, amount_minor=seen.amount_minor)


async def _command(tx: Tx, row: HoldRaiseRow) -> CommandRow | None:
    """What still carries this raise to Stripe, read anew."""
    for command in await store.commands(tx, row.hold_id):
        if command.subject_id == row.id and command.state not in command_machine.FINAL:
            return command
    return None
