"""Money in a period, from both sides by the same queries: what a customer paid, what a consultant earned; and CSV."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from billing import bills
from billing.bills import Bill, Side
from billing.periods import Period, Span, between, months_of, named
from billing.spending import header, statement, table
from core.db import Tx
from core.errors import Invalid
from core.ids import UserId
from core.money import Currency
from web.routing import Access, Call, route
from web.schemas import Day, Input, Output, Utc


class PeriodQuery(Input):
    """A named period, or days from ``from`` to ``to`` inclusive, in the reader's time zone. Empty: this month."""

    period: Span | None = None
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")

    def of(self, call: Call, zone: str) -> Period:
        """As moments in UTC; raises Invalid when both a name and days are given."""
        if self.first is None and self.last is None:
            return named(self.period or Span.MONTH, call.house.clock.now(), zone)
        if self.period is not None:
            raise Invalid("Give either a named period or its days, not both.", field="period")
        return between(self.first, self.last, zone)


class StatementQuery(PeriodQuery):
    """``cursor`` is what the page before gave as ``next_cursor``."""

    cursor: Annotated[str, Field(max_length=200)] | None = None


class BillOut(Output):
    """One call; ``refunded_minor`` was given back of it, whenever that was, and ``credited_minor`` by the house."""

    call_id: UUID
    reference: str
    billed_at: Utc
    ended_at: Utc | None
    other_name: str
    connected_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int
    currency: Currency
    state: str


class BillTotalOut(Output):
    """The sum of the period in one currency; ``paid_minor`` is what was taken of ``gross_minor``."""

    currency: Currency
    gross_minor: int
    commission_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int
    count: int


class MonthOut(Output):
    """One calendar month (``2026-01``) in one currency; months without a bill are left out."""

    month: str
    currency: Currency
    gross_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int


class OpenCreditOut(Output):
    """What the house owes a customer in one currency for a promise it missed: given back of what they pay next."""

    currency: Currency
    amount_minor: int


class StatementOut(Output):
    """A page of calls, newest first; totals are of the whole period.

    ``year`` names the twelve months up to the end of the period, oldest first, and ``months`` has their figures.
    ``open_credits`` is what a customer has left now, whatever the period.
    """

    starts_at: Utc | None
    ends_at: Utc | None
    items: list[BillOut]
    totals: list[BillTotalOut]
    year: list[str]
    months: list[MonthOut]
    open_credits: list[OpenCreditOut]
    next_cursor: str | None


@route("GET", "/api/me/spending", access=Access.CUSTOMER, query=StatementQuery, reply=StatementOut)
async def get_spending(call: Call) -> StatementOut:
    """What your calls cost in a period, newest first."""
    return await _statement(call, "customer")


@route("GET", "/api/me/spending.csv", access=Access.CUSTOMER, query=PeriodQuery, media_type="text/csv")
async def get_spending_csv(call: Call) -> web.StreamResponse:
    """The same as CSV, whole and streamed, safe to open in a spreadsheet."""
    return await _csv(call, "customer", "spending.csv")


@route("GET", "/api/consultant/earnings", access=Access.CONSULTANT, query=StatementQuery, reply=StatementOut)
async def get_earnings(call: Call) -> StatementOut:
    """What your calls brought in a period, newest first."""
    return await _statement(call, "consultant")


@route("GET", "/api/consultant/earnings.csv", access=Access.CONSULTANT, query=PeriodQuery, media_type="text/csv")
async def get_earnings_csv(call: Call) -> web.StreamResponse:
    """The same as CSV, whole and streamed, safe to open in a spreadsheet."""
    return await _csv(call, "consultant", "earnings.csv")


async def _statement(call: Call, side: Side) -> StatementOut:
    query: StatementQuery = call.query
    async with call.house.db.begin() as tx:
        zone = (await call.house.profiles.get(tx, call.user)).time_zone
        period = query.of(call, zone)
        found = await statement(tx, side, call.user, period, zone=zone, cursor=query.cursor)
        names = await _names(call, tx, found.items)
        left = await call.house.credits.open_of(tx, call.user) if side == "customer" else []
    return StatementOut(
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        items=[_bill(bill, names) for bill in found.items],
        totals=[BillTotalOut.model_validate(total) for total in found.totals],
        year=months_of(found.year, zone),
        months=[MonthOut.model_validate(month) for month in found.months],
        open_credits=[OpenCreditOut.model_validate(one) for one in left],
        next_cursor=found.next_cursor,
    )


async def _csv(call: Call, side: Side, name: str) -> web.StreamResponse:
    query: PeriodQuery = call.query
    async with call.house.db.begin() as tx:
        period = query.of(call, (await call.house.profiles.get(tx, call.user)).time_zone)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    answer = web.StreamResponse(headers=headers | {"Content-Type": "text/csv; charset=utf-8"})
    await answer.prepare(call.request)
    await answer.write(header(side).encode("utf-8-sig"))  # the mark tells Excel that it is UTF-8
    cursor: str | None = None
    while True:
        async with call.house.db.begin() as tx:
            rows, cursor = await bills.piece(tx, side, call.user, period, cursor)
            names = await _names(call, tx, rows)
        await answer.write(table(side, rows, names).encode())  # however slow the reader: no connection waits for them
        if cursor is None:
            break
    await answer.write_eof()
    return answer


async def _names(call: Call, tx: Tx, rows: Sequence[Bill]) -> Mapping[UserId, str]:
    return await call.house.profiles.names(tx, {row.other_id for row in rows})


def _bill(bill: Bill, names: Mapping[UserId, str]) -> BillOut:
    figures = {name: getattr(bill, name) for name in BillOut.model_fields if name != "other_name"}
    return BillOut(**figures, other_name=names.get(bill.other_id, ""))
