"""Files attached to a question: sent by its owner, read by whom it rings and who took it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from aiohttp import web
from pydantic import StringConstraints

from core.ids import CallId, OfferId, QuestionId
from matching.attachments.attachment_files import TooLarge
from matching.attachments.attachment_types import MOST_BYTES
from matching.models import AttachmentRow
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

PIECE = 64 * 1024
SEND_TIMEOUT_S = 60  # five megabytes over a slow mobile network; whoever needs longer holds a place for nothing
# Whatever is in the file: a browser that shows it all the same runs nothing of it and loads nothing for it.
SAFE = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-store",
}


class UploadQuery(Input):
    """The file's name as its owner knows it; what is no part of a name is dropped."""

    name: Annotated[str, StringConstraints(max_length=255)] = ""


class AttachmentOut(Output):
    """A file of a question."""

    id: UUID
    name: str
    media_type: str
    bytes: int
    created_at: Utc
    expires_at: Utc


class AttachmentsOut(Output):
    """The files of a question, oldest first."""

    items: list[AttachmentOut]


def _list(rows: Sequence[AttachmentRow]) -> AttachmentsOut:
    return AttachmentsOut(items=[AttachmentOut.model_validate(row) for row in rows])


async def _pieces(request: web.Request) -> AsyncIterator[bytes]:
    """What arrives, as it arrives: never the whole of it at once."""
    async for piece in request.content.iter_chunked(PIECE):
        yield piece


@route(
    "POST",
    "/api/questions/{question_id}/attachments",
    access=Access.CUSTOMER,
    query=UploadQuery,
    reply=AttachmentOut,
    status=201,
    owned="question",
    limit="upload",
    raw=True,
)
async def post_attachment(call: Call) -> AttachmentOut:
    """Attach a file to one's own open question: the body is the file, its content type one of four."""
    request, query = call.request, call.query
    if request.content_length is not None and request.content_length > MOST_BYTES:
        raise TooLarge  # said before a byte of it is read
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            row = await call.house.attachments.add(
                call.house.db,
                call.user,
                QuestionId(call.id("question_id")),
                name=query.name,
                media_type=request.content_type,
                pieces=_pieces(request),
            )
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    return AttachmentOut.model_validate(row)


@route(
    "GET",
    "/api/questions/{question_id}/attachments",
    access=Access.CUSTOMER,
    reply=AttachmentsOut,
    owned="question",
)
async def list_attachments(call: Call) -> AttachmentsOut:
    """The files of one's own question."""
    async with call.house.db.begin() as tx:
        return _list(await call.house.attachments.of_question(tx, call.user, QuestionId(call.id("question_id"))))


@route("GET", "/api/offers/{offer_id}/attachments", access=Access.CONSULTANT, reply=AttachmentsOut, owned="offer")
async def list_offer_attachments(call: Call) -> AttachmentsOut:
    """The files of the question that rings; none once the ring is over and was not accepted."""
    async with call.house.db.begin() as tx:
        return _list(await call.house.attachments.of_offer(tx, call.user, OfferId(call.id("offer_id"))))


@route("GET", "/api/calls/{call_id}/attachments", access=Access.USER, reply=AttachmentsOut, owned="call")
async def list_call_attachments(call: Call) -> AttachmentsOut:
    """The files of the question a call is about."""
    async with call.house.db.begin() as tx:
        return _list(await call.house.attachments.of_call(tx, call.user, CallId(call.id("call_id"))))


@route(
    "GET",
    "/api/attachments/{attachment_id}",
    access=Access.USER,
    media_type="application/octet-stream",
    owned="attachment",
)
async def get_attachment(call: Call) -> web.StreamResponse:
    """One file, always as a download."""
    async with call.house.db.begin() as tx:
        row, path = await call.house.attachments.open(tx, call.user, call.id("attachment_id"))
    kind = f"{row.media_type}; charset=utf-8" if row.media_type.startswith("text/") else row.media_type
    named = f"attachment; filename=\"attachment\"; filename*=UTF-8''{quote(row.name, safe='')}"
    return web.FileResponse(path, headers={**SAFE, "Content-Type": kind, "Content-Disposition": named})


@route("DELETE", "/api/attachments/{attachment_id}", access=Access.CUSTOMER, owned="attachment")
async def delete_attachment(call: Call) -> None:
    """Delete one's own file; nobody can read it from now on."""
    async with call.house.db.begin() as tx:
        await call.house.attachments.remove(tx, call.user, call.id("attachment_id"))
