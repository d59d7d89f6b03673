"""The meter: notes observed intervals, wakes a charge when a mark is due, and says what a call costs now."""

from collections.abc import Sequence

from billing import timeline
from billing.charges import store as charge_store
from billing.charges.announcements import CAP_REACHED, announce
from billing.charges.charge import FINAL, State
from billing.facts import Counted, Counting, SideSeen, SideUnseen
from billing.metering import store
from billing.metering.intervals import Interval, connected_ms, running
from billing.metering.marks import MarkKind, next_deadline, passed
from billing.metering.view import MeterView, meter_view
from billing.models import BillableIntervalRow, ChargeRow
from billing.proof.chain import stamp
from core.db import Database, Tx
from core.errors import NotFound
from core.ids import CallId, UserId

AT_ONCE = 50  # charges to a transaction: ten thousand calls have some eight marks to a tick


class MeterService:
    """Event handlers, the worker's tick, and the view. Its cost follows events, not live calls."""

    async def on_interval_opened(self, tx: Tx, event: Counting) -> None:
        """Connected time runs; told twice, or after its end, changes nothing."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is None or charge.state != State.METERING:
            return
        if await store.interval(tx, event.call_id, event.n) is not None:
            return
        tx.session.add(
            BillableIntervalRow(
                call_id=event.call_id, n=event.n, started_at=event.started_at, duration_ms=0, open=True, cause=None
            )
        )
        timeline.record(tx, charge.id, "interval_opened", n=event.n, started_at=event.started_at.isoformat())
        await rearm(tx, charge)
        _touch(tx, charge)

    async def on_interval_closed(self, tx: Tx, event: Counted) -> None:
        """Connected time is final, whether or not we heard of its beginning."""
        charge = await charge_store.lock_of_call(tx, event.call_id)
        if charge is None:
            return
        row = await store.interval(tx, event.call_id, event.n)
        if row is not None and not row.open:
            return
        if charge.state == State.SETTLING or State(charge.state) in FINAL:
            # The bill is written: time that is told of afterwards is never added to it.
            timeline.record(tx, charge.id, "interval_after_settlement", n=event.n, duration_ms=event.duration_ms)
            return
        if row is None:
            row = BillableIntervalRow(call_id=event.call_id, n=event.n)
            tx.session.add(row)
        row.started_at, row.duration_ms = event.started_at, event.duration_ms
        row.open, row.cause = False, event.cause
        timeline.record(tx, charge.id, "interval_closed", n=event.n, duration_ms=event.duration_ms, cause=event.cause)
        await rearm(tx, charge)
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
        return meter_view(charge, holds, await store.intervals(tx, call_id), tx.now, role=role)

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
        done = 0
        while True:
            async with db.begin() as tx:
                due = await store.claim_due(tx, AT_ONCE)
                observed = await store.intervals_of(tx, [charge.call_id for charge in due])
                for charge in due:
                    await _pass_marks(tx, charge, observed[charge.call_id])
                    _touch(tx, charge)
            done += len(due)
            if len(due) < AT_ONCE:
                return done


async def rearm(tx: Tx, charge: ChargeRow) -> None:
    """Record the marks passed by now and set the next deadline; the caller holds the charge's lock."""
    await _pass_marks(tx, charge, await store.intervals(tx, charge.call_id))


async def _pass_marks(tx: Tx, charge: ChargeRow, intervals: Sequence[Interval]) -> None:
    if charge.state != State.METERING:
        charge.next_deadline_at = None
        return
    price, now_ms = store.price_of(charge), connected_ms(intervals, tx.now)
    for mark in passed(price, charge.marked_ms, now_ms):
        timeline.record(tx, charge.id, mark.kind, connected_ms=mark.at_ms)
        if mark.kind is MarkKind.CAP_REACHED and charge.call_ended_at is None:
            await announce(tx, charge.id, CAP_REACHED)
    # A node that died may take back time the clock had already given: its marks are passed again. While time runs,
    # an older moment only means that this transaction waited for the lock: what was passed stays passed.
    charge.marked_ms = now_ms if running(intervals) is None else max(charge.marked_ms, now_ms)
    ended = charge.call_ended_at is not None
    charge.next_deadline_at = None if ended else next_deadline(price, intervals, charge.marked_ms)


def _touch(tx: Tx, charge: ChargeRow) -> None:
    tx.touch([charge.customer_id, charge.consultant_id])
