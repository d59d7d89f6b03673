"""Question, ring and answer over HTTP, with the real people behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from redis.asyncio import Redis

from core.clock import FakeClock
from core.db import Database, Tx
from core.events import Bus
from core.ids import UserId
from core.jobs import Jobs
from core.settings import Settings
from matching.consultants.projection import ConsultantProjection
from matching.dispatch.requests import RequestService
from matching.questions.ranking import RankingService
from matching.questions.service import QuestionService
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import built_in
from people.accounts import AccountService
from people.blocks import BlockService
from people.consents import ConsentService
from people.events import ConsultantProfileChanged
from people.passwords import Passwords
from people.profiles import ProfileService
from people.ratings import RatingService
from people.tokens import TokenService
from signaling.events import PresenceChanged
from tests.integration.web.visitor import error_of, log_in, register
from web.application import build_application
from web.context import House

Client = TestClient[web.Request, web.Application]
PROFILE = {
    "headline": "Kubernetes operations",
    "biography": "I calm down clusters whose pods restart.",
    "tags": ["kubernetes"],
    "rate_minor_per_hour": 9_000,
    "currency": "eur",
    "languages": ["en"],
    "time_zone": "Europe/Berlin",
}
QUESTION = {"title": "My k8s pods keep restarting", "details": "Since the last deploy.", "language": "en"}

BUILT_IN = built_in("logistic-3")


@dataclass(frozen=True)
class Receiving:
    user_id: UserId
    can_receive: bool = True


@dataclass
class Street:
    """A customer and an available consultant, both signed in."""

    client: Client
    house: House
    customer: dict[str, str]
    consultant: dict[str, str]
    consultant_id: UserId

    async def ask(self, who: dict[str, str], method: str, path: str, status: int = 200, **body: Any) -> Any:
        more = {} if method == "GET" else {"json": body}
        async with self.client.request(method, path, headers=who, **more) as answer:
            assert answer.status == status, await answer.text()
            if status >= 400:
                return await error_of(answer)
            return await answer.json() if status != 204 else None

    async def ring(self, question: str, status: int = 201, **changes: Any) -> Any:
        body = {
            "question_id": question,
            "consultant_id": None,
            "max_rate_minor_per_hour": 12_000,
            "currency": "eur",
            "cap_minor": 6_000,
            "terms_version": "2026-01",
            "consent": True,
            "idempotency_key": str(uuid4()),
            **changes,
        }
        return await self.ask(self.customer, "POST", "/api/requests", status, **body)

    async def offers(self) -> list[dict[str, Any]]:
        async with self.house.db.begin() as tx:
            return await self.house.requests.offers_view(tx, self.consultant_id)


async def has_card(tx: Tx, user: UserId) -> bool:  # noqa: ARG001 - a port
    return True


@pytest.fixture
async def house(settings: Settings, clock: FakeClock, redis_url: str) -> AsyncIterator[House]:
    bus, jobs, redis = Bus(), Jobs(settings.database_url), Redis.from_url(redis_url, decode_responses=True)
    db = Database(settings.database_url, clock=clock, bus=bus, jobs=jobs)
    tokens, profiles, consents = TokenService(settings.secret_key, clock), ProfileService(), ConsentService()
    consultants = ConsultantProjection(profiles.consultant_profile, profiles.names)
    ranking = RankingService(consultants, LogisticRanker(lambda: BUILT_IN))
    rooms: dict[str, Any] = dict.fromkeys(field.name for field in fields(House))
    rooms |= {
        "settings": settings,
        "clock": clock,
        "db": db,
        "jobs": jobs,
        "bus": bus,
        "redis": redis,
        "accounts": AccountService(tokens, profiles, consents, Passwords(cost=4)),
        "tokens": tokens,
        "profiles": profiles,
        "consents": consents,
        "ratings": RatingService(),
        "blocks": BlockService(),
        "consultants": consultants,
        "ranking": ranking,
        "questions": QuestionService(consultants),
        "requests": RequestService(ranking, has_card, profiles.names),
    }
    bus.connect(
        {
            ConsultantProfileChanged: (consultants.on_profile_changed,),
            PresenceChanged: (consultants.on_presence,),
        }
    )
    yield House(**rooms)
    await redis.aclose()
    await db.close()


@pytest.fixture
async def street(house: House, aiohttp_client: Callable[..., Awaitable[Client]]) -> Street:
    client = await aiohttp_client(build_application(house))
    await register(client, "anna@example.com", "customer")
    await register(client, "ben@example.com", "consultant")
    customer, consultant = await log_in(client, "anna@example.com"), await log_in(client, "ben@example.com")
    street = Street(client, house, customer, consultant, UserId(UUID(int=0)))
    ben = street.consultant_id = UserId(UUID((await street.ask(consultant, "GET", "/api/me"))["id"]))
    await street.ask(consultant, "PUT", "/api/consultant/profile", **PROFILE)
    async with house.db.begin() as tx:
        await house.profiles.on_payout_account_changed(tx, Receiving(ben))
        await tx.publish(PresenceChanged(user_id=ben, status="available"))
    return street


async def test_from_the_question_to_an_accepted_ring(street: Street) -> None:
    question = await street.ask(street.customer, "POST", "/api/questions", 201, **QUESTION)
    assert question["tags"] == ["kubernetes"]
    answer = await street.ask(street.customer, "GET", f"/api/questions/{question['id']}/matches?limit=3")
    [match] = answer["matches"]
    assert match["consultant"]["display_name"] == "Anna"  # everybody is called so in these tests
    assert match["score_centi"] == sum(part["contribution_centi"] for part in match["factors"])
    assert match["price"]["estimates"][1] == {"minutes": 20, "minor": 3_000}
    request = await street.ring(question["id"])
    assert request["ringing"][0]["consultant_id"] == str(street.consultant_id)
    [offer] = await street.offers()
    accepted = await street.ask(street.consultant, "POST", f"/api/offers/{offer['id']}/accept")
    view = await street.ask(street.customer, "GET", f"/api/requests/{request['id']}")
    assert (view["state"], view["call_id"]) == ("matched", accepted["call_id"])
    error = await street.ask(street.customer, "POST", f"/api/requests/{request['id']}/cancel", 409)
    assert error["code"] == "already_matched"


async def test_decline_cancel_and_late_answers_over_http(street: Street) -> None:
    question = await street.ask(street.customer, "POST", "/api/questions", 201, **QUESTION)
    request = await street.ring(question["id"])
    [offer] = await street.offers()
    decline = f"/api/offers/{offer['id']}/decline"
    await street.ask(street.consultant, "POST", decline, 422, reason="bored")
    await street.ask(street.consultant, "POST", decline, 204, reason="busy", note="In an hour?")
    assert (await street.ask(street.consultant, "POST", f"/api/offers/{offer['id']}/accept", 409))["code"] == "expired"
    cancelled = await street.ask(street.customer, "POST", f"/api/requests/{request['id']}/cancel")
    assert cancelled["state"] == "cancelled"
    error = await street.ask(street.customer, "POST", f"/api/requests/{request['id']}/keep-waiting", 409)
    assert error["code"] == "request_over"


async def test_bad_input_is_refused_and_a_strangers_things_do_not_exist(street: Street) -> None:
    await street.ask(street.customer, "POST", "/api/questions", 422, **{**QUESTION, "title": "short"})
    await street.ask(street.customer, "POST", "/api/questions", 422, **QUESTION, surprise=1)
    question = await street.ask(street.customer, "POST", "/api/questions", 201, **QUESTION)
    await street.ring(question["id"], 422, consent=False)
    await street.ring(question["id"], 422, currency="xau")
    await street.ring(str(uuid4()), 404)
    await street.ask(street.customer, "GET", f"/api/questions/{uuid4()}", 404)
    await street.ask(street.customer, "GET", "/api/questions/none", 404)
    await street.ask(street.consultant, "POST", f"/api/offers/{uuid4()}/accept", 404)
    await street.ask(street.consultant, "GET", f"/api/questions/{question['id']}", 403)
    patched = await street.ask(street.customer, "PATCH", f"/api/questions/{question['id']}", tags=["chess"])
    assert patched["tags"] == ["chess"]
    assert (await street.ask(street.customer, "POST", f"/api/questions/{question['id']}/withdraw"))[
        "state"
    ] == "withdrawn"
    assert len((await street.ask(street.customer, "GET", "/api/questions"))["items"]) == 1


async def test_before_signing_in_anyone_may_see_matches_and_tags(street: Street) -> None:
    answer = await street.ask({}, "POST", "/api/matches/preview", **QUESTION)
    assert [match["consultant"]["user_id"] for match in answer["matches"]] == [str(street.consultant_id)]
    found = await street.ask({}, "POST", "/api/keywords", text="k8s pods restart")
    assert found["tags"] == ["kubernetes"]
    assert (await street.ask({}, "GET", "/api/tags?q=kub"))["items"] == ["kubernetes"]
    page = await street.ask({}, "GET", "/api/consultants?q=kubernetes&online=true")
    assert (page["online_count"], page["items"][0]["status"]) == (1, "available")
