"""Finance: every invoice and credit note, found by number, person, reference or day."""

from typing import Annotated, Literal, cast
from uuid import UUID

from pydantic import Field, StringConstraints

from billing.finance import invoices
from billing.invoices import number_of
from billing.periods import between
from core.ids import UserId
from core.money import Currency
from web.routes.finance import READERS
from web.routing import Call, route
from web.schemas import Day, Input, Output, Utc

IssuedKind = Literal["invoice", "credit_note", "credit"]


class InvoicesQuery(Input):
    """``q`` is a number, with its year or without, part of a reference or of a name; days are both whole."""

    q: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    first: Day | None = Field(default=None, alias="from")
    last: Day | None = Field(default=None, alias="to")
    cursor: Annotated[str, Field(max_length=200)] | None = None


class IssuedOut(Output):
    """An invoice, a credit note that takes (part of) one back, or a credit that the house gave; and its charge."""

    number: str
    kind: IssuedKind
    issued_at: Utc
    customer_name: str
    consultant_name: str
    gross_minor: int
    vat_minor: int
    currency: Currency
    reference: str
    charge_id: UUID


class InvoicesOut(Output):
    """A page of them, newest first."""

    items: list[IssuedOut]
    next_cursor: str | None


@route("GET", "/api/finance/invoices", access=READERS, query=InvoicesQuery, reply=InvoicesOut)
async def get_invoices(call: Call) -> InvoicesOut:
    """Invoices and credit notes, newest first."""
    query: InvoicesQuery = call.query
    async with call.house.db.begin() as tx:
        period = between(query.first, query.last, (await call.house.profiles.get(tx, call.user)).time_zone)
        people = await call.house.profiles.named(tx, query.q) if query.q else []
        found = await invoices.page(tx, query.q, people, period, cursor=query.cursor)
        users = {UserId(user) for _, charge in found.rows for user in (charge.customer_id, charge.consultant_id)}
        names = await call.house.profiles.names(tx, users)
    return InvoicesOut(
        items=[
            IssuedOut(
                number=number_of(invoice),
                kind=cast("IssuedKind", invoice.kind),
                issued_at=invoice.issued_at,
                customer_name=names.get(UserId(charge.customer_id), ""),
                consultant_name=names.get(UserId(charge.consultant_id), ""),
                gross_minor=invoice.gross_minor,
                vat_minor=invoice.vat_minor,
                currency=Currency(invoice.currency),
                reference=charge.reference,
                charge_id=charge.id,
            )
            for invoice, charge in found.rows
        ],
        next_cursor=found.next_cursor,
    )
