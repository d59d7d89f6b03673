"""The node directory: which node carries a call, and how ``web`` talks to it."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from core import logs
from core.db import Database
from core.errors import AppError, Conflict, Invalid, NotFound, Upstream
from core.ids import CallId, UserId
from core.settings import Settings
from media import store

log = logs.get(__name__)

TIMEOUT_S = 5.0
_ERRORS: dict[int, type[AppError]] = {404: NotFound, 409: Conflict, 422: Invalid}


@dataclass(frozen=True, slots=True)
class JoinReply:
    """A connection that waits for its answer. ``ice_servers`` as RTCPeerConnection wants them."""

    peer_id: str
    sdp: str
    ice_servers: list[dict[str, Any]]


class NodeDirectory:
    """Reads nodes and sessions from PostgreSQL, speaks HTTP to the node. Every request has a time limit."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._token = settings.media_control_token
        self._db = db
        self._http: aiohttp.ClientSession | None = None

    async def join(self, call_id: CallId, role: str, user_id: UserId) -> JoinReply:
        """Open a connection for this participant, on the node that carries the call or on the least loaded one.

        Raises ``NotFound`` when the call has no open session of this user, ``Upstream`` when no node answers.
        """
        tried: list[str] = []
        while (url := await self._address(call_id, role, user_id, without=tried)) is not None:
            tried.append(url)
            try:
                reply = await self._post(f"{url}/v1/calls/{call_id}/join", {"role": role})
            except (Conflict, Upstream) as error:
                # Another node was faster, or this one drains or is dead: ask the next.
                log.info("node.passed_over", call_id=str(call_id), code=error.code)
                continue
            return JoinReply(reply["peer_id"], reply["sdp"], [])
        raise Upstream("No media server can take this call right now; try again in a moment.")

    async def answer(self, call_id: CallId, peer_id: str, sdp: str) -> None:
        """Hand over the answer; raises ``Invalid`` when the node does not accept it."""
        await self._post(f"{await self._carrier(call_id)}/v1/calls/{call_id}/peers/{peer_id}/answer", {"sdp": sdp})

    async def leave(self, call_id: CallId, peer_id: str) -> None:
        """Close a connection."""
        await self._send("DELETE", f"{await self._carrier(call_id)}/v1/calls/{call_id}/peers/{peer_id}", None)

    async def skip(self, call_id: CallId, ms: int) -> None:
        """Let the demo clock of a call run ahead."""
        await self._post(f"{await self._carrier(call_id)}/v1/calls/{call_id}/skip", {"ms": ms})

    async def close(self) -> None:
        """Close the HTTP connections."""
        if self._http is not None:
            await self._http.close()

    async def _address(self, call_id: CallId, role: str, user_id: UserId, *, without: list[str]) -> str | None:
        """The next node to ask: the one that carries the call, then the others, the least loaded first."""
        async with self._db.begin() as tx:
            row = await store.session(tx, call_id)
            if row is None or row.state != "open":
                raise NotFound("This call has no media now.")
            if user_id != (row.customer_id if role == "customer" else row.consultant_id):
                raise NotFound
            nodes = await store.living_nodes(tx)
            ordered = sorted(nodes, key=lambda node: node.id != row.node_id)
            return next((node.control_url for node in ordered if node.control_url not in without), None)

    async def _carrier(self, call_id: CallId) -> str:
        async with self._db.begin() as tx:
            row = await store.session(tx, call_id)
            if row is not None and row.node_id is not None:
                for node in await store.living_nodes(tx):
                    if node.id == row.node_id:
                        return node.control_url
        raise NotFound("This connection is gone; join anew.")

    async def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._send("POST", url, body)

    async def _send(self, method: str, url: str, body: dict[str, Any] | None) -> dict[str, Any]:
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), headers={"Authorization": f"Bearer {self._token}"}
            )
        try:
            async with self._http.request(method, url, json=body) as response:
                if response.status == 413:  # noqa: PLR2004 - aiohttp refuses a large body before our routes see it
                    raise Invalid("This session description is too large.")
                reply: dict[str, Any] = await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("node.unreachable", error=type(error).__name__)
            raise Upstream("The media server does not answer; try again in a moment.") from error
        if response.status in _ERRORS:
            raise _ERRORS[response.status](reply.get("message"), code=reply.get("code"))
        if response.status != 200:  # noqa: PLR2004 - HTTP OK
            raise Upstream("The media server failed; try again in a moment.")
        return reply
