"""Finance: filters of the charges that somebody gave a name; each person has their own."""

from typing import Annotated
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from billing.finance import views
from core.db import Tx
from web.routes.finance import READERS, FilterQuery
from web.routing import Call, route
from web.schemas import Input, Output


def _known(search: str) -> str:
    """Only what the list understands, each once."""
    asked = dict(parse_qsl(search, strict_parsing=True))
    FilterQuery.model_validate(asked)
    return urlencode(asked)


class ViewIn(Input):
    """``search`` is the query part of the list's address; the same name again replaces the view."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    search: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_known)]


class ViewOut(Output):
    """A view."""

    id: UUID
    name: str
    search: str


class ViewsOut(Output):
    """Your views, by name."""

    items: list[ViewOut]


@route("GET", "/api/finance/views", access=READERS, reply=ViewsOut)
async def get_views(call: Call) -> ViewsOut:
    """Your views of the charges."""
    async with call.house.db.begin() as tx:
        return await _views(call, tx)


@route("PUT", "/api/finance/views", access=READERS, body=ViewIn, reply=ViewsOut)
async def put_view(call: Call) -> ViewsOut:
    """Keep a view under a name."""
    body: ViewIn = call.body
    async with call.house.db.begin() as tx:
        await views.keep(tx, call.user, body.name, body.search)
        return await _views(call, tx)


@route("DELETE", "/api/finance/views/{view_id}", access=READERS, reply=ViewsOut)
async def delete_view(call: Call) -> ViewsOut:
    """Remove one of your views."""
    async with call.house.db.begin() as tx:
        await views.drop(tx, call.user, call.id("view_id"))
        return await _views(call, tx)


async def _views(call: Call, tx: Tx) -> ViewsOut:
    return ViewsOut(items=[ViewOut.model_validate(row) for row in await views.of_person(tx, call.user)])
