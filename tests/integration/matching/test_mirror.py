"""The mirror: what changes in one process is in another's index within a second, before anybody asks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.mirroring import mirroring
from core.ids import UserId, new_id
from matching.consultants import consultant_store
from matching.models import OutcomeRow
from matching.questions.ranking import query_of
from matching.ranking.logistic import LogisticRanker
from tests.integration.matching.conftest import BUILT_IN, Market

VISIBLE_S = 1.0
LOOK_S = 0.01


@asynccontextmanager
async def mirrored(market: Market) -> AsyncIterator[None]:
    async with mirroring(market.db, market.consultants) as listener:
        await listener.listening.wait()
        yield


async def seen(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(VISIBLE_S):
        while not what():  # noqa: ASYNC110 - an index has no event to wait for: that it is asked is the point
            await asyncio.sleep(LOOK_S)


async def test_profile_presence_rating_and_outcome_reach_the_other_process_within_a_second(market: Market) -> None:
    twin = market.twin()
    anna, ben = await market.consultant("Kubernetes"), await market.consultant("Kubernetes")
    question = await market.question(await market.customer())
    query = query_of("My k8s pods keep restarting", ("kubernetes",), "en", None, None)

    def first() -> UserId:
        index = twin.consultants.index
        return UserId(LogisticRanker(lambda: BUILT_IN).rank(query, index.ringable(query), 1)[0].user_id)

    async with mirrored(twin):
        await seen(lambda: twin.consultants.index.online_count == 2)
        await market.presence(anna, "away")
        await seen(lambda: twin.consultants.index.online_count == 1)
        await market.presence(anna, "available")
        async with market.db.begin() as tx:
            for _ in range(20):
                await consultant_store.rate_consultant(tx, anna, before=None, after=5)
            tx.signal("consultant", str(anna))
        await seen(lambda: twin.consultants.index.online_count == 2 and first() == anna)
        async with market.db.begin() as tx:
            for _ in range(20):
                tx.session.add(
                    OutcomeRow(
                        call_id=new_id(),
                        question_id=question,
                        consultant_id=ben,
                        text="Pods restart",
                        tags=[],
                        language="en",
                        asked_at=tx.now,
                        accepted_at=tx.now,
                        connected=True,
                        completed=True,
                        connected_ms=900_000,
                        stars=5,
                        refunded=False,
                        ended_at=tx.now,
                        changed_in=0,
                    )
                )
            tx.signal("consultant", str(ben))
        await seen(lambda: first() == ben)
