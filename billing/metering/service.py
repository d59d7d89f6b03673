"""The meter: notes observed intervals, wakes a charge when a mark is due, and says what a call costs now."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from billing import timeline
from billing.charges import calls, late_hold, raises
from billing.charges import store as charge_store
from billing.charges.announcements import CAP_REACHED, announce
from billing.charges.charge import FINAL, State
from billing.facts import Counted, Counting, Observed, SideSeen, SideUnseen
from billing.metering import store
from billing.metering.intervals import Interval, closed, connected, running
from billing.metering.marks import MarkKind, marked_ms, next_deadline, passed
from billing.metering.view import MeterView, meter_view
from billing.models import BillableIntervalRow, ChargeRow
from billing.proof.chain import stamp
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import CallId, UserId

AT_ONCE = 50  # charges to a transaction: ten thousand calls have some eight marks to a tick
JUMP_S = 1.0  # by more than this the wall clock and the steady one differ between two ticks only if one was set


class MeterService:
    """Event handlers, the worker's tick, and the view. Its cost follows events, not live calls.

    The wall clock says when to look, never how much time has passed: that is what was observed. When it is set, every
    running charge is looked at anew, so that no mark waits for a moment that the clock has put off.
    """

    def __init__(self, observed: Observed, *, steady: Callable[[], float] = time.monotonic) -> None:
        """``steady`` gives seconds of a clock that nobody sets."""
        self._observed = observed
        self._steady = steady
        self._last_look: tuple[datetime, float] | None = None

    async def on_interval_opened(self, tx: Tx, event: Counting) -> None:
        """Connected time runs; told twice, or after its end, changes nothing."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is None or charge.state != State.METERING or calls.books_are_closed(charge, event.call_id):
            return
        if await store.interval(tx, event.call_id, event.n) is not None:
            return
        number = await calls.intervals_before(tx, charge, event.call_id) + event.n
        tx.session.add(
            BillableIntervalRow(
                call_id=event.call_id, n=event.n, started_at=event.started_at, duration_ms=0, open=True, cause=None
            )
        )
        timeline.record(tx, charge.id, "interval_opened", n=number, started_at=event.started_at.isoformat())
        await self.rearm(tx, charge)
        _touch(tx, charge)

    async def on_interval_closed(self, tx: Tx, event: Counted) -> None:
        """Connected time is final, whether or not we heard of its beginning."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is None:
            return
        row = await store.interval(tx, event.call_id, event.n)
        if row is not None and not row.open:
            return
        number = await calls.intervals_before(tx, charge, event.call_id) + event.n
        final = charge.state in {State.REVIEWING, State.SETTLING, *FINAL}
        if final or calls.books_are_closed(charge, event.call_id):
            # The bill is final, or its part of it closed: time that is told of afterwards is never added to it.
            timeline.record(tx, charge.id, "interval_after_settlement", n=number, duration_ms=event.duration_ms)
            return
        if row is None:
            row = BillableIntervalRow(call_id=event.call_id, n=event.n)
            tx.session.add(row)
        row.started_at, row.duration_ms = event.started_at, event.duration_ms
        row.open, row.cause = False, event.cause
        timeline.record(tx, charge.id, "interval_closed", n=number, duration_ms=event.duration_ms, cause=event.cause)
        await self.rearm(tx, charge)
        _touch(tx, charge)

    async def on_participant_seen(self, tx: Tx, event: SideSeen) -> None:
        """One side alone is evidence too: it says who was waiting for whom."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is not None:
            timeline.record(tx, charge.id, "side_seen", side=event.role, at=stamp(event.at))

    async def on_participant_unseen(self, tx: Tx, event: SideUnseen) -> None:
        """The same for the moment in which a side went missing."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is not None:
            last = stamp(event.last_packet_at)
            timeline.record(tx, charge.id, "side_unseen", side=event.role, last_packet_at=last)

    async def view(self, tx: Tx, user_id: UserId, call_id: CallId, role: str) -> MeterView | None:
        """What this call has cost so far, for one of its two sides; None when it has no charge."""
        charge = await charge_store.charge_of_call(tx, call_id)
        if charge is None:
            return None
        if user_id != (charge.customer_id if role == "customer" else charge.consultant_id):
            raise NotFound
        holds = await charge_store.holds(tx, charge.id)
        intervals = await store.intervals(tx, charge)
        if charge.state != State.METERING:  # what was unfinished when its books were closed is not billed, nor shown
            intervals = closed(intervals)
        known = connected(intervals, tx.now, (await self._observed_ms(tx, [charge], {charge.id: intervals}))[charge.id])
        raised = await raises.of_charge(tx, charge.id)
        return meter_view(charge, holds, raised, intervals, known, tx.now, call_id=call_id, role=role)

    async def view_of(self, tx: Tx, user_id: UserId, call_id: CallId) -> MeterView:
        """The same for a user whose side is not known yet; NotFound for everybody else."""
        charge = await charge_store.charge_of_call(tx, call_id)
        if charge is None or user_id not in {charge.customer_id, charge.consultant_id}:
            raise NotFound
        role = "customer" if user_id == charge.customer_id else "consultant"
        found = await self.view(tx, user_id, call_id, role)
        assert found is not None
        return found

    async def run_due(self, db: Database) -> int:
        """Pass every mark that is due, some charges to a transaction; returns how many charges were looked at."""
        await self._notice_a_set_clock(db)
        done = 0
        while True:
            async with db.begin() as tx:
                due = await store.claim_due(tx, AT_ONCE)
                intervals = await store.intervals_of(tx, due)
                observed = await self._observed_ms(tx, due, intervals)
                for charge in due:
                    await _pass_marks(tx, charge, intervals[charge.id], observed[charge.id])
                    _touch(tx, charge)
            done += len(due)
            if len(due) < AT_ONCE:
                return done

    async def rearm(self, tx: Tx, charge: ChargeRow) -> None:
        """Record the marks passed by now and set the next deadline; the caller holds the charge's lock."""
        intervals = await store.intervals(tx, charge)
        observed = await self._observed_ms(tx, [charge], {charge.id: intervals})
        await _pass_marks(tx, charge, intervals, observed[charge.id])

    async def _observed_ms(
        self, tx: Tx, charges: Sequence[ChargeRow], intervals: Mapping[UUID, Sequence[Interval]]
    ) -> dict[UUID, int]:
        """What the media plane has written of the calls of these charges; asked only where something runs."""
        found = dict.fromkeys(intervals, 0)
        live = [charge for charge in charges if running(intervals[charge.id]) is not None]
        if not live:
            return found
        parts = await calls.parts_of(tx, live)
        written = await self._observed(tx, [part.call_id for chain in parts.values() for part in chain])
        return found | {one: sum(written.get(part.call_id, 0) for part in chain) for one, chain in parts.items()}

    async def _notice_a_set_clock(self, db: Database) -> None:
        """Make every running charge due when the wall clock was set, or may have been while this process was away."""
        steady = self._steady()
        async with db.begin() as tx:
            last, now = self._last_look, tx.now
            if last is None or abs((now - last[0]).total_seconds() - (steady - last[1])) > JUMP_S:
                await store.look_at_all(tx)
        self._last_look = now, steady


