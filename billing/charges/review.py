"""The review window: for a while after a call its bill may be looked at, and found wrong, before anything is captured.

What costs nothing is not held up: it is settled at once. Nobody has to agree for the capture to happen: it comes when
the window closes, and what a person decides later is a refund, as ever.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import OperationalError

from billing import timeline
from billing.cases import open_once
from billing.charges import holds, settlement, store
from billing.charges.charge import Move, State, advance
from billing.metering import store as meter_store
from billing.metering.bill import Bill, bill
from billing.metering.intervals import closed_ms
from billing.models import ChargeRow
from core import logs
from core.db import Database, Tx

log = logs.get(__name__)

MARGIN = timedelta(days=1)  # a hold must not lapse while its bill is looked at
RETRY = timedelta(minutes=10)


async def settle_or_wait(tx: Tx, charge: ChargeRow) -> None:
    """Every interval is final: settle, or let the customer look at the bill first."""
    until = await _closes_at(tx, charge)
    if until is None:
        await settlement.settle(tx, charge)
        return
    charge.state = advance(State(charge.state), Move.REVIEW)
    charge.review_until, charge.next_deadline_at = until, None
    timeline.record(tx, charge.id, "review_opened", until=until.isoformat())
    tx.touch([charge.customer_id, charge.consultant_id])


async def expected(tx: Tx, charge: ChargeRow) -> Bill:
    """What a call whose intervals are final comes to."""
    return bill(meter_store.price_of(charge), closed_ms(await meter_store.intervals(tx, charge)))


async def waive(tx: Tx, charge: ChargeRow) -> None:
    """The evidence says that nothing of this bill is due: settle now, and take nothing."""
    charge.waived = True
    timeline.record(tx, charge.id, "waived")
    await _close(tx, charge)


async def run_due(db: Database) -> int:
    """Settle every bill whose window has closed, each in its own transaction; one that cannot be is put off."""
    done = 0
    while True:
        async with db.begin() as tx:
            charge = await store.claim_reviewed(tx)
            if charge is None:
                return done
            charge_id = charge.id  # what a failure undoes is not read from the row again
            try:
                async with tx.session.begin_nested():
                    await _close(tx, charge)
            except OperationalError:
                raise  # the database is away: that is not this bill's fault
            except Exception as error:
                log.exception("review.failed", charge_id=str(charge_id))
                await _put_off(tx, charge_id, type(error).__name__)
        done += 1


async def _put_off(tx: Tx, charge_id: UUID, error: str) -> None:
    """Tell a person, and try again later: the bills behind this one do not wait for it."""
    charge = await store.lock(tx, charge_id)
    charge.review_until = tx.now + RETRY
    await open_once(tx, charge.id, "settlement_failed", key=f"settlement_failed:{charge.id}", error=error)


async def _close(tx: Tx, charge: ChargeRow) -> None:
    charge.review_until = None
    await settlement.settle(tx, charge)


async def _closes_at(tx: Tx, charge: ChargeRow) -> datetime | None:
    """When the window closes; None where there is none, or nothing to look at."""
    if not charge.review_window_s or not (await expected(tx, charge)).gross_minor:
        return None
    lapses = [hold.capture_before - MARGIN for hold in await holds.reserve(tx, charge) if hold.capture_before]
    until = min([tx.now + timedelta(seconds=charge.review_window_s), *lapses])
    return until if until > tx.now else None
