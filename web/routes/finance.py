"""Finance: charges with totals, one charge with its proof, the overview, and the CSV."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from pydantic import Field

from billing.finance.filters import ChargeFilter
from billing.finance.paper import MOST_PRINTED, About, PrintedCharge, printed_charges
from billing.finance.service import Detail
from billing.finance.sheet import header, sheet
from billing.models import ChargeRow
from billing.periods import between
from core.db import Tx
from core.ids import UserId
from core.money import Currency
from web.routes.receipts import ISSUER, EntryOut
from web.routing import Access, Call, route
from web.schemas import Day, Input, Output, Utc

READERS = (Access.FINANCE, Access.ADMIN)
_SNAPSHOT = (
    "rate_minor_per_hour",
    "currency",
    "policy",
    "policy_version",
    "threshold_ms",
    "commission_bps",
    "snapshot_cap_minor",
    "cap_minor",
    "late_hold_ms",
    "secured_at",
    "review_window_s",
    "review_until",
    "waived",
    "tax_mode",
    "tax_rate_bps",
    "tax_reason",
    "supplier_country",
    "customer_country",
    "terms_version",
    "consented_at",
)
_HOLD = (
    "n",
    "state",
    "amount_minor",
    "captured_minor",
    "capture_fee_minor",
    "provider_fee_minor",
    "provider_id",
    "transfer_id",
    "created_at",
    "held_at",
    "capture_before",
    "finished_at",
)
_COMMAND = ("kind", "state", "key", "attempts", "created_at", "first_sent_at", "finished_at", "outcome")

_REFUND = (
    "id",
    "credit_id",
    "amount_minor",
    "commission_minor",
    "reason",
    "note",
    "state",
    "requested_at",
    "finished_at",
)
_DISPUTE = ("id", "provider_id", "amount_minor", "share_minor", "reason", "status", "due_at", "opened_at", "closed_at")
_ADJUSTMENT = ("kind", "amount_minor", "source", "destination", "note", "state", "requested_at", "finished_at")
_COLLECTION = ("amount_minor", "state", "attempts", "opened_at", "next_at", "closed_at", "last_message")


class FilterQuery(Input):
    """What to look for; ``from`` and ``to`` are days of the accept, both whole, in the reader's time zone."""

    state: Annotated[str, Field(max_length=20)] | None = None
    currency: Currency | None = None
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    q: Annotated[str, Field(max_length=40)] | None = None
    min_minor: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    free: bool | None = None
    min_connected_ms: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    capture_failed: bool | None = None

    def asked(self) -> dict[str, Any]:
        """What was given, as it was: for the audit."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def filter(self, zone: str) -> ChargeFilter:
        """The same for billing, whose days begin at midnight in ``zone``."""
        period = between(self.first, self.last, zone)
        return ChargeFilter(
            state=self.state,
            currency=self.currency,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            reference=self.q,
            min_minor=self.min_minor,
            free=self.free,
            min_connected_ms=self.min_connected_ms,
            capture_failed=self.capture_failed,
        )


class PageQuery(FilterQuery):
    """A page of it."""

    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ChargeRowOut(Output):
    """One charge."""

    call_id: UUID
    charge_id: UUID
    reference: str
    at: Utc
    customer_name: str
    consultant_name: str
    connected_ms: int
    billed_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    refunded_minor: int
    credited_minor: int
    currency: Currency
    state: str


class TotalOut(Output):
    """The whole filter's sum in one currency."""

    currency: Currency
    gross_minor: int
    commission_minor: int
    net_minor: int
    count: int


class ChargesOut(Output):
    """A page of charges, newest first, with the totals of the whole filter."""

    items: list[ChargeRowOut]
    totals: list[TotalOut]
    next_cursor: str | None


class IntervalOut(Output):
    """Observed connected time."""

    n: int
    started_at: Utc
    duration_ms: int
    open: bool
    cause: str | None


class PostingOut(Output):
    """Value moved between two accounts."""

    source: str
    destination: str
    amount_minor: int
    currency: Currency


class TransactionOut(Output):
    """One fact in the books."""

    id: UUID
    at: Utc
    kind: str
    postings: list[PostingOut]


