"""Commands to Stripe as rows: intended in the transaction that wants them, with a key that never changes."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from billing.charges import command as machine
from billing.charges import store
from billing.models import CommandRow, HoldRow
from core.db import Tx
from core.ids import new_id

TASK = "billing.send_command"
FIRST = 10  # priority: a capture brings two webhooks, and they must not hold up the captures behind it
SWEEP_AFTER = timedelta(seconds=10)  # the job is there at once; the sweeper is the net below it


async def intend(
    tx: Tx,
    hold: HoldRow,
    kind: machine.Kind,
    *,
    key: str,
    params: dict[str, Any],
    subject_id: UUID | None = None,
    pause: timedelta | None = None,
) -> None:
    """Write a command down and leave the job that sends it (after ``pause``: the sweeper does).

    ``subject_id`` is the part of a refund or the dispute it serves.
    """
    encoded = json.dumps(params, sort_keys=True, separators=(",", ":"))
    row = CommandRow(
        id=new_id(),
        charge_id=hold.charge_id,
        hold_id=hold.id,
        subject_id=subject_id,
        kind=kind,
        key=key,
        params=params,
        params_hash=hashlib.sha256(encoded.encode()).hexdigest(),
        state=machine.State.INTENDED,
        attempts=0,
        created_at=tx.now,
        first_sent_at=None,
        due_at=tx.now + (pause or SWEEP_AFTER),
        absent_at=None,
        finished_at=None,
        outcome=None,
    )
    tx.session.add(row)
    await tx.session.flush()
    if pause is None:
        await defer(tx, row.id)


async def defer(tx: Tx, command_id: UUID) -> None:
    """Leave a job that sends the command; more than one does no harm."""
    await tx.defer(TASK, priority=FIRST, command_id=str(command_id))


def close(tx: Tx, row: CommandRow, move: machine.Move, **outcome: Any) -> None:
    """End a command as done or refused."""
    row.state = machine.advance(machine.State(row.state), move)
    row.due_at, row.finished_at, row.outcome = None, tx.now, outcome


async def renew(tx: Tx, row: CommandRow, hold: HoldRow) -> None:
    """Replace a command whose key answers nothing new, after Stripe itself said that it had no effect."""
    close(tx, row, machine.Move.REFUSE, reason="no_effect")
    base, _, number = row.key.partition("~")
    following = int(number or 1) + 1
    pause = machine.pause(following, 0.5, hurried=False)
    await intend(
        tx,
        hold,
        machine.Kind(row.kind),
        key=f"{base}~{following}",
        params=dict(row.params),
        subject_id=row.subject_id,
        pause=pause,
    )


async def unsent(tx: Tx, hold: HoldRow, kind: machine.Kind) -> CommandRow | None:
    """The command of this kind that nobody has tried to send yet."""
    for row in await store.commands(tx, hold.id):
        if row.kind == kind and row.state == machine.State.INTENDED and row.first_sent_at is None:
            return row
    return None
