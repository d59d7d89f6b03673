"""What a comparison found, told: a case once, the account of whoever is concerned held, and both over when it heals."""

from uuid import UUID

from sqlalchemy import select, text

from billing.cases import open_once
from billing.models import CaseRow, PayoutAccountRow
from billing.payouts.service import PayoutService
from billing.reconciliation.expect import Finding
from billing.reconciliation.models import RunRow
from core.db import Tx


class Findings:
    """Tells of differences."""

    def __init__(self, payouts: PayoutService) -> None:
        self._payouts = payouts

    async def tell(
        self,
        tx: Tx,
        run: RunRow,
        kind: str,
        *,
        key: str,
        charge_id: UUID | None = None,
        consultant: UUID | None = None,
        **details: str | int | None,
    ) -> None:
        """Open the case, and hold the account of whoever is concerned until a person has looked."""
        if charge_id is not None and consultant is None:
            consultant = await tx.session.scalar(
                text("SELECT consultant_id FROM charge WHERE id = :id"), {"id": charge_id}
            )
        first = await open_once(tx, charge_id, str(kind), key=key, run=str(run.id), **details)
        if first or consultant is None or await tx.session.get(PayoutAccountRow, consultant) is None:
            return  # found once, it may be on its way to us; found again, nobody is paid out until it is understood
        again = select(CaseRow.id).where(CaseRow.key == key, CaseRow.closed_at.is_(None))
        if await tx.session.scalar(again.where(CaseRow.details["run"].astext.is_distinct_from(str(run.id)))):
            await self._payouts.hold(tx, consultant, f"reconciliation: {kind}", None)


async def close_found(tx: Tx, source_ids: set[str]) -> None:
    """What was missing at Stripe has its line now: its case is over, and says so."""
    query = select(CaseRow).where(
        CaseRow.closed_at.is_(None),
        CaseRow.kind == Finding.MISSING,
        CaseRow.details["object"].astext.in_(source_ids),
    )
    for row in await tx.session.scalars(query):
        row.closed_at, row.resolution = tx.now, "agrees now"


async def close_healed(tx: Tx, line_id: str) -> None:
    """A line that differed agrees now: its cases are over, and say so."""
    query = select(CaseRow).where(CaseRow.closed_at.is_(None), CaseRow.details["line"].astext == line_id)
    for row in await tx.session.scalars(query):
        row.closed_at, row.resolution = tx.now, "agrees now"
