"""Adjustments: a bill that is waived, and entries that correct the books, each shown before it is asked for."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from billing.adjustments.service import Correction
from core.errors import Invalid
from core.money import Currency
from web.routes.finance import READERS
from web.routes.refunds import Amount, PlannedPosting
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

Kind = Literal["waive", "correction"]
Account = Annotated[str, Field(min_length=1, max_length=100)]


class AdjustmentQuery(Input):
    """A bill to be waived, or a correcting entry with its accounts and amount."""

    kind: Kind
    source: Account | None = None
    destination: Account | None = None
    amount_minor: Amount | None = None

    def wanted(self) -> Correction | None:
        """What is wanted; raises Invalid where it is not said whole."""
        if self.kind == "waive":
            return None
        if self.source is None or self.destination is None or self.amount_minor is None:
            raise Invalid("A correction names source, destination and amount_minor.", field="source")
        return Correction(self.source, self.destination, self.amount_minor)


class AdjustmentIn(AdjustmentQuery):
    """An adjustment and why; the same key again is the same adjustment."""

    note: Annotated[str, Field(min_length=3, max_length=1_000)]
    idempotency_key: UUID


class AdjustmentPlanOut(Output):
    """What an adjustment would book."""

    kind: Kind
    amount_minor: int
    currency: Currency
    postings: list[PlannedPosting]
    four_eyes: bool


class AdjustmentOut(Output):
    """An adjustment as it stands: ``awaiting`` a second person, ``rejected`` or ``booked``."""

    id: UUID
    kind: Kind
    amount_minor: int
    currency: Currency
    source: str | None
    destination: str | None
    note: str
    state: str
    requested_at: Utc
    finished_at: Utc | None


class AdjustableOut(Output):
    """The accounts a correcting entry of this charge may name."""

    accounts: list[str]


@route("GET", "/api/finance/charges/{charge_id}/accounts", access=READERS, reply=AdjustableOut)
async def get_adjustable_accounts(call: Call) -> AdjustableOut:
    """Between which accounts a correcting entry may move value."""
    async with call.house.db.begin() as tx:
        return AdjustableOut(accounts=list(await call.house.adjustments.accounts(tx, call.id("charge_id"))))


@route(
    "GET",
    "/api/finance/charges/{charge_id}/adjustment",
    access=READERS,
    query=AdjustmentQuery,
    reply=AdjustmentPlanOut,
)
async def get_adjustment_preview(call: Call) -> AdjustmentPlanOut:
    """Every posting an adjustment would make, before anybody decides."""
    query: AdjustmentQuery = call.query
    async with call.house.db.begin() as tx:
        plan = await call.house.adjustments.preview(tx, call.id("charge_id"), query.wanted())
        return AdjustmentPlanOut.model_validate(plan)


@route(
    "POST",
    "/api/finance/charges/{charge_id}/adjustments",
    access=Access.FINANCE,
    body=AdjustmentIn,
    reply=AdjustmentOut,
    status=201,
)
async def post_adjustment(call: Call) -> AdjustmentOut:
    """Waive a bill, or correct the books; a correction, and a waiver above the limit, take a second person."""
    body: AdjustmentIn = call.body
    async with call.house.db.begin() as tx:
        row = await call.house.adjustments.request(
            tx,
            call.id("charge_id"),
            body.wanted(),
            note=body.note,
            key=str(body.idempotency_key),
            by=call.user,
        )
        return AdjustmentOut.model_validate(row)
