"""The review window: for a while after a call its bill may be looked at, and found wrong, before anything is captured.

What costs nothing is not held up: it is settled at once. Nobody has to agree for the capture to happen: it comes when
the window closes, and what a person decides later is a refund, as ever.
"""

from datetime import datetime, timedelta

from billing import timeline
from billing.charges import holds, one_by_one, settlement, store
from billing.charges.charge import Move, State, advance
from billing.metering import store as meter_store
from billing.metering.bill import Bill, bill_of
from billing.models import ChargeRow
from core.db import Database, Tx

MARGIN = timedelta(days=1)  # a hold must not lapse while its bill is looked at


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
    return bill_of(meter_store.price_of(charge), await meter_store.intervals(tx, charge))


async def waive(tx: Tx, charge: ChargeRow) -> None:
    """The evidence says that nothing of this bill is due: settle now, and take nothing."""
    charge.waived = True
    timeline.record(tx, charge.id, "waived")
    await _close(tx, charge)


async def run_due(db: Database) -> int:
    """Settle every bill whose window has closed, each in its own transaction."""
    return await one_by_one.settle(db, store.claim_reviewed, _close, _put_off)


def _put_off(charge: ChargeRow, until: datetime) -> None:
    charge.review_until = until


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