class RecomputedOut(Output):
    """The bill computed again from raw rows."""

    gross_minor: int
    matches: bool


class CaseOut(Output):
    """What a person must look at; ``details`` are its figures."""

    id: UUID
    charge_id: UUID | None
    kind: str
    details: dict[str, Any]
    opened_at: Utc
    closed_at: Utc | None
    resolution: str | None


class DetailOut(Output):
    """One charge with its proof."""

    row: ChargeRowOut
    snapshot: dict[str, Any]
    intervals: list[IntervalOut]
    timeline: list[EntryOut]
    holds: list[dict[str, Any]]
    commands: list[dict[str, Any]]
    transactions: list[TransactionOut]
    cases: list[CaseOut]
    refunds: list[dict[str, Any]]
    adjustments: list[dict[str, Any]]
    disputes: list[dict[str, Any]]
    collection: dict[str, Any] | None
    recomputed: RecomputedOut


class CurrencyOverview(Output):
    """One currency at a glance; ``difference_minor`` is what Stripe took less what the books say: 0."""

    currency: Currency
    captured_minor: int
    held_minor: int
    released_minor: int
    commission_minor: int
    payable_minor: int
    fees_minor: int
    difference_minor: int


class OverviewOut(Output):
    """Every currency at a glance."""

    currencies: list[CurrencyOverview]


@route("GET", "/api/finance/charges", access=READERS, query=PageQuery, reply=ChargesOut)
async def get_charges(call: Call) -> ChargesOut:
    """List charges, newest first, with totals over the whole filter."""
    query: PageQuery = call.query
    async with call.house.db.begin() as tx:
        wanted = query.filter(await _zone(call, tx))
        page = await call.house.finance.charges(tx, wanted, cursor=query.cursor, limit=query.limit)
        names = await _names(call, tx, page.rows)
    return ChargesOut(
        items=[_row(row, names) for row in page.rows],
        totals=[TotalOut.model_validate(total) for total in page.totals],
        next_cursor=page.next_cursor,
    )


@route("GET", "/api/finance/charges.csv", access=READERS, query=FilterQuery, media_type="text/csv")
async def get_charges_csv(call: Call) -> web.StreamResponse:
    """The same list as CSV, whole and streamed, safe to open in a spreadsheet."""
    query: FilterQuery = call.query
    async with call.house.db.begin() as tx:
        call.house.finance.exported(tx, call.user, "charges.csv", query.asked())
        wanted = query.filter(await _zone(call, tx))
    answer = web.StreamResponse(headers=attachment("text/csv; charset=utf-8", "charges.csv"))
    await answer.prepare(call.request)
    await answer.write(header().encode("utf-8-sig"))  # the mark tells Excel that it is UTF-8
    cursor: str | None = None
    while True:
        async with call.house.db.begin() as tx:
            rows, cursor = await call.house.finance.piece(tx, wanted, cursor)
            names = await _names(call, tx, rows)
        await answer.write(sheet(rows, names).encode())  # however slow the reader: no connection waits for them
        if cursor is None:
            break
    await answer.write_eof()
    return answer


@route("GET", "/api/finance/charges.pdf", access=READERS, query=FilterQuery, media_type="application/pdf")
async def get_charges_pdf(call: Call) -> web.Response:
    """The same list on paper, with its totals, in your language and time zone; up to two thousand charges."""
    query: FilterQuery = call.query
    lines: list[PrintedCharge] = []
    async with call.house.db.begin() as tx:
        reader = await call.house.accounts.view(tx, call.user)
        wanted = query.filter(reader.time_zone)
        async for rows in call.house.finance.export(tx, wanted, most=MOST_PRINTED):
            names = await _names(call, tx, rows)
            lines += [_printed(row, names) for row in rows]
        totals = await call.house.finance.totals(tx, wanted)
        call.house.finance.exported(tx, call.user, "charges.pdf", query.asked())
        about = About(ISSUER, reader.locale, reader.time_zone, tx.now)
    body = await asyncio.to_thread(printed_charges, lines, totals, about)
    return web.Response(body=body, headers=attachment("application/pdf", "charges.pdf"))


