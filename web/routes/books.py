"""The books: comparisons with Stripe and with raw rows, cases, months, the journal, and who did what."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from aiohttp import web
from pydantic import Field
from sqlalchemy import Row, or_, select, text

from billing import cases
from billing.finance.sheet import safe
from billing.reconciliation import months
from core.audit import AuditEntry
from core.ids import UserId
from core.money import amount_text
from web.routes.finance import READERS, CaseOut
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

MOST_AUDIT = 200
AROUND_MONEY = ("finance.", "payout.", "terms.")  # what the actions that finance reads of begin with
PIECE = 500  # postings of the journal to a transaction


class RunOut(Output):
    """One comparison: of Stripe's lines (``provider``) or of every bill (``bills``)."""

    id: UUID
    kind: Literal["provider", "bills"]
    started_at: Utc
    finished_at: Utc | None
    since: Utc
    until: Utc
    checked: int
    differences: int
    totals: dict[str, dict[str, int]]


class RunsOut(Output):
    """The latest comparisons, newest first."""

    items: list[RunOut]


class RunIn(Input):
    """Which comparison to make now."""

    kind: Literal["provider", "bills"]


class CasesQuery(Input):
    """Those that wait, or those that are closed."""

    closed: bool = False


class CasesOut(Output):
    """Cases, the oldest first while they wait."""

    items: list[CaseOut]


class CloseIn(Input):
    """What was found, for those who read it later."""

    resolution: Annotated[str, Field(min_length=3, max_length=2_000)]


class BookMonthOut(Output):
    """A month's figures: turnover per account and currency, bookings by kind, cases that were open."""

    month: str
    closed_at: Utc | None
    figures: dict[str, Any]


class MonthsOut(Output):
    """The month that runs, the one before, and every closed one."""

    items: list[BookMonthOut]


class AuditQuery(Input):
    """Entries older than ``before``; empty: the newest."""

    before: Annotated[int, Field(ge=1)] | None = None


class AuditOut(Output):
    """One action: who did what to which object."""

    id: int
    at: Utc
    actor_name: str
    action: str
    subject: str
    details: dict[str, Any]


class AuditsOut(Output):
    """Actions around money, newest first."""

    items: list[AuditOut]


