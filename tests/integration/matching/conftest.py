"""A market in a real database: the matching services as wiring builds them, with profiles from memory."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from core.clock import FakeClock
from core.db import Database, Tx
from core.events import Bus, Event
from core.ids import QuestionId, UserId
from core.jobs import Jobs
from core.money import Currency
from matching.consultants import consultant_store
from matching.consultants.projection import ConsultantProjection
from matching.dispatch.requests import RequestService, Wish
from matching.events import OfferAccepted, OfferMissed, PromiseMissed, RequestClosed
from matching.questions.ranking import RankingService
from matching.questions.service import QuestionService
from matching.ranking.index.encoder import Encoder
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import built_in
from people.events import ConsultantProfileChanged
from people.profiles import ConsultantProfile
from signaling.events import PresenceChanged

BUILT_IN = built_in("logistic-3")


@dataclass
class Market:
    """One process's view of the market; ``twin`` gives a second process on the same database."""

    db: Database
    clock: FakeClock
    profiles: dict[UserId, ConsultantProfile]
    events: list[Event] = field(default_factory=list)
    cards: set[UserId] = field(default_factory=set)
    encoder: Encoder | None = None

    def __post_init__(self) -> None:
        self.consultants = ConsultantProjection(self._profile, self._names, encoder=self.encoder)
        self.ranking = RankingService(self.consultants, LogisticRanker(lambda: BUILT_IN))
        self.questions = QuestionService(self.consultants)
        self.requests = RequestService(self.ranking, self._has_card, self._names)

    async def record(self, tx: Tx, event: Event) -> None:  # noqa: ARG002 - a handler
        self.events.append(event)

    def heard(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    async def _profile(self, tx: Tx, user: UserId) -> ConsultantProfile | None:  # noqa: ARG002 - a port
        return self.profiles.get(user)

    async def _names(self, tx: Tx, users: Iterable[UserId]) -> dict[UserId, str]:  # noqa: ARG002 - a port
        return {user: f"name of {user}" for user in users}

    async def _has_card(self, tx: Tx, user: UserId) -> bool:  # noqa: ARG002 - a port
        return user in self.cards

    def twin(self, encoder: Encoder | None = None) -> "Market":
        return Market(self.db, self.clock, self.profiles, self.events, self.cards, encoder)

    async def consultant(
        self, headline: str = "Advice", *, status: str = "available", contacts: int = 20, **profile: Any
    ) -> UserId:
        """A consultant; with twenty contacts behind them no draw decides when they are rung."""
        user = UserId(uuid4())
        await self.profile(user, headline, **profile)
        async with self.db.begin() as tx:
            await consultant_store.count(tx, user, contacts=contacts, successes=3 * contacts // 4)
        await self.presence(user, status)
        return user

    async def profile(self, user: UserId, headline: str, **profile: Any) -> None:
        """Somebody writes their profile, or writes it anew."""
        values: dict[str, Any] = {
            "biography": "",
            "tags": (),
            "rate_minor_per_hour": 9_000,
            "currency": "eur",
            "languages": ("en",),
            "time_zone": "UTC",
            "can_receive": True,
            **profile,
        }
        self.profiles[user] = ConsultantProfile(user_id=user, display_name="", headline=headline, missing=(), **values)
        async with self.db.begin() as tx:
            await self.consultants.on_profile_changed(tx, ConsultantProfileChanged(user_id=user))

    async def presence(self, user: UserId, status: str) -> None:
        async with self.db.begin() as tx:
            await self.consultants.on_presence(tx, PresenceChanged(user_id=user, status=status))

    async def customer(self) -> UserId:
        user = UserId(uuid4())
        self.cards.add(user)
        return user

    async def question(self, customer: UserId, title: str = "My k8s pods keep restarting", **more: Any) -> QuestionId:
        async with self.db.begin() as tx:
            row = await self.questions.post(tx, customer, title=title, details="", **{"language": "en", **more})
            return QuestionId(row.id)

    async def ring(self, customer: UserId, **changes: Any) -> dict[str, Any]:
        question = changes.pop("question_id", None) or await self.question(customer)
        async with self.db.begin() as tx:
            return await self.requests.create(tx, customer, wish(question, **changes))

    async def view(self, customer: UserId) -> dict[str, Any] | None:
        async with self.db.begin() as tx:
            return await self.requests.request_view(tx, customer)

    async def offers(self, consultant: UserId) -> list[dict[str, Any]]:
        async with self.db.begin() as tx:
            return await self.requests.offers_view(tx, consultant)

    async def accept(self, consultant: UserId, offer: UUID) -> UUID:
        async with self.db.begin() as tx:
            return await self.requests.accept(tx, consultant, offer)

    async def decline(self, consultant: UserId, offer: UUID) -> None:
        async with self.db.begin() as tx:
            await self.requests.decline(tx, consultant, offer, reason="busy")

    async def cancel(self, customer: UserId, request: UUID) -> dict[str, Any]:
        async with self.db.begin() as tx:
            return await self.requests.cancel(tx, customer, request)

    async def later(self, seconds: float) -> int:
        self.clock.advance(timedelta(seconds=seconds))
        return await self.requests.run_due(self.db)


def wish(question: QuestionId, **changes: Any) -> Wish:
    values: dict[str, Any] = {
        "question_id": question,
        "consultant_id": None,
        "max_rate_minor_per_hour": 12_000,
        "currency": Currency.EUR,
        "cap_minor": 6_000,
        "terms_version": "1",
        "consent": True,
        "idempotency_key": uuid4(),
        **changes,
    }
    return Wish(**values)


@pytest.fixture
async def market(database_url: str, clock: FakeClock) -> AsyncIterator[Market]:
    bus = Bus()
    db = Database(database_url, clock=clock, bus=bus, jobs=Jobs(database_url), pool_size=20)
    market = Market(db, clock, {})

    async def missed(tx: Tx, event: OfferMissed) -> None:
        if event.consecutive >= 2:  # as presence does
            await market.consultants.on_presence(tx, PresenceChanged(user_id=event.consultant_id, status="away"))

    async def accepted(tx: Tx, event: OfferAccepted) -> None:
        await market.consultants.on_presence(tx, PresenceChanged(user_id=event.consultant_id, status="in_meeting"))

    bus.connect(
        {
            OfferMissed: (market.record, missed),
            OfferAccepted: (market.record, accepted),
            RequestClosed: (market.record,),
            PromiseMissed: (market.record,),
        }
    )
    yield market
    await db.close()
