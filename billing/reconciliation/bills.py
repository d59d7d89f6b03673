"""Bills that are not what their raw rows give: a case each, the consultant's account held, until they are mended."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from billing.models import CaseRow
from billing.reconciliation import recompute
from billing.reconciliation.difference import Difference
from billing.reconciliation.findings import AGREES, Findings
from billing.reconciliation.models import RunRow
from billing.reconciliation.recompute import Recomputed
from core.db import Tx

DIFFERS = "bill_differs"
_TELLING = 7303  # the advisory lock under which bills are told of: by one at a time, so that a case is opened once


class BillComparison:
    """Says of bills whether they are what their raw rows give."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    async def every(self, tx: Tx, run: RunRow, since: datetime, until: datetime) -> tuple[int, int]:
        """Compare every bill written in ``[since, until)``; how many, and how many figures differ."""
        checked, wrong = await recompute.differences(tx, since, until)
        if wrong:
            await _alone(tx)
        for one in wrong:
            await self._tell(tx, run, one)
        return checked, len(wrong)

    async def one(self, tx: Tx, charge_id: UUID) -> Recomputed:
        """Compare the bill of one charge; what somebody was shown to differ is a case as well. Raises NotFound."""
        found = await recompute.of_charge(tx, charge_id)
        if found.differences:
            await _alone(tx)
        for one in found.differences:
            await self._tell(tx, None, one)
        return found

    async def _tell(self, tx: Tx, run: RunRow | None, one: Difference) -> None:
        """Both figures are our own: nobody waits for a second night before the account is held."""
        await self._findings.tell(
            tx,
            run,
            DIFFERS,
            key=one.key,
            charge_id=one.charge_id,
            at_once=True,
            figure=one.figure,
            stored=one.stored,
            computed=one.computed,
        )


async def _alone(tx: Tx) -> None:
    """Wait for whoever tells of bills just now; their cases are seen then."""
    await tx.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _TELLING})


async def close_mended(tx: Tx) -> None:
    """A figure that differed agrees now: its case is over, and says so."""
    query = select(CaseRow).where(CaseRow.kind == DIFFERS, CaseRow.closed_at.is_(None))
    query = query.with_for_update(skip_locked=True)  # one that a person is closing just now is theirs
    for row in await tx.session.scalars(query):
        assert row.charge_id is not None
        wrong = {one.figure for one in (await recompute.of_charge(tx, row.charge_id)).differences}
        if row.details["figure"] not in wrong:
            row.closed_at, row.resolution = tx.now, AGREES
