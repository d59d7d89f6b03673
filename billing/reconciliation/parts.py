"""The parts of a run: one for each account, taken one by one by a few lanes at once, and one that closes the run.

Ten thousand accounts are ten thousand rows and at most ``LANES`` jobs: a worker that dies loses one part's work, and
neither commands nor webhooks wait behind a comparison.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from billing.reconciliation.models import PartRow, RunRow
from core.db import Tx

LANES = 3  # of a worker's eight jobs; the limiter keeps what they ask of Stripe within its rates
LEASE = timedelta(minutes=10)  # the longest that one account's lines may take
AGAIN_AFTER = timedelta(seconds=30)  # after Stripe did not answer


async def lay_out(tx: Tx, run_id: UUID, accounts: Sequence[tuple[UUID, str]]) -> None:
    """Write the parts of a run down: the platform's, each account's, the closing. A second time changes nothing."""
    parts: list[tuple[UUID | None, str | None]] = [(None, None), *accounts]
    rows: list[dict[str, Any]] = [
        {"run_id": run_id, "n": n, "closing": False, "consultant_id": one, "account_id": account, "due_at": tx.now}
        for n, (one, account) in enumerate(parts)
    ]
    nobody = {"consultant_id": None, "account_id": None}
    rows.append({"run_id": run_id, "n": len(rows), "closing": True, "due_at": tx.now} | nobody)
    for start in range(0, len(rows), 1_000):
        await tx.session.execute(insert(PartRow).values(rows[start : start + 1_000]).on_conflict_do_nothing())


async def take(tx: Tx, run_id: UUID) -> PartRow | None:
    """The next part that nobody works on, leased; the closing only when every other is done."""
    query = (
        select(PartRow)
        .where(PartRow.run_id == run_id, PartRow.due_at <= tx.now)
        .order_by(PartRow.n)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    part = (await tx.session.scalars(query)).one_or_none()
    if part is None:
        return None
    if part.closing:
        left = select(func.count()).where(PartRow.run_id == run_id, ~PartRow.closing, PartRow.due_at.is_not(None))
        if await tx.session.scalar(left):
            return None  # whoever does the last of them comes back for it
    part.due_at, part.attempts = tx.now + LEASE, part.attempts + 1
    return part


async def done(tx: Tx, part: PartRow, *, checked: int, differences: int) -> None:
    """A part is compared."""
    row = await _again(tx, part)
    row.due_at, row.checked, row.differences = None, checked, differences


async def postpone(tx: Tx, part: PartRow) -> None:
    """Stripe did not answer: take it again in a while."""
    (await _again(tx, part)).due_at = tx.now + AGAIN_AFTER


async def sums(tx: Tx, run_id: UUID) -> tuple[int, int]:
    """What was checked and what differed, over all parts."""
    query = select(func.sum(PartRow.checked), func.sum(PartRow.differences)).where(PartRow.run_id == run_id)
    checked, differences = (await tx.session.execute(query)).one()
    return int(checked or 0), int(differences or 0)


async def stranded(tx: Tx, since_started: timedelta) -> Sequence[UUID]:
    """Unfinished runs of which a part is due: their lanes ended with Stripe's silence, or with a worker."""
    query = (
        select(PartRow.run_id)
        .join(RunRow, RunRow.id == PartRow.run_id)
        .where(PartRow.due_at <= tx.now, RunRow.finished_at.is_(None), RunRow.started_at > tx.now - since_started)
        .distinct()
    )
    return list(await tx.session.scalars(query))


async def _again(tx: Tx, part: PartRow) -> PartRow:
    row = await tx.session.get(PartRow, (part.run_id, part.n), with_for_update=True)
    assert row is not None
    return row
