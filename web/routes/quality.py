"""How good a call's connection was, for its participants and for who reviews its charge."""

from datetime import datetime
from typing import Literal

from billing.charges import calls as charge_calls
from billing.charges import store as charge_store
from core.errors import NotFound
from core.ids import CallId
from signaling.views import Side
from web.routes.finance import READERS
from web.routing import Access, Call, route
from web.schemas import Output


class SampleOut(Output):
    """Two seconds of one side: what it sent (``server``) or received (``client``)."""

    at: datetime
    side: Side
    source: Literal["server", "client"]
    rtt_ms: int | None
    loss_permille: int
    jitter_ms: int
    kbps: int
    freezes: int
    video_held: bool


class QualityOut(Output):
    """Every sample of a call, in order."""

    items: list[SampleOut]


@route("GET", "/api/calls/{call_id}/quality", access=Access.USER, reply=QualityOut, owned="call")
async def get_quality(call: Call) -> QualityOut:
    """Show how good the connection of one of your calls was."""
    call_id = CallId(call.id("call_id"))
    async with call.house.db.begin() as tx:
        await call.house.calls.participants(tx, call_id, call.user)
        rows = await call.house.quality.of_call(tx, call_id)
    return QualityOut(items=[SampleOut.model_validate(row) for row in rows])


@route("GET", "/api/finance/charges/{charge_id}/quality", access=READERS, reply=QualityOut)
async def get_charge_quality(call: Call) -> QualityOut:
    """Show how good the connection of a charged call was."""
    async with call.house.db.begin() as tx:
        charge = await charge_store.charge(tx, call.id("charge_id"))
        if charge is None:
            raise NotFound
        chain = await charge_calls.parts(tx, charge)
        rows = [row for part in chain for row in await call.house.quality.of_call(tx, CallId(part.call_id))]
    return QualityOut(items=[SampleOut.model_validate(row) for row in rows])
