"""Cases: what a person in finance must look at, because Stripe and we disagree, or a rule cannot decide."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from billing import timeline
from billing.finance import approvals
from billing.models import CaseRow, ChargeRow
from core import audit, logs
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound
from core.ids import UserId, new_id

log = logs.get(__name__)


def open_case(tx: Tx, charge_id: UUID | None, kind: str, *, key: str | None = None, **details: Any) -> CaseRow:
    """Open a case; ``kind`` is a constant such as ``capture_refused``. ``key`` must not be in use (``open_once``)."""
    row = CaseRow(
        id=new_id(), charge_id=charge_id, key=key, kind=kind, details=details, opened_at=tx.now, closed_at=None
    )
    tx.session.add(row)
    if charge_id is not None:
        timeline.record(tx, charge_id, "case_opened", case=kind, **details)
    log.warning("billing.case_opened", charge_id=str(charge_id) if charge_id else None, case=kind)
    return row


async def open_once(tx: Tx, charge_id: UUID | None, kind: str, *, key: str, **details: Any) -> bool:
    """Open a case for a difference that has a name of its own; False when it has one already, open or closed."""
    if await tx.session.scalar(select(CaseRow.id).where(CaseRow.key == key)) is not None:
        return False
    open_case(tx, charge_id, kind, key=key, **details)
    return True


async def close_case(tx: Tx, case_id: UUID, by: UserId, resolution: str) -> CaseRow:
    """Close a case with what was found; its row stays. Raises NotFound, and Conflict when it is closed already.

    Raises Forbidden for whose money it is about.
    """
    row = await tx.session.get(CaseRow, case_id, with_for_update=True)
    if row is None:
        raise NotFound
    if row.closed_at is not None:
        raise Conflict("This case is closed already.", code="case_closed")
    charge = None if row.charge_id is None else await tx.session.get(ChargeRow, row.charge_id)
    if charge is not None:
        approvals.refuse_own(charge, by)
    if row.details.get("consultant_id") == str(by):
        raise Forbidden("This case is about your own account; a colleague must close it.", code="own_money")
    row.closed_at, row.closed_by, row.resolution = tx.now, by, resolution
    if row.charge_id is not None:
        timeline.record(tx, row.charge_id, "case_closed", case=row.kind)
    audit.record(tx, "finance.case_closed", subject=str(case_id), actor=by, kind=row.kind, resolution=resolution)
    return row


async def listed(tx: Tx, *, open_only: bool, limit: int = 200) -> list[CaseRow]:
    """Cases, oldest first where they wait, newest first where they are done."""
    query = select(CaseRow).where(CaseRow.closed_at.is_(None) if open_only else CaseRow.closed_at.is_not(None))
    order = CaseRow.opened_at if open_only else CaseRow.closed_at.desc()
    return list(await tx.session.scalars(query.order_by(order).limit(limit)))
