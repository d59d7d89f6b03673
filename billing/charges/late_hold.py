"""The late hold: a trusted customer's is placed during the call, two minutes before it would cost anything.

Until it stands nothing is due, whatever the clock says; one that does not stand at the threshold ends the call there.
What decides is observed time, under the charge's lock: a hold is in time, or the threshold was reached without it.
"""

from datetime import timedelta

from billing import timeline
from billing.charges import calls, holds, store, waiting
from billing.charges.announcements import HOLD_DEFERRED, HOLD_MISSED, announce
from billing.charges.charge import Move, State, advance
from billing.facts import Observed
from billing.metering import store as meter_store
from billing.metering.intervals import closed_ms
from billing.metering.terms import LATE_HOLD_MS
from billing.models import ChargeRow, HoldRow
from core.db import Tx

# Connected time is what ends the wait for a late hold, and a pause stops that; this is the net below it.
LONGEST_WAIT = timedelta(hours=1)


async def begin(tx: Tx, charge: ChargeRow) -> None:
    """Begin without a hold, and let media start."""
    charge.late_hold_ms = LATE_HOLD_MS
    charge.state = advance(State(charge.state), Move.DEFER)
    timeline.record(tx, charge.id, "hold_deferred", at_ms=LATE_HOLD_MS)
    await announce(tx, charge.id, HOLD_DEFERRED)
    tx.touch([charge.customer_id, charge.consultant_id])


def awaited(charge: ChargeRow) -> bool:
    """Whether the hold of this charge comes late and does not stand yet."""
    return charge.late_hold_ms is not None and charge.secured_at is None


async def ask(tx: Tx, charge: ChargeRow) -> None:
    """Ask for the hold of the cap, once; without a card (it was removed meanwhile) the call ends at the threshold."""
    if charge.call_ended_at is not None or await store.holds(tx, charge.id):
        return
    if await holds.place(tx, charge, amount_minor=charge.cap_minor, within=LONGEST_WAIT) is None:
        timeline.record(tx, charge.id, "hold_impossible")


async def in_time(tx: Tx, charge: ChargeRow, hold: HoldRow, observed: Observed) -> bool:
    """Whether this hold stands before the threshold of a call that goes on."""
    over = charge.call_ended_at is not None and not waiting.is_open(charge, tx.now)
    if hold.unwanted or charge.state != State.METERING or over:
        return False
    told_ms = closed_ms(await meter_store.intervals(tx, charge))
    seen_ms = sum((await observed(tx, [part.call_id for part in await calls.parts(tx, charge)])).values())
    return max(told_ms, seen_ms) < charge.threshold_ms


def secure(tx: Tx, charge: ChargeRow) -> None:
    """The hold stands: from now on this call is like any other."""
    charge.secured_at = tx.now
    charge.next_deadline_at = tx.now  # the meter looks at its next tick: there are other marks now


async def miss(tx: Tx, charge: ChargeRow) -> None:
    """The threshold is reached without a hold: whatever is under way is let go, and the call ends, free."""
    for hold in await store.holds(tx, charge.id):
        await holds.let_go(tx, hold)
    if charge.call_ended_at is None:
        await announce(tx, charge.id, HOLD_MISSED)
