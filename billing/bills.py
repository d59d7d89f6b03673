"""Bills of one person in a period: the same queries for the customer who pays and the consultant who earns.

A bill belongs to the moment it was written (``settling_at``), which is the moment of its ledger transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, tuple_

from billing.models import ChargeRow
from billing.periods import Period
from core.cursors import cursor_of, place
from core.db import Tx
from core.ids import UserId

Side = Literal["customer", "consultant"]
PAGE = 50
PIECE = 2_000


@dataclass(frozen=True, slots=True)
class Bill:
    """One call's bill; ``other_id`` is who was on the other side. Refunds stay with the call they are of.

    ``credited_minor`` is what the house gave back of it; a consultant is not told.
    """

    call_id: UUID
    reference: str
    billed_at: datetime
    ended_at: datetime | None
    other_id: UserId
    connected_ms: int
    gross_minor: int
    commission_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int
    currency: str
    state: str


@dataclass(frozen=True, slots=True)
class BillTotal:
    """The sum of a period in one currency; ``paid_minor`` is what Stripe took of ``gross_minor``."""

    currency: str
    gross_minor: int
    commission_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int
    count: int


@dataclass(frozen=True, slots=True)
class Month:
    """One calendar month (``2026-01``, where the reader lives) in one currency."""

    month: str
    currency: str
    gross_minor: int
    net_minor: int
    paid_minor: int
    refunded_minor: int
    credited_minor: int


@dataclass(frozen=True, slots=True)
class BillPage:
    """Bills, newest first, and where the next page begins."""

    items: Sequence[Bill]
    next_cursor: str | None


async def page(tx: Tx, side: Side, user: UUID, period: Period, cursor: str | None) -> BillPage:
    """A page of bills; raises Invalid on a cursor that is not ours."""
    bills = await _bills(tx, side, user, period, cursor=cursor, limit=PAGE + 1)
    shown = bills[:PAGE]
    return BillPage(shown, _cursor(shown[-1]) if len(bills) > PAGE else None)


async def of_calls(tx: Tx, user: UserId, calls: Collection[UUID]) -> list[Bill]:
    """The bills of these calls that are written and of which this person is a side; of a chain its first call's."""
    written = (ChargeRow.call_id.in_(calls), ChargeRow.settling_at.is_not(None))
    mine = or_(ChargeRow.customer_id == user, ChargeRow.consultant_id == user)
    rows = await tx.session.scalars(select(ChargeRow).where(*written, mine))
    return [_bill("customer" if row.customer_id == user else "consultant", row) for row in rows]


async def piece(
    tx: Tx, side: Side, user: UUID, period: Period, cursor: str | None
) -> tuple[Sequence[Bill], str | None]:
    """A piece of every bill of the period, newest first, and where the next begins; None at the end.

    Each may be read in a transaction of its own: a bill written meanwhile lies before the first piece.
    """
    bills = await _bills(tx, side, user, period, cursor=cursor, limit=PIECE)
    return bills, _cursor(bills[-1]) if len(bills) == PIECE else None


async def totals(tx: Tx, side: Side, user: UUID, period: Period) -> list[BillTotal]:
    """Sums per currency over the whole period."""
    query = (
        select(ChargeRow.currency, *_sums(side), func.count())
        .where(*_conditions(side, user, period))
        .group_by(ChargeRow.currency)
        .order_by(ChargeRow.currency)
    )
    return [BillTotal(row[0], *map(int, row[1:])) for row in await tx.session.execute(query)]


@dataclass(frozen=True, slots=True)
class FreeTime:
    """Calls that stayed under their threshold, and how long they lasted together."""

    count: int
    connected_ms: int


async def free_time(tx: Tx, user: UUID, period: Period) -> FreeTime:
    """What a consultant gave for nothing: the calls of the period that ended before they began to cost."""
    unsecured = and_(ChargeRow.late_hold_ms.is_not(None), ChargeRow.secured_at.is_(None))
    query = select(func.count(), func.coalesce(func.sum(ChargeRow.connected_ms), 0)).where(
        *_conditions("consultant", user, period), or_(ChargeRow.connected_ms < ChargeRow.threshold_ms, unsecured)
    )
    count, connected_ms = (await tx.session.execute(query)).one()
    return FreeTime(int(count), int(connected_ms or 0))


async def months(tx: Tx, side: Side, user: UUID, period: Period, zone: str) -> list[Month]:
    """Sums per month and currency, oldest first; months without a bill are left out."""
    month = func.to_char(func.timezone(zone, ChargeRow.settling_at), "YYYY-MM").label("month")
    gross, _, net, paid, back, credited = _sums(side)
    query = (
        select(month, ChargeRow.currency, gross, net, paid, back, credited)
        .where(*_conditions(side, user, period))
        .group_by("month", ChargeRow.currency)
        .order_by("month", ChargeRow.currency)
    )
    return [Month(row[0], row[1], *map(int, row[2:])) for row in await tx.session.execute(query)]


async def _bills(tx: Tx, side: Side, user: UUID, period: Period, *, cursor: str | None, limit: int) -> list[Bill]:
    query = select(ChargeRow).where(*_conditions(side, user, period))
    if cursor is not None:
        query = query.where(tuple_(ChargeRow.settling_at, ChargeRow.call_id) < tuple_(*place(cursor, UUID)))
    query = query.order_by(ChargeRow.settling_at.desc(), ChargeRow.call_id.desc()).limit(limit)
    return [_bill(side, row) for row in await tx.session.scalars(query)]


def _conditions(side: Side, user: UUID, period: Period) -> list[ColumnElement[bool]]:
    mine = ChargeRow.customer_id if side == "customer" else ChargeRow.consultant_id
    rules: list[ColumnElement[bool]] = [mine == user, ChargeRow.settling_at.is_not(None)]
    if period.starts_at is not None:
        rules.append(ChargeRow.settling_at >= period.starts_at)
    if period.ends_at is not None:
        rules.append(ChargeRow.settling_at < period.ends_at)
    return rules


def _sums(side: Side) -> tuple[ColumnElement[Any], ...]:
    row = ChargeRow
    columns = (row.gross_minor, row.commission_minor, row.net_minor, row.captured_minor, row.refunded_minor)
    credited = row.credited_minor if side == "customer" else literal(0)
    return tuple(func.coalesce(func.sum(column), 0) for column in (*columns, credited))


def _bill(side: Side, row: ChargeRow) -> Bill:
    assert row.settling_at is not None
    return Bill(
        call_id=row.call_id,
        reference=row.reference,
        billed_at=row.settling_at,
        ended_at=row.call_ended_at,
        other_id=UserId(row.consultant_id if side == "customer" else row.customer_id),
        connected_ms=row.connected_ms or 0,
        gross_minor=row.gross_minor or 0,
        commission_minor=row.commission_minor or 0,
        net_minor=row.net_minor or 0,
        paid_minor=row.captured_minor,
        refunded_minor=row.refunded_minor,
        credited_minor=row.credited_minor if side == "customer" else 0,
        currency=row.currency,
        state=row.state,
    )


def _cursor(bill: Bill) -> str:
    return cursor_of(bill.billed_at, bill.call_id)
