"""Refunds: what one would do, asking for it, and the second person's word above a limit."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from billing.finance import approvals
from billing.refunds.service import REASONS
from core.ids import UserId
from core.money import Currency
from web.routes.finance import READERS
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

Amount = Annotated[int, Field(ge=1, le=2_147_483_647)]
Words = Annotated[str, Field(max_length=1_000)]
Reason = Literal["customer_request", "quality", "technical", "consultant_absent", "duplicate", "goodwill", "other"]
assert set(REASONS) == set(Reason.__args__)  # type: ignore[attr-defined]


class PreviewQuery(Input):
    """How much would be given back."""

    amount_minor: Amount


class PlannedPosting(Output):
    """Value that would move between two accounts."""

    source: str
    destination: str
    amount_minor: int


class PreviewOut(Output):
    """What a refund would do; ``left_minor`` could still be given back after it."""

    amount_minor: int
    commission_minor: int
    share_minor: int
    refundable_minor: int
    left_minor: int
    currency: Currency
    four_eyes: bool
    postings: list[PlannedPosting]


class RefundIn(Input):
    """A refund; the same key again is the same refund."""

    amount_minor: Amount
    reason: Reason
    note: Words = ""
    idempotency_key: UUID


class RefundOut(Output):
    """A refund as it stands: ``awaiting`` a second person, ``rejected``, ``sending``, ``done`` or ``failed``."""

    id: UUID
    amount_minor: int
    commission_minor: int
    currency: Currency
    reason: str
    note: str
    state: str
    requested_at: Utc
    finished_at: Utc | None


class ApprovalOut(Output):
    """What somebody asked and somebody else must decide; ``mine`` is what the reader asked themselves."""

    id: UUID
    kind: Literal["refund", "release", "waive", "correction"]
    subject_id: UUID
    amount_minor: int
    currency: Currency
    asked_at: Utc
    asked_by_name: str
    note: str
    mine: bool


class ApprovalsOut(Output):
    """What waits for a second person, oldest first."""

    items: list[ApprovalOut]


class ApprovalDecisionIn(Input):
    """The second person's word."""

    approved: bool


@route("GET", "/api/finance/charges/{charge_id}/refund", access=READERS, query=PreviewQuery, reply=PreviewOut)
async def get_refund_preview(call: Call) -> PreviewOut:
    """Every posting a refund of this amount would make, before anybody decides."""
    query: PreviewQuery = call.query
    async with call.house.db.begin() as tx:
        return PreviewOut.model_validate(await call.house.refunds.preview(tx, call.id("charge_id"), query.amount_minor))


@route(
    "POST",
    "/api/finance/charges/{charge_id}/refunds",
    access=Access.FINANCE,
    body=RefundIn,
    reply=RefundOut,
    status=201,
)
async def post_refund(call: Call) -> RefundOut:
    """Give money back; above the limit a second person must agree first."""
    body: RefundIn = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.refunds.request(
            tx,
            call.id("charge_id"),
            amount_minor=body.amount_minor,
            reason=body.reason,
            note=body.note,
            key=str(body.idempotency_key),
            by=call.user,
        )
        return RefundOut.model_validate(row)


@route("GET", "/api/finance/approvals", access=READERS, reply=ApprovalsOut)
async def get_approvals(call: Call) -> ApprovalsOut:
    """What waits for a second person."""
    async with call.house.db.begin() as tx:
        rows = await approvals.waiting(tx)
        names = await call.house.profiles.names(tx, [UserId(row.asked_by) for row in rows])
    return ApprovalsOut(
        items=[
            ApprovalOut(
                id=row.id,
                kind=row.kind,
                subject_id=row.subject_id,
                amount_minor=row.amount_minor,
                currency=Currency(row.currency),
                asked_at=row.asked_at,
                asked_by_name=names.get(UserId(row.asked_by), ""),
                note=row.note,
                mine=row.asked_by == call.user,
            )
            for row in rows
        ]
    )


@route("POST", "/api/finance/approvals/{approval_id}", access=Access.FINANCE, body=ApprovalDecisionIn)
async def post_approval(call: Call) -> None:
    """Agree or refuse; never about one's own request."""
    body: ApprovalDecisionIn = call.body
    async with call.house.db.begin() as tx:
        row = await approvals.decide(tx, call.id("approval_id"), call.user, approved=body.approved)
        if row.kind == approvals.REFUND:
            await call.house.refunds.decided(tx, row.subject_id, call.user, approved=body.approved)
            await call.house.problems.refund_decided(tx, row.subject_id, call.user, approved=body.approved)
        elif row.kind in {approvals.WAIVE, approvals.CORRECTION}:
            await call.house.adjustments.decided(tx, row.subject_id, call.user, approved=body.approved)
        else:
            await call.house.payouts.decided(tx, row, call.user)
