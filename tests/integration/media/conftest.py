"""A real node on real PostgreSQL, with real aiortc participants; events are written down instead of acted upon."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from app.robot_peer import MediaPeer
from core.clock import SystemClock
from core.db import Database, Tx
from core.events import Bus
from core.ids import CallId, UserId
from core.jobs import Jobs
from core.settings import Settings
from media import events
from media.node import MediaNode
from media.nodes import NodeDirectory
from media.sessions import SessionService

KINDS = (
    events.ParticipantSeen,
    events.ParticipantUnseen,
    events.IntervalOpened,
    events.IntervalClosed,
    events.SessionClosed,
    events.MediaMoved,
)


class Scene:
    """One node, one call, and what was published about it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.told: list[Any] = []
        bus = Bus(dict.fromkeys(KINDS, (self._hear,)))
        self.db = Database(settings.database_url, clock=SystemClock(), bus=bus, jobs=Jobs(settings.database_url))
        self.sessions = SessionService()
        self.nodes = NodeDirectory(settings, self.db)
        self.node = MediaNode(settings, self.db)
        self.call = CallId(uuid4())
        self.users = {"customer": UserId(uuid4()), "consultant": UserId(uuid4())}
        self.peers: list[MediaPeer] = []

    async def _hear(self, _tx: Tx, event: Any) -> None:
        self.told.append(event)

    def heard(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    async def start(self) -> None:
        await self.node.start()
        async with self.db.begin() as tx:
            await self.sessions.open(tx, self.call, self.users["customer"], self.users["consultant"])

    async def join(self, role: str, **wishes: Any) -> MediaPeer:
        reply = await self.nodes.join(self.call, role, self.users[role])
        peer = MediaPeer(**wishes)
        self.peers.append(peer)
        await self.nodes.answer(self.call, reply.peer_id, await peer.answer(reply.sdp))
        return peer

    async def close(self) -> None:
        for peer in self.peers:
            await peer.close()
        await self.node.stop()
        await self.nodes.close()
        await self.db.close()


@pytest.fixture
async def scene(settings: Settings) -> AsyncIterator[Scene]:
    scene = Scene(settings)
    await scene.start()
    yield scene
    await scene.close()
