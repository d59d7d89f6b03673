"""Recordings of a call: agreeing to them, and fetching what was recorded."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field

from core.ids import CallId
from signaling.views import RecordingView, Side
from web.routing import Access, Call, route
from web.schemas import Input, Output


class RecordingIn(Input):
    """Whether you agree that this call is recorded; one *no* takes back both."""

    consent: bool


class RecordingFileOut(Output):
    """One file of one side. Its time zero is ``started_at``; ``url`` is good for half an hour."""

    id: UUID
    side: Side
    started_at: datetime
    duration_ms: int
    bytes: int
    finished: bool
    expires_at: datetime
    url: str


class RecordingsOut(Output):
    """Every file of a call that is there."""

    items: list[RecordingFileOut]


class AddressQuery(Input):
    """The signed part of a file's address."""

    until: Annotated[int, Field(ge=0, le=2**53)]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    download: bool = False


@route(
    "POST", "/api/calls/{call_id}/recording", access=Access.USER, body=RecordingIn, reply=RecordingView, owned="call"
)
async def post_recording(call: Call) -> RecordingView:
    """Agree to be recorded, or not (any longer)."""
    call_id = CallId(call.id("call_id"))
    async with call.house.db.begin() as tx:
        await call.house.calls.participants(tx, call_id, call.user)
        await call.house.recordings.consent(tx, call_id, call.user, given=call.body.consent)
        return RecordingView.model_validate(await call.house.recordings.state(tx, call_id))


@route("GET", "/api/calls/{call_id}/recordings", access=Access.USER, reply=RecordingsOut, owned="call")
async def get_recordings(call: Call) -> RecordingsOut:
    """List the recorded files of one of your calls."""
    recordings, now = call.house.recordings, call.house.clock.now()
    call_id = CallId(call.id("call_id"))
    async with call.house.db.begin() as tx:
        await call.house.calls.participants(tx, call_id, call.user)
        rows = await recordings.files(tx, call_id, call.user)
    items = [
        RecordingFileOut(
            id=row.id,
            side="customer" if row.side == "customer" else "consultant",
            started_at=row.started_at,
            duration_ms=row.duration_ms,
            bytes=row.bytes,
            finished=row.finished,
            expires_at=row.expires_at,
            url=recordings.address(row.id, now),
        )
        for row in rows
    ]
    return RecordingsOut(items=items)


@route("GET", "/api/recordings/{file_id}", access=Access.PUBLIC, query=AddressQuery, media_type="video/webm")
async def get_recording_file(call: Call) -> web.StreamResponse:
    """One file, by its signed address; players may ask for parts of it."""
    query: AddressQuery = call.query
    async with call.house.db.begin() as tx:
        path = await call.house.recordings.open(tx, call.id("file_id"), query.until, query.signature)
    headers = {"Content-Type": "video/webm", "Cache-Control": "private, no-store"}
    if query.download:
        headers["Content-Disposition"] = f'attachment; filename="recording-{path.stem[:8]}.webm"'
    return web.FileResponse(path, headers=headers)