async def _pass_marks(tx: Tx, charge: ChargeRow, intervals: Sequence[Interval], observed_ms: int) -> None:
    if charge.state != State.METERING:
        charge.next_deadline_at = None
        return
    price, known = store.price_of(charge), connected(intervals, tx.now, observed_ms)
    for mark in passed(price, charge.marked_ms, known):
        timeline.record(tx, charge.id, mark.kind, connected_ms=mark.at_ms)
        if mark.kind is MarkKind.CAP_REACHED and charge.call_ended_at is None:
            await announce(tx, charge.id, CAP_REACHED)
        elif mark.kind is MarkKind.HOLD_DUE and known.observed_ms < price.threshold_ms:
            await late_hold.ask(tx, charge)
        elif mark.kind is MarkKind.HOLD_MISSED:
            await late_hold.miss(tx, charge)
    # A node that died may take back time the clock had already given: its marks are passed again. While time runs,
    # an older moment only means that this transaction waited for the lock: what was passed stays passed.
    runs = running(intervals) is not None
    charge.marked_ms = marked_ms(price, charge.marked_ms, known) if runs else known.ms
    waits = runs and charge.call_ended_at is None
    charge.next_deadline_at = next_deadline(price, known, charge.marked_ms, tx.now) if waits else None


def _touch(tx: Tx, charge: ChargeRow) -> None:
    tx.touch([charge.customer_id, charge.consultant_id])
