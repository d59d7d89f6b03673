"""Rescue (decisions 2): the charge of a lost call waits until both come back, somebody gives up, or time is over."""

from datetime import datetime, timedelta

from billing import timeline
from billing.charges import calls, holds, late_hold, one_by_one, review, store, waiting
from billing.charges.charge import FINAL, State
from billing.charges.hold import State as HoldState
from billing.facts import Between, Blocked, Continued, Revoked
from billing.metering import store as meter_store
from billing.metering.bill import cap_ms
from billing.metering.intervals import closed_ms
from billing.metering.terms import LATE_HOLD_MS
from billing.models import ChargeRow
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import CallId, UserId

LOST, NOBODY_CAME = "connection_lost", "no_show"


class RescueOver(Refused):
    """The time to come back is over and the call is settled; ring again to go on."""

    code = "rescue_over"


async def wait(tx: Tx, charge: ChargeRow, window: timedelta) -> None:
    """The newest call of this charge has just ended, why is noted: set until when another may go on with it.

    A call to which nobody came back leaves the time that was still left as it is.
    """
    if charge.close_reason == NOBODY_CAME and charge.rescue_until is not None:
        return
    until = tx.now + window
    worthwhile = charge.close_reason == LOST and await _may_go_on(tx, charge, until)
    charge.rescue_until = until if worthwhile else None
    if worthwhile:
        timeline.record(tx, charge.id, "rescue_open", until=until.isoformat())


async def waits(tx: Tx, charge: ChargeRow) -> bool:
    """Whether settlement waits, now that every interval of the charge is final: decided anew by what they sum to."""
    return waiting.is_open(charge, tx.now) and await _time_is_left(tx, charge)


class RescueService:
    """Goes on with a charge, gives it up, and settles what nobody came back to."""

    async def on_call_continued(self, tx: Tx, event: Continued) -> None:
        """Count on in this call; raises RescueOver when that may no longer be, Conflict a moment too early."""
        charge = await store.lock_of_call(tx, event.continues_call_id)
        if charge is None or event.continues_call_id != calls.newest(charge) or not waiting.is_open(charge, tx.now):
            raise RescueOver
        if charge.books_closed_at is None:
            raise Conflict("The lost call is being closed; try again in a moment.", code="closing")
        if not await _may_go_on(tx, charge, tx.now) or not await _time_is_left(tx, charge):
            raise RescueOver
        intervals = await meter_store.intervals(tx, charge)
        known = max([len(intervals), *(interval.n for interval in intervals)])
        part = await calls.go_on(tx, charge, event.call_id, intervals_before=known)
        charge.call_ended_at = charge.close_reason = charge.books_closed_at = None
        timeline.record(tx, charge.id, "call_continued", part=part, connected_ms=closed_ms(intervals))
        if late_hold.awaited(charge) and closed_ms(intervals) >= LATE_HOLD_MS:
            await late_hold.ask(tx, charge)  # its mark was passed when the call was over, and is not passed again
        tx.touch([charge.customer_id, charge.consultant_id])

    async def give_up(self, tx: Tx, user: UserId, call_id: CallId) -> None:
        """Either side says that they are done: settle at once. Said twice, or too late, it changes nothing.

        Raises NotFound for anybody else, Conflict while they talk.
        """
        charge = await store.lock_of_call(tx, call_id)
        if charge is None or user not in {charge.customer_id, charge.consultant_id}:
            raise NotFound
        if charge.state in {State.REVIEWING, State.SETTLING, *FINAL}:
            return
        if charge.call_ended_at is None:
            raise Conflict("You are in the call; leave it to end it.", code="call_runs")
        _close(tx, charge, _done(charge, user))

    async def on_call_opened(self, tx: Tx, event: Between) -> None:
        """Whoever goes on to another call has given up the lost one; told of that one again, nobody has."""
        for charge in await store.lock_waiting(tx, event.customer_id, event.consultant_id):
            if charge.call_id != event.call_id:
                _close(tx, charge, "another_call")

    async def on_user_blocked(self, tx: Tx, event: Blocked) -> None:
        """Who is kept apart does not come back. Both read the evidence: it says who is done, never why."""
        both = {event.blocker_id, event.blocked_id}
        for charge in await store.lock_waiting(tx, event.blocker_id):
            if {charge.customer_id, charge.consultant_id} == both:
                _close(tx, charge, _done(charge, event.blocker_id))

    async def on_access_revoked(self, tx: Tx, event: Revoked) -> None:
        """An account that is gone does not come back."""
        if event.family_id is None and event.reason == "disabled":
            for charge in await store.lock_waiting(tx, event.user_id):
                _close(tx, charge, _done(charge, event.user_id))

    async def run_due(self, db: Database) -> int:
        """Settle every charge to which nobody comes back any more, each in its own transaction."""
        return await one_by_one.settle(db, store.claim_forsaken, review.settle_or_wait, _put_off)


def _put_off(charge: ChargeRow, until: datetime) -> None:
    charge.books_closed_at = until


def _close(tx: Tx, charge: ChargeRow, why: str) -> None:
    if charge.rescue_until is not None:
        charge.rescue_until = None
        timeline.record(tx, charge.id, "rescue_given_up", reason=why)
        tx.touch([charge.customer_id, charge.consultant_id])


def _done(charge: ChargeRow, user: UserId) -> str:
    return "customer_done" if user == charge.customer_id else "consultant_done"


async def _may_go_on(tx: Tx, charge: ChargeRow, until: datetime) -> bool:
    """Whether money could still be taken for more: a hold stands and lasts, and the consultant can be paid."""
    account = await store.payout(tx, charge.consultant_id)
    if charge.state != State.METERING or account is None or not account.can_receive:
        return False
    everything = await store.holds(tx, charge.id)
    stands = late_hold.awaited(charge) or any(hold.state == HoldState.HELD for hold in everything)
    return stands and not any(_fades(hold.state, hold.capture_before, until) for hold in everything)


def _fades(state: str, capture_before: datetime | None, until: datetime) -> bool:
    """Whether a hold is gone, or would be so soon after ``until`` that we would be warned of it."""
    if state == HoldState.LAPSED:
        return True
    return state == HoldState.HELD and capture_before is not None and capture_before - until < holds.LAPSE_ALARM


async def _time_is_left(tx: Tx, charge: ChargeRow) -> bool:
    """Whether the cap pays for more than was talked; without its late hold a call ends at the threshold."""
    end_ms = charge.threshold_ms if late_hold.awaited(charge) else cap_ms(meter_store.price_of(charge))
    return closed_ms(await meter_store.intervals(tx, charge)) < end_ms
