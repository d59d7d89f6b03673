"""The stage: signaling's real services and gateways on real PostgreSQL, with hand-written neighbours."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from core.clock import FakeClock
from core.db import Database, Tx
from core.errors import Unauthenticated, Upstream
from core.events import Bus, Event
from core.feed import version_of
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId
from core.jobs import Jobs
from core.settings import Settings
from matching.events import OfferAccepted, OfferMissed
from media.events import IntervalClosed, IntervalOpened, ParticipantSeen, ParticipantUnseen
from media.recordings import RecordingService
from people.events import AccessRevoked, UserBlocked
from signaling import store
from signaling.call_views import CallViews
from signaling.calls import CallService
from signaling.chat import ChatService
from signaling.events import (
    CallContinued,
    CallEnded,
    CallOpened,
    CallPaused,
    CallResumed,
    CallWentLive,
    PresenceChanged,
)
from signaling.gateway import Gateway
from signaling.ports import Session
from signaling.presence import PresenceService
from signaling.returns import ReturnService
from tests.fakes.socket_client import SocketClient

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class HoldPlaced(Event):
    """Billing's event; the real class is not signaling's to know."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class HoldFailed(Event):
    call_id: CallId
    reason: str


@dataclass(frozen=True, slots=True)
class CapReached(Event):
    call_id: CallId


class FakeSessions:
    """Remembers which sessions were opened."""

    def __init__(self) -> None:
        self.opened: list[tuple[CallId, UserId, UserId]] = []

    async def open(self, _tx: Tx, call_id: CallId, customer_id: UserId, consultant_id: UserId) -> None:
        self.opened.append((call_id, customer_id, consultant_id))


