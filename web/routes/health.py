"""What machines ask: is the process alive, is it ready, and how is it spoken to."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, RootModel

from signaling.protocol import json_schema
from web import openapi
from web.readiness import READINESS
from web.routing import ROUTES, Access, Call, route
from web.schemas import Output

CACHED = {"Cache-Control": "public, max-age=60"}


class Document(RootModel[dict[str, Any]]):
    """A JSON document that describes itself."""


class Alive(Output):
    """The event loop answers."""

    status: str


class Ready(Output):
    """One word per part; ``status`` is ``ready``, ``degraded`` or ``unready``."""

    status: str
    checks: dict[str, str]


@route("GET", "/healthz", access=Access.PUBLIC, reply=Alive, limit="none")
async def healthz(call: Call) -> Alive:  # noqa: ARG001 - every handler has this form
    """Whether the process is alive."""
    return Alive(status="alive")


@route("GET", "/readyz", access=Access.PUBLIC, reply=Ready, limit="none")
async def readyz(call: Call) -> web.StreamResponse:
    """Whether this process should be given work; Redis alone only degrades it."""
    checks = await call.request.app[READINESS].checks()
    essential = {name: word for name, word in checks.items() if name != "redis"}
    ready = all(word == "ok" for word in essential.values())
    word = "unready" if not ready else "ready" if checks["redis"] == "ok" else "degraded"
    return _plain(Ready(status=word, checks=checks), status=200 if ready else 503)


@route("GET", "/api/openapi.json", access=Access.PUBLIC, reply=Document, limit="none")
async def openapi_document(call: Call) -> web.StreamResponse:
    """This interface as an OpenAPI 3.1 document."""
    routes = call.request.app[ROUTES]
    return _plain(Document(openapi.document(routes)))


@route("GET", "/api/protocol.json", access=Access.PUBLIC, reply=Document, limit="none")
async def protocol_document(call: Call) -> web.StreamResponse:  # noqa: ARG001 - every handler has this form
    """The socket's messages and views as one JSON schema."""
    return _plain(Document(json_schema()))


def _plain(model: BaseModel, status: int = 200) -> web.Response:
    headers = CACHED if status == 200 and isinstance(model, RootModel) else {"Cache-Control": "no-store"}  # noqa: PLR2004
    return web.Response(
        body=model.model_dump_json().encode(), status=status, content_type="application/json", headers=headers
    )
