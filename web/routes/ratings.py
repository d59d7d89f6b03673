"""After a call: rate the other side, or never meet them again."""

from typing import Annotated

from pydantic import Field

from core.errors import Refused
from core.ids import CallId, UserId
from people.origin import Origin
from web.routing import Access, Call, route
from web.schemas import Input


class RatingIn(Input):
    """One to five stars, and a word if one likes."""

    stars: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, Field(max_length=1000)] | None = None


class CallStillRuns(Refused):
    """You can rate this call once it is over."""

    code = "call_still_runs"


@route("POST", "/api/calls/{call_id}/rating", access=Access.USER, body=RatingIn, owned="call")
async def rate_call(call: Call) -> None:
    """Rate the other side of an ended call, once."""
    body: RatingIn = call.body
    call_id = CallId(call.id("call_id"))
    async with call.house.db.begin() as tx:
        view = await call.house.calls.get(tx, call_id, call.user)  # NotFound for everyone who was not in it
        if view.state != "ended":
            raise CallStillRuns
        # A conversation is rated once, however often its connection was lost.
        await call.house.ratings.give(
            tx,
            call_id=await call.house.calls.first(tx, call_id),
            rater_id=call.user,
            ratee_id=UserId(view.other.user_id),
            stars=body.stars,
            comment=body.comment or "",
        )


@route("POST", "/api/calls/{call_id}/block", access=Access.USER, owned="call")
async def block_other(call: Call) -> None:
    """Never be matched with the other side of this call again."""
    origin = Origin(ip_hash=call.ip_hash, request_id=call.request_id)
    async with call.house.db.begin() as tx:
        view = await call.house.calls.get(tx, CallId(call.id("call_id")), call.user)
        await call.house.blocks.add(tx, call.user, UserId(view.other.user_id), origin)
