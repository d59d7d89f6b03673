"""What a comparison found, told: a case once, the account of whoever is concerned held, and both over when it heals."""

from uuid import UUID

from sqlalchemy import select, text

from billing.cases import open_once
from billing.models import CaseRow, PayoutAccountRow
from billing.payouts.service import PayoutService
from billing.reconciliation.expect import Finding
from billing.reconciliation.models import RunRow
from core.db import Tx

AGREES = "agrees now"  # the resolution of a case that healed by itself


class Findings:
    """Tells of differences."""

    def __init__(self, payouts: PayoutService) -> None:
        self._payouts = payouts

    async def tell(
        self,
        tx: Tx,
        run: RunRow | None,
        kind: str,
        *,
        key: str,
        charge_id: UUID | None = None,
        consultant: UUID | None = None,
        at_once: bool = False,
        **details: str | int | None,
    ) -> None:
        """Open the case, and hold the account of whoever is concerned until a person has looked.

        What Stripe shows otherwise than we may be on its way to us: it holds the account when a second run finds it.
        ``at_once`` is for what can be on no way, because both figures are our own.
        """
        if charge_id is not None and consultant is None:
            consultant = await tx.session.scalar(
                text("SELECT consultant_id FROM charge WHERE id = :id"), {"id": charge_id}
            )
        if charge_id is None and consultant is not None:
            details["consultant_id"] = str(consultant)  # nobody closes a case about their own account
        await _open_again(tx, key)
        run_id = None if run is None else str(run.id)
        await open_once(tx, charge_id, str(kind), key=key, run=run_id, **details)
        if consultant is None or await tx.session.get(PayoutAccountRow, consultant) is None:
            return
        waiting = select(CaseRow.id).where(CaseRow.key == key, CaseRow.closed_at.is_(None))
        if not at_once:
            waiting = waiting.where(CaseRow.details["run"].astext.is_distinct_from(run_id))
        if await tx.session.scalar(waiting):
            await self._payouts.hold(tx, consultant, f"reconciliation: {kind}", None)


async def _open_again(tx: Tx, key: str) -> None:
    """What healed by itself and differs again waits again; what a person closed stays closed."""
    healed = select(CaseRow).where(CaseRow.key == key, CaseRow.closed_at.is_not(None), CaseRow.closed_by.is_(None))
    for row in await tx.session.scalars(healed):
        row.closed_at, row.resolution = None, None


async def close_found(tx: Tx, source_ids: set[str]) -> None:
    """What was missing at Stripe has its line now: its case is over, and says so."""
    query = select(CaseRow).where(
        CaseRow.closed_at.is_(None),
        CaseRow.kind == Finding.MISSING,
        CaseRow.details["object"].astext.in_(source_ids),
    )
    for row in await tx.session.scalars(query):
        row.closed_at, row.resolution = tx.now, AGREES


async def close_healed(tx: Tx, line_id: str) -> None:
    """A line that differed agrees now: its cases are over, and say so."""
    query = select(CaseRow).where(CaseRow.closed_at.is_(None), CaseRow.details["line"].astext == line_id)
    for row in await tx.session.scalars(query):
        row.closed_at, row.resolution = tx.now, AGREES
