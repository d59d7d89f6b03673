"""Whom a question reached before it was answered, and what every process learns of it about them."""

import pytest
from sqlalchemy import text

from core.ids import UserId
from matching.events import OfferAccepted
from matching.learning import reached
from matching.questions.ranking import query_of
from matching.ranking.feature_names import NAMES
from matching.ranking.index.chances import FORGOTTEN
from tests.integration.matching.conftest import Market
from tests.integration.matching.test_outcomes import Story


async def answered_by_the_second(market: Market) -> tuple[Story, UserId, UserId]:
    """One consultant declines, the next accepts; a third is never rung. The story, the first and the second."""
    people = [await market.consultant("Kubernetes operations", tags=("kubernetes",)) for _ in range(3)]
    customer = await market.customer()
    await market.ring(customer)
    [first] = [user for user in people if await market.offers(user)]
    [offer] = await market.offers(first)
    await market.decline(first, offer["id"])
    [second] = [user for user in people if user != first and await market.offers(user)]
    [offer] = await market.offers(second)
    await market.accept(second, offer["id"])
    story = Story(market, customer, second, market.heard(OfferAccepted)[-1])
    await story.tell((story.log.on_offer_accepted, story.accepted))
    return story, first, second


async def beyond(market: Market) -> dict[UserId, float]:
    """The feature of everybody who is known, as this process computes it."""
    async with market.db.begin() as tx:
        await market.consultants.refresh(tx)
    index = market.consultants.index
    query = query_of("My k8s pods keep restarting", ("kubernetes",), "en", None, None)
    found = {UserId(user): index.one(query, user) for user in index.users()}
    column = NAMES.index("beyond_expected")
    return {user: float(one.features[0, column]) for user, one in found.items() if one is not None}


async def test_a_question_reached_who_was_rung_and_nobody_else(market: Market) -> None:
    story, first, second = await answered_by_the_second(market)
    async with market.db.begin() as tx:
        found = await reached.by_call(tx, [story.call])
    assert set(found[story.call]) == {first, second}
    assert all(0 < chance < 1 for chance in found[story.call].values())


@pytest.mark.parametrize(("days_ago", "known"), [(FORGOTTEN - 1, True), (FORGOTTEN + 1, False)])
async def test_a_process_that_starts_unfolds_no_rankings_of_forgotten_questions(
    market: Market, days_ago: int, known: bool
) -> None:
    story, *_ = await answered_by_the_second(market)
    await story.tell(story.live(), story.ended(), story.settled())
    async with market.db.begin() as tx:
        long_ago = {"ago": f"{days_ago} days", "call": story.call}
        await tx.session.execute(
            text("UPDATE outcome SET asked_at = asked_at - CAST(:ago AS interval) WHERE call_id = :call"), long_ago
        )
    async with market.db.begin() as tx:
        found = await reached.by_call(tx, [story.call])
    assert set(found) == ({story.call} if known else set())
    assert set((await beyond(market.twin())).values()) == {0.5}, "what is nearly forgotten makes no grain either"


async def test_who_declined_falls_behind_who_answered_well_and_all_processes_agree(market: Market) -> None:
    story, first, second = await answered_by_the_second(market)
    assert set((await beyond(market)).values()) == {0.5}
    await story.tell(story.live(), story.ended(), story.settled())
    found = await beyond(market)
    assert found[second] > 0.5 > found[first]
    assert sorted(found.values())[1] == 0.5, "nobody asked the third"
    assert await beyond(market.twin()) == found
    await story.tell(story.refunded(9_000))
    assert set((await beyond(market)).values()) == {0.5}, "not answered well after all: it says nothing about either"
