"""The node directory: which node carries a call, and how ``web`` talks to it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from core import logs
from core.db import Database
from core.errors import AppError, Conflict, Invalid, NotFound, Upstream
from core.ids import CallId, UserId
from core.settings import Settings
from media import store
from media.models import MediaNodeRow
from media.turn import TurnServers

log = logs.get(__name__)

TIMEOUT_S = 5.0
GONE = "node_gone"
_ERRORS: dict[int, type[AppError]] = {404: NotFound, 409: Conflict, 422: Invalid, 503: Upstream}


@dataclass(frozen=True, slots=True)
class JoinReply:
    """A connection that waits for its answer.

    ``ice_servers`` as RTCPeerConnection wants them; with ``relay_only`` it must use these and no other way.
    ``epoch`` is that of the call's media; when the call's grows, join again.
    """

    peer_id: str
    sdp: str
    epoch: int
    ice_servers: list[dict[str, Any]]
    relay_only: bool


@dataclass(frozen=True, slots=True)
class ProbeReply:
    """A network test that waits for its answer."""

    probe_id: str
    sdp: str
    ice_servers: list[dict[str, Any]]


class NodeDirectory:
    """Reads nodes and sessions from PostgreSQL, speaks HTTP to the node. Every request has a time limit."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._token = settings.media_control_token
        self._turn = TurnServers.parse(settings.turn_urls, settings.turn_secret, settings.turn_ttl_s)
        self._relay_only = settings.media_relay_only
        self._db = db
        self._http: aiohttp.ClientSession | None = None

    async def join(self, call_id: CallId, role: str, user_id: UserId) -> JoinReply:
        """Open a connection for this participant, on the node that carries the call or on the least loaded one.

        Raises ``NotFound`` when the call has no open session of this user, ``Upstream`` when no node answers.
        """
        dead: str | None = None
        carrier, nodes = await self._candidates(call_id, role, user_id)
        for node in nodes:
            try:
                reply = await self._post(f"{node.control_url}/v1/calls/{call_id}/join", {"role": role, "dead": dead})
            except (Conflict, Upstream) as error:
                # Another node was faster, or this one is full or dead: ask the next.
                log.info("node.passed_over", call_id=str(call_id), node=node.id, code=error.code)
                if node.id == carrier and error.code == GONE:
                    dead = carrier
                continue
            servers = self._turn.ice_servers(datetime.now(UTC))
            return JoinReply(reply["peer_id"], reply["sdp"], reply["epoch"], servers, self._relay_only)
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

    async def probe(self) -> ProbeReply:
        """Open a network test on the least loaded node; raises ``Upstream`` when none answers."""
        async with self._db.begin() as tx:
            nodes = list(await store.living_nodes(tx))
        for node in nodes:
            try:
                reply = await self._post(f"{node.control_url}/v1/probes", {})
            except Upstream as error:
                log.info("node.passed_over", node=node.id, code=error.code)
                continue
            return ProbeReply(f"{reply['probe_id']}@{node.id}", reply["sdp"], self._turn.ice_servers(datetime.now(UTC)))
        raise Upstream("No media server can be tried right now; try again in a moment.")

    async def answer_probe(self, probe_id: str, sdp: str) -> None:
        """Hand over the answer of a network test; raises ``NotFound`` when it is over."""
        peer_id, _, node_id = probe_id.partition("@")
        async with self._db.begin() as tx:
            node = await store.node(tx, node_id)
        if node is None:
            raise NotFound("This network test is over; start another one.")
        await self._post(f"{node.control_url}/v1/probes/{quote(peer_id, safe='')}/answer", {"sdp": sdp})

    async def close(self) -> None:
        """Close the HTTP connections."""
        if self._http is not None:
            await self._http.close()

    async def _candidates(self, call_id: CallId, role: str, user_id: UserId) -> tuple[str | None, list[MediaNodeRow]]:
        """The id of the node that carries the call, and whom to ask: that node first, then the least loaded."""
        async with self._db.begin() as tx:
            row = await store.session(tx, call_id)
            if row is None or row.state != "open":
                raise NotFound("This call has no media now.")
            if user_id != (row.customer_id if role == "customer" else row.consultant_id):
                raise NotFound
            carrier = await store.node(tx, row.node_id) if row.node_id else None
            others = [node for node in await store.living_nodes(tx) if node.id != row.node_id]
            return row.node_id, ([carrier] if carrier else []) + others

    async def _carrier(self, call_id: CallId) -> str:
        """Where the node that carries this call answers, be it draining."""
        async with self._db.begin() as tx:
            row = await store.session(tx, call_id)
            node = await store.node(tx, row.node_id) if row is not None and row.node_id else None
            if node is None:
                raise NotFound("This connection is gone; join anew.")
            return node.control_url

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
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, ConnectionRefusedError):
                # The machine is there and nobody listens: the process has died, whatever its lease says.
                raise Upstream("The media server is gone; join anew.", code=GONE) from error
            raise Upstream("The media server cannot be reached; try again in a moment.") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("node.unreachable", error=type(error).__name__)
            raise Upstream("The media server does not answer; try again in a moment.") from error
        if response.status in _ERRORS:
            raise _ERRORS[response.status](reply.get("message"), code=reply.get("code"))
        if response.status != 200:  # noqa: PLR2004 - HTTP OK
            raise Upstream("The media server failed; try again in a moment.")
        return reply
