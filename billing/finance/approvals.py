"""Four eyes: above a limit, one person asks and another decides."""

from uuid import UUID

from sqlalchemy import select

from billing.finance.models import ApprovalRow
from billing.models import ChargeRow
from core import audit
from core.db import Tx
from core.errors import Conflict, Forbidden, NotFound
from core.ids import UserId, new_id

REFUND, RELEASE, WAIVE, CORRECTION = "refund", "release", "waive", "correction"


def refuse_own(charge: ChargeRow, by: UserId | None) -> None:
    """Raise Forbidden for the call's own two people: a colleague decides about its money."""
    if by in {charge.customer_id, charge.consultant_id}:
        raise Forbidden("This call was your own; a colleague must decide about it.", code="own_money")


def ask(tx: Tx, kind: str, subject_id: UUID, *, by: UserId, amount_minor: int, currency: str, note: str) -> ApprovalRow:
    """Ask a second person; the database allows one open question per subject."""
    row = ApprovalRow(
        id=new_id(),
        kind=kind,
        subject_id=subject_id,
        amount_minor=amount_minor,
        currency=currency,
        asked_by=by,
        asked_at=tx.now,
        note=note,
        decided_by=None,
        decided_at=None,
        approved=None,
    )
    tx.session.add(row)
    audit.record(tx, f"finance.{kind}_asked", subject=str(subject_id), actor=by, amount_minor=amount_minor)
    return row


async def decide(tx: Tx, approval_id: UUID, by: UserId, *, approved: bool) -> ApprovalRow:
    """Write the second person's word. Raises NotFound, Conflict when decided, Forbidden for the one who asked."""
    row = await tx.session.get(ApprovalRow, approval_id, with_for_update=True)
    if row is None:
        raise NotFound
    if row.decided_at is not None:
        raise Conflict("This was decided already.", code="decided")
    if row.asked_by == by:
        raise Forbidden("You asked for this; somebody else must decide.", code="four_eyes")
    row.decided_by, row.decided_at, row.approved = by, tx.now, approved
    word = "approved" if approved else "rejected"
    audit.record(tx, f"finance.{row.kind}_{word}", subject=str(row.subject_id), actor=by)
    return row


async def waiting(tx: Tx) -> list[ApprovalRow]:
    """What waits for a second person, oldest first."""
    query = select(ApprovalRow).where(ApprovalRow.decided_at.is_(None)).order_by(ApprovalRow.asked_at)
    return list(await tx.session.scalars(query))


async def waiting_for(tx: Tx, kind: str, subject_id: UUID) -> ApprovalRow | None:
    """The open question about this subject."""
    query = select(ApprovalRow).where(
        ApprovalRow.kind == kind, ApprovalRow.subject_id == subject_id, ApprovalRow.decided_at.is_(None)
    )
    return (await tx.session.scalars(query)).one_or_none()
