"""What a customer still owes, and paying it by a click."""

from uuid import UUID

from core.money import Currency
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc


class OwedOut(Output):
    """A payment that did not go through; it is tried again by itself at ``next_at``."""

    charge_id: UUID
    call_id: UUID
    reference: str
    amount_minor: int
    currency: Currency
    opened_at: Utc
    next_at: Utc | None
    last_message: str | None
    authenticate_url: str | None


class OwedListOut(Output):
    """What is owed, oldest first; while ``limited``, nobody can be rung."""

    items: list[OwedOut]
    limited: bool


class PayIn(Input):
    """One attempt; the same key again is the same attempt."""

    idempotency_key: UUID


@route("GET", "/api/me/owed", access=Access.CUSTOMER, reply=OwedListOut)
async def get_owed(call: Call) -> OwedListOut:
    """What you still owe."""
    async with call.house.db.begin() as tx:
        found = await call.house.collection.owed(tx, call.user)
        limited = await call.house.collection.limits(tx, call.user)
    return OwedListOut(items=[OwedOut.model_validate(item) for item in found], limited=limited)


@route("POST", "/api/me/owed/{charge_id}/pay", access=Access.CUSTOMER, body=PayIn, owned="charge")
async def post_pay(call: Call) -> None:
    """Pay now, with your default card."""
    body: PayIn = call.body
    async with call.house.db.begin() as tx:
        await call.house.collection.pay(tx, call.user, call.id("charge_id"), body.idempotency_key)
