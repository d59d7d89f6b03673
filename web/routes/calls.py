"""Calls: history, the call itself, leaving, pausing, chat, its meter, more time, and the demo clock."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from billing import bills
from core.errors import NotFound
from core.ids import CallId
from signaling.call import Role
from signaling.messages import ChatMessage
from signaling.pause import PauseAction
from signaling.views import CallSummary, CallView, MeterView
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output


class HistoryQuery(Input):
    """A page of the history."""

    cursor: Annotated[str, Field(max_length=200)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class PastBill(Output):
    """What a call was billed: the price for its customer, the share of it for its consultant.

    ``refunded_minor`` is what the customer was given back of the price, by whomever but their bank; of the share, the
    receipt tells it. So it does of what a bank took back. ``state`` says whether the price was paid at all.
    """

    call_id: UUID
    connected_ms: int
    amount_minor: int
    refunded_minor: int | None
    currency: str
    state: str


class History(Output):
    """Calls, newest first, and the bills that are written of them; of calls that go on with one another the first's."""

    items: list[CallSummary]
    bills: list[PastBill]
    next_cursor: str | None


class PauseIn(Input):
    """What to do about a pause."""

    action: Literal["propose", "agree", "decline", "resume"]


class Chat(Output):
    """Every message of a call, in order."""

    items: list[ChatMessage]


class SkipIn(Input):
    """Where the demo clock should jump to, in connected milliseconds."""

    to_connected_ms: Annotated[int, Field(ge=0, le=24 * 3_600_000)]


class Skipped(Output):
    """The demo clock was moved."""


class ExtendIn(Input):
    """One extension; the same key again is the same extension."""

    idempotency_key: UUID


@route("GET", "/api/calls", access=Access.USER, query=HistoryQuery, reply=History)
async def get_calls(call: Call) -> History:
    """List your calls, newest first."""
    async with call.house.db.begin() as tx:
        items, cursor = await call.house.calls.history(tx, call.user, cursor=call.query.cursor, limit=call.query.limit)
        sides = {item.id: item.role for item in items}
        written = await bills.of_calls(tx, call.user, sides)
    past = [
        PastBill(
            call_id=bill.call_id,
            connected_ms=bill.connected_ms,
            amount_minor=bill.gross_minor if sides[bill.call_id] == "customer" else bill.net_minor,
            refunded_minor=bill.refunded_minor + bill.credited_minor if sides[bill.call_id] == "customer" else None,
            currency=bill.currency,
            state=bill.state,
        )
        for bill in written
    ]
    return History(items=items, bills=past, next_cursor=cursor)


@route("GET", "/api/calls/{call_id}", access=Access.USER, reply=CallView, owned="call")
async def get_call(call: Call) -> CallView:
    """Show one of your calls."""
    async with call.house.db.begin() as tx:
        return await call.house.calls.get(tx, _id(call), call.user)


@route("POST", "/api/calls/{call_id}/leave", access=Access.USER, body=Empty, reply=CallView, owned="call")
async def post_leave(call: Call) -> CallView:
    """Leave: the call ends for both."""
    async with call.house.db.begin() as tx:
        return await call.house.calls.leave(tx, _id(call), call.user)


@route("POST", "/api/calls/{call_id}/return", access=Access.USER, body=Empty, reply=CallView, owned="call")
async def post_return(call: Call) -> CallView:
    """Come back to a lost call: answers with the call that goes on with it, for whoever comes first and second."""
    async with call.house.db.begin() as tx:
        return await call.house.returns.go_on(tx, _id(call), call.user)


@route("POST", "/api/calls/{call_id}/finish", access=Access.USER, body=Empty, reply=MeterView, owned="call")
async def post_finish(call: Call) -> MeterView:
    """Say that you are done with a lost call: it is settled at once, and nobody can come back to it."""
    async with call.house.db.begin() as tx:
        await call.house.rescues.give_up(tx, call.user, _id(call))
    return await _meter(call)


@route("POST", "/api/calls/{call_id}/pause", access=Access.USER, body=PauseIn, reply=CallView, owned="call")
async def post_pause(call: Call) -> CallView:
    """Propose, agree to, decline or end a pause."""
    async with call.house.db.begin() as tx:
        return await call.house.calls.pause(tx, _id(call), call.user, PauseAction(call.body.action))


@route("GET", "/api/calls/{call_id}/chat", access=Access.USER, reply=Chat, owned="call")
async def get_chat(call: Call) -> Chat:
    """Read the chat of a call."""
    async with call.house.db.begin() as tx:
        return Chat(items=await call.house.chat.history(tx, _id(call), call.user))


@route("GET", "/api/calls/{call_id}/meter", access=Access.USER, reply=MeterView, owned="call")
async def get_meter(call: Call) -> MeterView:
    """Read the meter of a call."""
    return await _meter(call)


@route("POST", "/api/calls/{call_id}/extend", access=Access.CUSTOMER, body=ExtendIn, reply=MeterView, owned="call")
async def post_extend(call: Call) -> MeterView:
    """Reserve more: a second hold of the size the meter names."""
    await _customer(call)
    async with call.house.db.begin() as tx:
        await call.house.charges.extend(tx, call.user, _id(call), call.body.idempotency_key)
    return await _meter(call)


@route("POST", "/api/calls/{call_id}/authenticated", access=Access.CUSTOMER, body=Empty, reply=MeterView, owned="call")
async def post_authenticated(call: Call) -> MeterView:
    """Have the provider asked again after the bank's confirmation (3-D Secure)."""
    await _customer(call)
    await call.house.charges.authenticated(call.house.db, call.user, _id(call))
    return await _meter(call)


@route("POST", "/api/calls/{call_id}/demo/skip", access=Access.USER, body=SkipIn, reply=Skipped, owned="call")
async def post_skip(call: Call) -> Skipped:
    """Move the demo clock forward, through the same path that real time takes; there is none in production."""
    if call.house.settings.environment not in ("demo", "test"):
        raise NotFound
    meter = await _meter(call)
    missing_ms = call.body.to_connected_ms - meter.connected_ms
    if missing_ms > 0:
        await call.house.nodes.skip(_id(call), missing_ms)
    return Skipped()


def _id(call: Call) -> CallId:
    return CallId(call.id("call_id"))


async def _customer(call: Call) -> None:
    """Only the paying side of this call may go on; for the other it is not there."""
    async with call.house.db.begin() as tx:
        if await call.house.calls.participants(tx, _id(call), call.user) is not Role.CUSTOMER:
            raise NotFound


async def _meter(call: Call) -> MeterView:
    async with call.house.db.begin() as tx:
        role = await call.house.calls.participants(tx, _id(call), call.user)
        meter = await call.house.meter.view(tx, call.user, _id(call), role.value)
    if meter is None:
        raise NotFound
    return MeterView.model_validate(meter)