class JournalQuery(Input):
    """Which month, such as ``2026-11``."""

    month: Annotated[str, Field(pattern=r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$")]


@route("GET", "/api/finance/reconciliation", access=READERS, reply=RunsOut)
async def get_reconciliation(call: Call) -> RunsOut:
    """The latest comparisons."""
    async with call.house.db.begin() as tx:
        rows = await call.house.reconciliation.runs(tx)
        return RunsOut(items=[RunOut.model_validate(row) for row in rows])


@route("POST", "/api/finance/reconciliation", access=Access.FINANCE, body=RunIn, reply=RunOut, status=202)
async def post_reconciliation(call: Call) -> RunOut:
    """Compare now, up to this moment."""
    body: RunIn = call.body
    async with call.house.db.begin() as tx:
        running = await call.house.reconciliation.running(tx, body.kind)
        if running is not None:
            return RunOut.model_validate(running)
        run = await call.house.reconciliation.start(tx, body.kind, until=tx.now, by=call.user)
        return RunOut.model_validate(run)


@route("GET", "/api/finance/cases", access=READERS, query=CasesQuery, reply=CasesOut)
async def get_cases(call: Call) -> CasesOut:
    """What a person must look at."""
    query: CasesQuery = call.query
    async with call.house.db.begin() as tx:
        rows = await cases.listed(tx, open_only=not query.closed)
        return CasesOut(items=[CaseOut.model_validate(row) for row in rows])


@route("POST", "/api/finance/cases/{case_id}/close", access=Access.FINANCE, body=CloseIn)
async def post_case_close(call: Call) -> None:
    """Close a case with what was found."""
    body: CloseIn = call.body
    async with call.house.db.begin() as tx:
        await cases.close_case(tx, call.id("case_id"), call.user, body.resolution)


@route("GET", "/api/finance/months", access=READERS, reply=MonthsOut)
async def get_months(call: Call) -> MonthsOut:
    """The books by month."""
    async with call.house.db.begin() as tx:
        closed = await months.closed(tx)
        known = {row.month for row in closed}
        running = [month for month in _latest(tx.now) if month not in known]
        items = [
            BookMonthOut(month=month, closed_at=None, figures=await months.figures(tx, month)) for month in running
        ]
        items += [BookMonthOut(month=row.month, closed_at=row.closed_at, figures=row.figures) for row in closed]
    return MonthsOut(items=items)


@route("POST", "/api/finance/months/{month}/close", access=Access.FINANCE, reply=BookMonthOut)
async def post_month_close(call: Call) -> BookMonthOut:
    """Close a month: nothing can be booked into it any more, corrections go into the month that runs."""
    async with call.house.db.begin() as tx:
        row = await months.close(tx, call.path["month"], call.user)
        return BookMonthOut(month=row.month, closed_at=row.closed_at, figures=row.figures)


@route("GET", "/api/finance/audit", access=READERS, query=AuditQuery, reply=AuditsOut)
async def get_audit(call: Call) -> AuditsOut:
    """Who did what around money."""
    query: AuditQuery = call.query
    wanted = select(AuditEntry).where(or_(*(AuditEntry.action.startswith(prefix) for prefix in AROUND_MONEY)))
    if query.before is not None:
        wanted = wanted.where(AuditEntry.id < query.before)
    async with call.house.db.begin() as tx:
        rows = list(await tx.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(MOST_AUDIT)))
        names = await call.house.profiles.names(tx, [UserId(row.actor_id) for row in rows if row.actor_id])
    return AuditsOut(
        items=[
            AuditOut(
                id=row.id,
                at=row.at,
                actor_name=names.get(UserId(row.actor_id), "") if row.actor_id else "",
                action=row.action,
                subject=row.subject,
                details=row.details,
            )
            for row in rows
        ]
    )


@route("GET", "/api/finance/journal.csv", access=READERS, query=JournalQuery, media_type="text/csv")
async def get_journal(call: Call) -> web.StreamResponse:
    """Every posting of a month, for the accountant; streamed, safe to open in a spreadsheet."""
    query: JournalQuery = call.query
    since, until = months.bounds(query.month)
    name = f"journal-{query.month}.csv"
    async with call.house.db.begin() as tx:
        call.house.finance.exported(tx, call.user, name, {})
    answer = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
    )
    await answer.prepare(call.request)
    await answer.write("\ufeffat,kind,key,reference,source,destination,amount,currency\r\n".encode())
    after: tuple[datetime, str, int] = (since, "", 0)
    while True:
        async with call.house.db.begin() as tx:
            rows = (await tx.session.execute(_JOURNAL, _place(after, until))).all()
        await answer.write(_sheet(rows).encode())  # however slow the reader: no connection waits for them
        if len(rows) < PIECE:
            break
        after = rows[-1].at, rows[-1].key, rows[-1].id
    await answer.write_eof()
    return answer


# In pieces, each in a transaction of its own. Rows are only added, so a closed month is the same in all of them; of a
# month that still runs, what is booked during the download may be missing.
_JOURNAL = text(
    "SELECT t.at, t.kind, t.key, coalesce(c.reference, '') AS reference, p.source, p.destination, p.amount_minor, "
    "p.currency, p.id FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id "
    "LEFT JOIN charge c ON c.id = t.charge_id "
    "WHERE (t.at, t.key, p.id) > (:at, :key, :id) AND t.at < :until ORDER BY t.at, t.key, p.id LIMIT :piece"
)


def _place(after: tuple[datetime, str, int], until: datetime) -> dict[str, Any]:
    at, key, number = after
    return {"at": at, "key": key, "id": number, "until": until, "piece": PIECE}


def _sheet(rows: Sequence[Row[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow(
            (
                row.at.isoformat(timespec="milliseconds"),
                safe(row.kind),
                safe(row.key),
                safe(row.reference),
                safe(row.source),
                safe(row.destination),
                amount_text(row.amount_minor, row.currency),
                row.currency.upper(),
            )
        )
    return out.getvalue()


def _latest(now: datetime) -> list[str]:
    before = now.replace(day=1)
    previous = (before.year, before.month - 1) if before.month > 1 else (before.year - 1, 12)
    return [f"{now:%Y-%m}", f"{previous[0]:04d}-{previous[1]:02d}"]
