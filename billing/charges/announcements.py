"""Announcements: what other rooms must hear of a charge, told by a durable job in a transaction of its own.

A call's row is locked before its charge's everywhere else. Were events published while a charge is locked, the
call service would lock them the other way round, and the two could wait for each other. So the fact and the job
commit together, and the job publishes with nothing locked.
"""

from uuid import UUID

import procrastinate

from billing.charges import calls, store
from billing.charges.charge import FINAL, State
from billing.events import CapReached, ChargeRefunded, ChargeSettled, HoldDeferred, HoldFailed, HoldPlaced
from billing.metering.bill import cap_ms
from billing.metering.store import price_of
from billing.models import ChargeRow
from core import logs
from core.db import Database, Tx
from core.events import Event
from core.ids import CallId, UserId
from core.jobs import Jobs

log = logs.get(__name__)

TASK = "billing.announce"
HOLD_PLACED, HOLD_FAILED, CAP_REACHED = "hold_placed", "hold_failed", "cap_reached"
HOLD_DEFERRED, HOLD_MISSED = "hold_deferred", "hold_missed"
SETTLED, REFUNDED = "settled", "refunded"


class Overtaken(Exception):
    """The cap was raised, or time taken back, between the announcement's look at the charge and the call's end."""


def capped(charge: ChargeRow) -> bool:
    """Whether the call has used up its cap; if not any more, the meter says so again when it has."""
    return charge.marked_ms >= cap_ms(price_of(charge))


async def announce(tx: Tx, charge_id: UUID, what: str, reason: str = "") -> None:
    """Have ``what`` published once this transaction stands."""
    await tx.defer(TASK, charge_id=str(charge_id), what=what, reason=reason)


class Announcer:
    """Runs the announcements."""

    def __init__(self, *, db: Database) -> None:
        self._db = db

    def register(self, jobs: Jobs) -> None:
        """Name the job; a deadlock or a lost connection is tried again."""
        jobs.register(TASK, self.run, retry=procrastinate.RetryStrategy(max_attempts=20, linear_wait=1))

    async def run(self, charge_id: str, what: str, reason: str) -> None:
        """Publish the event, unless the call it speaks of has moved on: as read, or as whoever locks it then finds."""
        try:
            async with self._db.begin() as tx:
                charge = await store.charge(tx, UUID(charge_id))
                event = None if charge is None else _event(charge, what, reason)
                if event is not None:
                    await tx.publish(event)
        except Overtaken:  # whoever reads the logs must not take the call for ended
            log.info("billing.announcement_overtaken", charge_id=charge_id, what=what)


def _event(charge: ChargeRow, what: str, reason: str) -> Event | None:
    call_id = CallId(charge.call_id)
    if what == SETTLED and charge.state in FINAL:
        return ChargeSettled(
            call_id=call_id,
            customer_id=UserId(charge.customer_id),
            consultant_id=UserId(charge.consultant_id),
            gross_minor=charge.captured_minor,
            state=charge.state,
            connected_ms=charge.connected_ms or 0,
            threshold_passed=(charge.connected_ms or 0) >= charge.threshold_ms,
        )
    if what == REFUNDED:
        return ChargeRefunded(
            call_id=call_id,
            customer_id=UserId(charge.customer_id),
            consultant_id=UserId(charge.consultant_id),
            refunded_minor=charge.refunded_minor,
        )
    return None if charge.call_ended_at is not None else _of_a_call_that_runs(charge, what, reason)


def _of_a_call_that_runs(charge: ChargeRow, what: str, reason: str) -> Event | None:
    call_id, price = CallId(charge.call_id), price_of(charge)
    metering, running = charge.state == State.METERING, CallId(calls.newest(charge))
    told: dict[str, tuple[bool, Event]] = {
        HOLD_PLACED: (metering, HoldPlaced(call_id)),
        HOLD_DEFERRED: (metering, HoldDeferred(call_id)),
        HOLD_FAILED: (charge.state == State.ABANDONED, HoldFailed(call_id, reason)),
        HOLD_MISSED: (metering and not price.secured, HoldFailed(running, HOLD_MISSED)),
        CAP_REACHED: (capped(charge), CapReached(running)),
    }
    still, event = told[what]
    return event if still else None
