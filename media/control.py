"""The control API of a node: what ``web`` asks of it, over authenticated HTTP on a private address."""

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

from aiohttp import web

from core.errors import AppError, Conflict, Invalid, NotFound, Upstream
from core.ids import CallId
from media.sdp import MAX_SDP_BYTES

ROLES = ("customer", "consultant")
_STATUS: dict[type[AppError], int] = {Invalid: 422, NotFound: 404, Conflict: 409, Upstream: 503}


class Node(Protocol):
    """What the API needs of the node."""

    async def join(self, call_id: CallId, role: str, dead: str | None) -> tuple[str, str, int]:
        """Open a connection: peer id, offer, epoch."""
        ...

    async def answer(self, call_id: CallId, peer_id: str, sdp: str) -> None:
        """Take an answer."""
        ...

    async def leave(self, call_id: CallId, peer_id: str) -> None:
        """Close a connection."""
        ...

    def skip(self, call_id: CallId, ms: int) -> None:
        """Let the demo clock run ahead."""
        ...

    def quality(self, call_id: CallId) -> dict[str, object]:
        """Counts of a call."""
        ...

    def probe(self) -> tuple[str, str]:
        """Open a network test: its id, offer."""
        ...

    def answer_probe(self, probe_id: str, sdp: str) -> None:
        """Take the answer of a network test."""
        ...


def control_application(node: Node, token: str) -> web.Application:
    """The routes, behind one shared secret."""

    @web.middleware
    async def guard(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return web.json_response({"code": "unauthenticated"}, status=401)
        try:
            return await handler(request)
        except AppError as error:
            status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
            return web.json_response({"code": error.code, "message": error.message}, status=status)

    app = web.Application(middlewares=[guard], client_max_size=2 * MAX_SDP_BYTES)
    routes = _Routes(node)
    app.router.add_post("/v1/calls/{call_id}/join", routes.join)
    app.router.add_post("/v1/calls/{call_id}/peers/{peer_id}/answer", routes.answer)
    app.router.add_delete("/v1/calls/{call_id}/peers/{peer_id}", routes.leave)
    app.router.add_post("/v1/calls/{call_id}/skip", routes.skip)
    app.router.add_get("/v1/calls/{call_id}/quality", routes.quality)
    app.router.add_post("/v1/probes", routes.probe)
    app.router.add_post("/v1/probes/{probe_id}/answer", routes.answer_probe)
    return app


class _Routes:
    def __init__(self, node: Node) -> None:
        self._node = node

    async def join(self, request: web.Request) -> web.Response:
        body = await _body(request)
        role, dead = body.get("role"), body.get("dead")
        if role not in ROLES:
            raise Invalid("role must be customer or consultant.")
        if dead is not None and not isinstance(dead, str):
            raise Invalid("dead must be the id of a node.")
        peer_id, sdp, epoch = await self._node.join(_call(request), role, dead)
        return web.json_response({"peer_id": peer_id, "sdp": sdp, "epoch": epoch})

    async def answer(self, request: web.Request) -> web.Response:
        await self._node.answer(_call(request), request.match_info["peer_id"], await _sdp(request))
        return web.json_response({})

    async def leave(self, request: web.Request) -> web.Response:
        await self._node.leave(_call(request), request.match_info["peer_id"])
        return web.json_response({})

    async def skip(self, request: web.Request) -> web.Response:
        ms = (await _body(request)).get("ms")
        if not isinstance(ms, int):
            raise Invalid("ms must be a whole number.")
        self._node.skip(_call(request), ms)
        return web.json_response({})

    async def quality(self, request: web.Request) -> web.Response:
        return web.json_response(self._node.quality(_call(request)))

    async def probe(self, _request: web.Request) -> web.Response:
        probe_id, sdp = self._node.probe()
        return web.json_response({"probe_id": probe_id, "sdp": sdp})

    async def answer_probe(self, request: web.Request) -> web.Response:
        self._node.answer_probe(request.match_info["probe_id"], await _sdp(request))
        return web.json_response({})


def _call(request: web.Request) -> CallId:
    try:
        return CallId(UUID(request.match_info["call_id"]))
    except ValueError:
        raise NotFound from None


async def _sdp(request: web.Request) -> str:
    sdp = (await _body(request)).get("sdp")
    if not isinstance(sdp, str):
        raise Invalid("sdp must be text.")
    return sdp


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise Invalid("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise Invalid("The body must be a JSON object.")
    return body