@route("GET", "/api/finance/charges/{charge_id}", access=READERS, reply=DetailOut)
async def get_charge(call: Call) -> DetailOut:
    """One charge: timeline, price snapshot, consent, postings, provider objects, and the bill computed again."""
    async with call.house.db.begin() as tx:
        detail = await call.house.finance.detail(tx, call.id("charge_id"))
        names = await _names(call, tx, [detail.charge])
    return _detail(detail, names)


@route("GET", "/api/finance/overview", access=READERS, reply=OverviewOut)
async def get_overview(call: Call) -> OverviewOut:
    """Captured, held, released, commission and payable per currency, and the difference to the books."""
    async with call.house.db.begin() as tx:
        found = await call.house.finance.overview(tx)
    return OverviewOut(currencies=[CurrencyOverview.model_validate(each) for each in found])


def attachment(kind: str, name: str) -> dict[str, str]:
    """The headers of a file that is kept, and by nobody on the way."""
    return {
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }


def _printed(row: ChargeRow, names: Mapping[UserId, str]) -> PrintedCharge:
    return PrintedCharge(
        reference=row.reference,
        at=row.created_at,
        customer=names.get(UserId(row.customer_id), ""),
        consultant=names.get(UserId(row.consultant_id), ""),
        connected_ms=row.connected_ms or 0,
        billed_ms=row.billed_ms or 0,
        gross_minor=row.gross_minor or 0,
        commission_minor=row.commission_minor or 0,
        net_minor=row.net_minor or 0,
        refunded_minor=row.refunded_minor,
        currency=row.currency,
        state=row.state,
    )


async def _zone(call: Call, tx: Tx) -> str:
    return (await call.house.profiles.get(tx, call.user)).time_zone


async def _names(call: Call, tx: Tx, rows: Iterable[ChargeRow]) -> Mapping[UserId, str]:
    users = {UserId(user) for row in rows for user in (row.customer_id, row.consultant_id)}
    return await call.house.profiles.names(tx, users)


def _row(row: ChargeRow, names: Mapping[UserId, str]) -> ChargeRowOut:
    return ChargeRowOut(
        call_id=row.call_id,
        charge_id=row.id,
        reference=row.reference,
        at=row.created_at,
        customer_name=names.get(UserId(row.customer_id), ""),
        consultant_name=names.get(UserId(row.consultant_id), ""),
        connected_ms=row.connected_ms or 0,
        billed_ms=row.billed_ms or 0,
        gross_minor=row.gross_minor or 0,
        commission_minor=row.commission_minor or 0,
        net_minor=row.net_minor or 0,
        refunded_minor=row.refunded_minor,
        credited_minor=row.credited_minor,
        currency=Currency(row.currency),
        state=row.state,
    )


def _detail(detail: Detail, names: Mapping[UserId, str]) -> DetailOut:
    return DetailOut(
        row=_row(detail.charge, names),
        snapshot={name: getattr(detail.charge, name) for name in _SNAPSHOT},
        intervals=[IntervalOut.model_validate(interval) for interval in detail.intervals],
        timeline=[EntryOut(at=event.at, kind=event.kind, detail=event.details) for event in detail.events],
        holds=[{name: getattr(hold, name) for name in _HOLD} for hold in detail.holds],
        commands=[{name: getattr(command, name) for name in _COMMAND} for command in detail.commands],
        transactions=[
            TransactionOut(
                id=transaction.id,
                at=transaction.at,
                kind=transaction.kind,
                postings=[PostingOut.model_validate(posting) for posting in postings],
            )
            for transaction, postings in detail.transactions
        ],
        cases=[CaseOut.model_validate(case) for case in detail.cases],
        refunds=[{name: getattr(refund, name) for name in _REFUND} for refund in detail.refunds],
        adjustments=[{name: getattr(each, name) for name in _ADJUSTMENT} for each in detail.adjustments],
        disputes=[{name: getattr(dispute, name) for name in _DISPUTE} for dispute in detail.disputes],
        collection=detail.collection and {name: getattr(detail.collection, name) for name in _COLLECTION},
        recomputed=RecomputedOut.model_validate(detail.recomputed),
    )
