"""The mirror: what changes in one process is in another's index before anybody asks.

How soon is measured by ``./bench rank`` (``mirrored_max_ms``).
"""

import asyncio
import gc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import numpy as np

from app.mirroring import mirroring
from core.ids import QuestionId, UserId, new_id
from matching.consultants import consultant_store
from matching.models import OutcomeRow
from matching.questions.ranking import query_of
from matching.ranking.index.encoder import WIDTH, Vector
from matching.ranking.logistic import LogisticRanker
from tests.integration.matching.conftest import BUILT_IN, Market

PATIENCE_S = 30.0
LOOK_S = 0.01


@asynccontextmanager
async def mirrored(market: Market) -> AsyncIterator[None]:
    async with mirroring(market.db, market.consultants) as listener:
        await listener.listening.wait()
        yield


async def seen(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not what():  # noqa: ASYNC110 - an index has no event to wait for: that it is asked is the point
            await asyncio.sleep(LOOK_S)


def excellent(question: QuestionId, consultant: UserId, now: datetime, text: str = "Pods restart") -> OutcomeRow:
    """An outcome than which there is no better."""
    return OutcomeRow(
        call_id=new_id(),
        question_id=question,
        customer_id=new_id(),
        consultant_id=consultant,
        nth=1,
        text=text,
        tags=[],
        language="en",
        asked_at=now,
        accepted_at=now,
        connected=True,
        completed=True,
        connected_ms=900_000,
        stars=5,
        refunded=False,
        ended_at=now,
        changed_in=0,
    )


async def test_profile_presence_rating_and_outcome_reach_the_other_process(market: Market) -> None:
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
                tx.session.add(excellent(question, ben, tx.now))
            tx.signal("consultant", str(ben))
        await seen(lambda: first() == ben)


async def test_the_collector_leaves_alone_what_was_loaded(market: Market) -> None:
    await market.consultant("Kubernetes")
    gc.unfreeze()
    try:
        async with mirrored(market):
            await seen(lambda: gc.get_freeze_count() > 0)
        assert market.consultants.index.online_count == 1
    finally:
        gc.unfreeze()


class Alike:
    """An encoder for which texts are alike when they begin with the same word."""

    version = "test"

    def encode(self, text: str) -> Vector:
        axis = zlib.crc32(text.split(maxsplit=1)[0].encode()) % WIDTH
        found: Vector = np.eye(WIDTH, dtype=np.float32)[axis]
        return found


async def test_profiles_and_past_questions_get_their_vectors_and_a_changed_profile_another(market: Market) -> None:
    twin = market.twin(Alike())
    anna = await market.consultant("Tax")
    question = await market.question(await market.customer())
    people = np.arange(1)

    def alike(text: str) -> float:
        return float(twin.consultants.index.meanings.similar(text, people)[0])

    def remembered(text: str) -> float:
        memory = twin.consultants.index.memory
        return float(memory.similarities("", Alike().encode(text))["meaning"].max(initial=0.0))

    async with mirrored(twin):
        await seen(lambda: alike("Tax return") > 0.9)
        await market.profile(anna, "Divorce")
        await seen(lambda: alike("Divorce and after") > 0.9)
        assert alike("Tax return") < 0.1
        async with market.db.begin() as tx:
            tx.session.add(excellent(question, anna, tx.now, "Gardens in winter"))
            tx.signal("consultant", str(anna))
        await seen(lambda: remembered("Gardens in summer") > 0.9)
        index = twin.consultants.index
        assert not index.unencoded_people
        assert not index.unencoded_questions
