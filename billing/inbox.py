"""The inbox of webhooks: stored events that wait to be worked off, and the sweep that forgets none."""

from datetime import timedelta

from sqlalchemy import select

from billing.models import StripeEventRow
from core.db import Database

TASK = "billing.process_event"
SWEEP_AFTER = timedelta(seconds=30)


async def sweep(db: Database) -> int:
    """Hand events that were not worked off in time to jobs again; returns how many."""
    found = 0
    while True:
        async with db.begin() as tx:
            query = (
                select(StripeEventRow)
                .where(StripeEventRow.due_at <= tx.now)
                .order_by(StripeEventRow.due_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = (await tx.session.scalars(query)).one_or_none()
            if row is None:
                return found
            row.due_at = tx.now + SWEEP_AFTER
            await tx.defer(TASK, event_id=row.id)
        found += 1