class FakeNodes:
    """A media node that hands out peers and remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []
        self.down = False

    async def join(self, call_id: CallId, role: str, user_id: UserId) -> Any:
        if self.down:
            raise Upstream("The media server did not answer.")
        self.said.append(("join", call_id, str(role), user_id))
        servers = [{"urls": ["stun:192.0.2.1"]}]
        return SimpleNamespace(peer_id=uuid4().hex, sdp="v=0\r\n", epoch=0, ice_servers=servers, relay_only=False)

    async def answer(self, call_id: CallId, peer_id: str, sdp: str) -> None:
        self.said.append(("answer", call_id, peer_id, sdp))

    async def leave(self, call_id: CallId, peer_id: str) -> None:
        self.said.append(("leave", call_id, peer_id))


@dataclass
class Door:
    """Tokens: a token is a key into ``sessions``."""

    clock: FakeClock
    sessions: dict[str, Session] = field(default_factory=dict)

    def token(self, user: UserId, *roles: str, family: str = "", life: timedelta = timedelta(minutes=10)) -> str:
        token = uuid4().hex
        self.sessions[token] = Session(user, frozenset(roles), family or token, self.clock.now() + life)
        return token

    async def __call__(self, token: str) -> Session:
        session = self.sessions.get(token)
        if session is None or session.expires_at <= self.clock.now():
            raise Unauthenticated
        return session


@dataclass
class Stage:
    """Everything a test touches."""

    db: Database
    clock: FakeClock
    calls: CallService
    returns: ReturnService
    presence: PresenceService
    chat: ChatService
    sessions: FakeSessions
    nodes: FakeNodes
    door: Door
    happened: list[Event]
    missing: list[str]
    redis_url: str
    table: dict[type[Event], tuple[Callable[[Tx, Any], Awaitable[None]], ...]]
    bus: Bus
    request: dict[str, Any] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def publish(self, event: Event) -> None:
        async with self.db.begin() as tx:
            await tx.publish(event)

    async def version(self, user: UserId) -> int:
        async with self.db.begin() as tx:
            return await version_of(tx, user)

    async def accept(self, consultant: UserId | None = None) -> OfferAccepted:
        """A consultant accepts: a call is being prepared."""
        event = OfferAccepted(
            request_id=RequestId(uuid4()),
            offer_id=OfferId(uuid4()),
            question_id=QuestionId(uuid4()),
            call_id=CallId(uuid4()),
            customer_id=UserId(uuid4()),
            consultant_id=consultant or UserId(uuid4()),
            rate_minor_per_hour=9_000,
            max_rate_minor_per_hour=9_000,
            currency="eur",
            cap_minor=4_500,
            terms_version="1",
            consented_at_iso=self.clock.now().isoformat(),
        )
        await self.publish(event)
        return event

    async def ready(self) -> OfferAccepted:
        """A call whose hold stands."""
        event = await self.accept()
        await self.hold(event)
        return event

    async def hold(self, call: OfferAccepted) -> None:
        """The customer's hold stands."""
        await self.publish(HoldPlaced(call.call_id))

    async def live(self) -> OfferAccepted:
        """A call in which both sides are seen."""
        event = await self.ready()
        for role in ("customer", "consultant"):
            await self.publish(ParticipantSeen(event.call_id, role, self.clock.now()))
        await self.publish(IntervalOpened(event.call_id, 1, self.clock.now()))
        return event

    async def lose(self, call: OfferAccepted, role: str) -> None:
        """One side's media stops."""
        await self.publish(ParticipantUnseen(call.call_id, role, self.clock.now()))
        await self.publish(IntervalClosed(call.call_id, 1, self.clock.now(), 1_000, f"{role}_unseen"))

    async def db_state(self, call: OfferAccepted) -> str:
        """The call's state as stored."""
        async with self.db.begin() as tx:
            return (await self.calls.get(tx, call.call_id, call.customer_id)).state

    async def last_seen(self, user: UserId) -> datetime | None:
        """When this consultant was last heard, as stored."""
        async with self.db.begin() as tx:
            row = await store.presence(tx, user)
            return None if row is None else row.last_seen_at

    async def until(self, condition: Callable[[], Any], timeout_s: float = 20) -> None:
        """Wait for something inside a gateway, which tells nobody."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 (there is no event to wait for)
                await asyncio.sleep(0.01)

    async def _note_quality(self, _tx: Tx, call_id: CallId, side: str, said: Any) -> None:
        self.nodes.said.append(("quality", call_id, str(side), said.loss_permille))

    async def gateway(self, **wishes: Any) -> tuple[Gateway, str]:
        """One more web process; returns it and its address."""
        gateway = Gateway(
            **wishes,
            db=self.db,
            clock=self.clock,
            redis_url=self.redis_url,
            origins=[ORIGIN],
            authenticate=self.door,
            calls=self.calls,
            presence=self.presence,
            chat=self.chat,
            nodes=self.nodes,
            names=names,
            note_quality=self._note_quality,
            parts={
                "request": self._request,
                "wishes": _no_offers,
                "offers": _no_offers,
                "call": self.calls.current,
                "presence": self.presence.view,
                "meter": _no_meter,
            },
        )
        app = web.Application()
        gateway.attach(app)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await gateway.start()
        self.stack.push_async_callback(runner.cleanup)
        self.stack.push_async_callback(gateway.stop)
        async with asyncio.timeout(5):
            await gateway.listener.listening.wait()
        port = runner.addresses[0][1]
        return gateway, f"http://127.0.0.1:{port}"

    async def client(self, url: str, user: UserId, *roles: str, **options: Any) -> SocketClient:
        """A connected client that has its first snapshot."""
        token = options.pop("token", None) or self.door.token(user, *(roles or ("customer",)))
        client = SocketClient(url, token, **options)
        await client.connect()
        self.stack.push_async_callback(client.close)
        await client.until(lambda c: c.snapshot)
        return client

    async def _request(self, _tx: Tx, user: UserId) -> Any:
        return self.request.get(str(user))


async def names(_tx: Tx, users: Sequence[UserId]) -> dict[UserId, str]:
    return {user: f"Person {str(user)[:4]}" for user in users}


async def describe(_tx: Tx, _question: QuestionId) -> tuple[str, str]:
    return "How do I test a socket?", "With another socket."


async def _no_offers(_tx: Tx, _user: UserId) -> list[Any]:
    return []


async def _no_meter(_tx: Tx, _user: UserId, _call: CallId, _role: str) -> None:
    return None


@pytest.fixture
async def stage(database_url: str, redis_url: str, clock: FakeClock) -> AsyncIterator[Stage]:
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        secret_key="x" * 32,
        receipt_key="A" * 43,
        environment="test",
        stripe_secret_key="sk_test_x",
        stripe_webhook_secret="whsec_test",
        media_control_token="y" * 32,
    )
    bus, happened, missing, sessions = Bus(), [], [], FakeSessions()
    db = Database(database_url, clock=clock, bus=bus, jobs=Jobs(database_url))

    async def what_is_missing(_tx: Tx, _user: UserId) -> Sequence[str]:
        return missing

    views = CallViews(
        settings=settings, names=names, describe_question=describe, recording_of=RecordingService(settings).state
    )
    calls = CallService(settings=settings, sessions=sessions, views=views)
    presence = PresenceService(settings=settings, missing=what_is_missing)

    async def note(_tx: Tx, event: Event) -> None:
        happened.append(event)

    table: dict[type[Event], tuple[Callable[[Tx, Any], Awaitable[None]], ...]] = {
        OfferAccepted: (calls.on_offer_accepted,),
        OfferMissed: (presence.on_offer_missed,),
        HoldPlaced: (calls.on_hold_placed,),
        HoldFailed: (calls.on_hold_failed,),
        CapReached: (calls.on_cap_reached,),
        ParticipantSeen: (calls.on_participant_seen,),
        ParticipantUnseen: (calls.on_participant_unseen,),
        IntervalOpened: (calls.on_interval_opened,),
        IntervalClosed: (calls.on_interval_closed,),
        AccessRevoked: (calls.on_access_revoked,),
        UserBlocked: (calls.on_user_blocked,),
        CallOpened: (presence.on_call_opened, note),
        CallContinued: (presence.on_call_opened, note),
        CallEnded: (presence.on_call_ended, note),
        CallWentLive: (note,),
        CallPaused: (note,),
        CallResumed: (note,),
        PresenceChanged: (note,),
    }
    bus.connect(table)
    stage = Stage(
        db=db,
        clock=clock,
        calls=calls,
        returns=ReturnService(settings=settings, sessions=sessions, views=views, calls=calls),
        presence=presence,
        chat=ChatService(calls=calls),
        sessions=sessions,
        nodes=FakeNodes(),
        door=Door(clock),
        happened=happened,
        missing=missing,
        redis_url=redis_url,
        table=table,
        bus=bus,
    )
    async with stage.stack:
        yield stage
    await db.close()
