"""The bench's market and the server, given the same people and answers, ring the same consultants at the same times."""

from datetime import timedelta
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from core.ids import UserId
from matching.dispatch.ring_order import Standing
from matching.models import QuestionMatchRow
from tests.bench.dispatch_market import Consultant, Laws, Request
from tests.bench.dispatch_market import Market as VirtualMarket
from tests.integration.matching.conftest import Market

STEP_S, LENGTH_S = 0.5, 100.0
TITLE = "Kubernetes pods keep restarting after the upgrade"
PEOPLE = (
    ("Kubernetes pods restarting, upgrade", ("kubernetes",)),
    ("Kubernetes upgrade", ("kubernetes",)),
    ("Restarting things", ()),
    ("Upgrade, pods", ("kubernetes",)),
    ("Garden design", ()),
)
# When somebody rings, and what each consultant does about any ring; as many of the people are there.
SCRIPTS = {
    "silence, decline, accept": ((0.0,), (("silence", 20.0), ("decline", 5.0), ("accept", 6.0))),
    "three in a row": ((0.0, 3.0, 4.0), (("accept", 5.0), ("decline", 4.0), ("accept", 7.0))),
    "two at once after a minute": ((0.0,), (("silence", 20.0),) * 5),
    "one free, two waiting": ((0.0, 1.0, 1.5), (("decline", 6.0), ("decline", 6.5), ("decline", 7.0))),
}
Rings = list[tuple[int, int, float]]


class Scripted(VirtualMarket):
    """The bench's market with people and answers given, and nobody's patience running out."""

    def __init__(self, answers: tuple[tuple[str, float], ...], fits: list[float]) -> None:
        super().__init__(Laws(consultants=len(answers), load=0.1, hours=1, seed=1))
        self._answers, self._fits = answers, fits
        for one in self.consultants:
            one.standing = Standing(contacts=20, successes=15)

    def answer_of(self, request: Request, n: int) -> tuple[str, float]:  # noqa: ARG002 - whoever asks
        return self._answers[n]

    def _hang_up(self, request: Request, n: int, since: float) -> None:
        """The calls of the scripts outlast them."""

    def _go_away(self, one: Consultant) -> None:
        one.state = "away"

    def rings_of(self, arrivals: tuple[float, ...], ids: list) -> Rings:
        for n, at in enumerate(arrivals):
            request = Request(ids[n], n, at, np.array(self._fits), 1e9)
            self.at(at, lambda request=request: self.enter(request))
        self.play()
        return [ring for ring in self.rings if ring[2] <= LENGTH_S]


class Played:
    """The same on the real services, with a clock that is moved by half a second at a time."""

    def __init__(self, market: Market, people: list[UserId], answers: tuple[tuple[str, float], ...]) -> None:
        self.market, self.people, self.answers = market, people, answers
        self.rings: Rings = []
        self.ids: list = []
        self._customers: list[UserId] = []
        self._due: list[tuple[float, UserId, object, str]] = []
        self._seen: set = set()

    async def play(self, arrivals: tuple[float, ...]) -> Rings:
        now = 0.0
        while now <= LENGTH_S:
            await self.market.requests.run_due(self.market.db)
            await self._note(now)
            for _ in range(arrivals.count(now)):
                await self._ring(now)
            for due in [one for one in self._due if one[0] == now]:
                await self._answer(now, *due[1:])
            now += STEP_S
            self.market.clock.advance(timedelta(seconds=STEP_S))
        return self.rings

    async def _ring(self, now: float) -> None:
        customer = await self.market.customer()
        question = await self.market.question(customer, TITLE)
        self.ids.append((await self.market.ring(customer, question_id=question))["id"])
        self._customers.append(customer)
        await self._note(now)

    async def _answer(self, now: float, user: UserId, offer: object, kind: str) -> None:
        answer = self.market.accept if kind == "accept" else self.market.decline
        await answer(user, offer)  # type: ignore[arg-type]
        await self.market.requests.run_due(self.market.db)
        await self._note(now)

    async def _note(self, now: float) -> None:
        for n, user in enumerate(self.people):
            for ring in await self.market.offers(user):
                if ring["id"] in self._seen:
                    continue
                self._seen.add(ring["id"])
                self.rings.append((self.ids.index(ring["request_id"]), n, now))
                kind, after = self.answers[n]
                if kind != "silence":
                    self._due.append((now + after, user, ring["id"], kind))


async def both(market: Market, name: str) -> tuple[Rings, Rings]:
    """The rings of a script on the real services, and on the bench's market."""
    arrivals, answers = SCRIPTS[name]
    people = [await market.consultant(headline, tags=tags) for headline, tags in PEOPLE[: len(answers)]]
    played = Played(market, people, answers)
    real = await played.play(arrivals)
    async with market.db.begin() as tx:
        first = await tx.session.scalar(select(QuestionMatchRow).order_by(QuestionMatchRow.id).limit(1))
    assert first is not None
    fits = {UserId(UUID(result["user_id"])): result["p_success"] for result in first.results}
    virtual = Scripted(answers, [fits[user] for user in people]).rings_of(arrivals, played.ids)
    return sorted(real), sorted(virtual)


@pytest.mark.parametrize("name", SCRIPTS)
async def test_both_ring_the_same_people_at_the_same_times(market: Market, name: str) -> None:
    real, virtual = await both(market, name)
    assert real == virtual
    assert real, "somebody was rung"


async def test_after_a_minute_two_really_ring_at_once(market: Market) -> None:
    real, virtual = await both(market, "two at once after a minute")
    assert [sorted(at for *_, at in rings) for rings in (real, virtual)] == [[0.0, 20.0, 40.0, 60.0, 60.0]] * 2
