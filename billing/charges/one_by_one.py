"""Charges whose time has come are settled one by one; one that cannot be is a case, and those behind it do not wait."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy.exc import OperationalError

from billing.cases import open_once
from billing.charges import store
from billing.models import ChargeRow
from core import logs
from core.db import Database, Tx

log = logs.get(__name__)

RETRY = timedelta(minutes=10)


async def settle(
    db: Database,
    claim: Callable[[Tx], Awaitable[ChargeRow | None]],
    close: Callable[[Tx, ChargeRow], Awaitable[None]],
    put_off: Callable[[ChargeRow, datetime], None],
) -> int:
    """Close every charge that ``claim`` locks, each in its own transaction; returns how many were claimed.

    ``put_off`` has a charge that failed claimed no more before a moment.
    """
    done = 0
    while True:
        async with db.begin() as tx:
            charge = await claim(tx)
            if charge is None:
                return done
            charge_id = charge.id  # what a failure undoes is not read from the row again
            try:
                async with tx.session.begin_nested():
                    await close(tx, charge)
            except OperationalError:
                raise  # the database is away, or wants this tried again: that is not the charge's fault
            except Exception as error:
                log.exception("settlement.failed", charge_id=str(charge_id))
                put_off(await store.lock(tx, charge_id), tx.now + RETRY)
                key = f"settlement_failed:{charge_id}"
                await open_once(tx, charge_id, "settlement_failed", key=key, error=type(error).__name__)
        done += 1
