"""Finance finds an invoice or credit note: by its number, by who is on it, by the call's reference, by its day."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal, or_, select, tuple_

from billing.models import ChargeRow, InvoiceRow
from billing.periods import Period
from core.cursors import cursor_of, place
from core.db import Tx
from core.ids import UserId

PAGE = 50
REFERENCE_TAIL = 4  # what people read aloud of a reference
_NUMBER = re.compile(r"(?:(\d{4})-)?0*(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """A page of invoices with the charges they are of, newest first, and where the next begins."""

    rows: Sequence[tuple[InvoiceRow, ChargeRow]]
    next_cursor: str | None


async def page(
    tx: Tx, said: str, people: Collection[UserId], period: Period, *, cursor: str | None = None, limit: int = PAGE
) -> InvoicePage:
    """Invoices and credit notes of a period that ``said`` finds; ``people`` are those it may name.

    Raises Invalid on a cursor that is not ours.
    """
    # Papers of one transaction, and of one moment, stand in the order of their numbers.
    order = (InvoiceRow.issued_at, InvoiceRow.number)
    query = select(InvoiceRow, ChargeRow).join(ChargeRow, ChargeRow.id == InvoiceRow.charge_id)
    if said:
        query = query.where(_found(said, people))
    if period.starts_at is not None:
        query = query.where(InvoiceRow.issued_at >= period.starts_at)
    if period.ends_at is not None:
        query = query.where(InvoiceRow.issued_at < period.ends_at)
    if cursor is not None:
        query = query.where(tuple_(*order) < tuple_(*place(cursor, _read_number)))
    query = query.order_by(*(column.desc() for column in order)).limit(limit + 1)
    rows = [(row[0], row[1]) for row in await tx.session.execute(query)]
    shown = rows[:limit]
    return InvoicePage(shown, cursor_of(shown[-1][0].issued_at, shown[-1][0].number) if len(rows) > limit else None)


def _read_number(said: str) -> int:
    number = int(said)
    if not 0 < number < 2**31:
        raise ValueError("no invoice has this number")
    return number


def _found(said: str, people: Collection[UserId]) -> ColumnElement[bool]:
    named = any_(literal(list(people), ARRAY(Uuid)))  # one parameter, however many bear that name
    found = or_(ChargeRow.customer_id == named, ChargeRow.consultant_id == named)
    number = _NUMBER.fullmatch(said)
    if number is None or len(said) >= REFERENCE_TAIL:  # the end of a reference may be all digits
        found |= ChargeRow.reference.icontains(said, autoescape=True)
    if number is not None:  # with its year, or without: the same number of every year
        same = InvoiceRow.number == int(number[2])
        found |= same if number[1] is None else same & (InvoiceRow.series == number[1])
    return found
