"""Why not X: what keeps somebody off a list, told exactly, and nothing that is not the customer's to know."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from core.errors import NotFound
from core.ids import QuestionId, UserId
from matching.consultants import consultant_store
from matching.ranking.filters import NO_FILTERS, Filters
from matching.ranking.why_not import NOT_AVAILABLE, Outcome, WhyNot
from tests.integration.matching.conftest import Market
from tests.integration.matching.test_matches import shown, who

KUBERNETES = "My k8s pods keep restarting"


async def why_not(
    market: Market, customer: UserId, question: QuestionId, whom: UUID, *, limit: int = 5, **filters: Any
) -> WhyNot:
    async with market.db.begin() as tx:
        return await market.ranking.why_not(
            tx, customer, question, whom, limit=limit, filters=Filters(**filters) if filters else NO_FILTERS
        )


def codes(found: WhyNot) -> list[str]:
    return [each["code"] for each in found.obstacles]


async def test_the_difference_to_the_last_one_shown_is_exact(market: Market) -> None:
    for _ in range(5):
        await market.consultant("Kubernetes pods", tags=("kubernetes",))
    cats = await market.consultant("Cats", languages=("fr",))
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    listed = await shown(market, customer, question)
    assert cats not in who(listed["matches"])
    found = await why_not(market, customer, question, cats)
    assert found.outcome is Outcome.BEHIND
    assert found.last is not None
    last = listed["matches"][-1]
    assert (found.last.user_id, found.last.score_centi) == (last["consultant"]["user_id"], last["score_centi"])
    assert found.score_centi is not None
    assert sum(gap.difference_centi for gap in found.gaps) == found.score_centi - found.last.score_centi < 0
    ranked = next(one for one in listed["alternatives"] if one["consultant"]["user_id"] == cats)
    assert {gap.factor: gap.contribution_centi for gap in found.gaps} == {
        each["factor"]: each["contribution_centi"] for each in ranked["factors"]
    }


async def test_somebody_on_the_list_is_told_with_their_place(market: Market) -> None:
    anna = await market.consultant("Kubernetes", tags=("kubernetes",))
    ben = await market.consultant("Cats")
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    assert [(await why_not(market, customer, question, one)).place for one in (anna, ben)] == [1, 2]


@pytest.mark.parametrize(("status", "code"), [("in_meeting", "in_a_call"), ("away", "away")])
async def test_who_is_busy_is_said_to_be(market: Market, status: str, code: str) -> None:
    anna = await market.consultant("Kubernetes", status=status)
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    found = await why_not(market, customer, question, anna)
    assert (found.outcome, codes(found)) == (Outcome.BUSY, [code])


async def test_a_block_an_absence_and_an_unknown_id_get_one_and_the_same_answer(market: Market) -> None:
    """Whoever asks must not find out who blocked them: not by the outcome, not by a word more or less."""
    blocked, blocking = await market.consultant("Kubernetes"), await market.consultant("Kubernetes")
    offline = await market.consultant("Kubernetes", status="offline")
    limited = await market.consultant("Kubernetes", status="limited")
    unpaid = await market.consultant("Kubernetes", can_receive=False)
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    async with market.db.begin() as tx:
        await consultant_store.block(tx, customer, blocked)
        await consultant_store.block(tx, blocking, customer)
    for whom in (blocked, blocking, offline, limited, unpaid, customer, UserId(uuid4())):
        plain = await why_not(market, customer, question, whom)
        filtered = await why_not(market, customer, question, whom, language="fr", min_stars=5)
        assert plain == filtered == NOT_AVAILABLE


async def test_each_filter_alone_changes_the_list_and_is_named(market: Market) -> None:
    polish = await market.consultant("Kubernetes", languages=("pl",))
    dear = await market.consultant("Kubernetes", rate_minor_per_hour=30_000)
    swiss = await market.consultant("Kubernetes", currency="chf")
    loved = await market.consultant("Kubernetes")
    async with market.db.begin() as tx:
        for user, stars in ((loved, 5), (polish, 3)):
            await consultant_store.rate_consultant(tx, user, before=None, after=stars)
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    cases: list[tuple[dict[str, Any], set[UserId], dict[UserId, str]]] = [
        ({"language": "pl"}, {polish}, {dear: "other_language", loved: "other_language"}),
        (
            {"currency": "eur", "max_rate_minor_per_hour": 10_000},
            {polish, loved},
            {dear: "too_dear", swiss: "other_currency"},
        ),
        ({"min_stars": 4}, {loved}, {polish: "rated_lower", dear: "no_ratings"}),
    ]
    for filters, left, out in cases:
        async with market.db.begin() as tx:
            listed = await market.ranking.for_question(tx, customer, question, filters=Filters(**filters))
        assert set(who(listed["matches"])) == left
        for whom, code in out.items():
            found = await why_not(market, customer, question, whom, **filters)
            assert (found.outcome, codes(found)) == (Outcome.FILTERED, [code])
    async with market.db.begin() as tx:
        everybody = await market.ranking.for_question(tx, customer, question)
    assert set(who(everybody["matches"])) == {polish, dear, swiss, loved}


async def test_a_filter_leaves_the_scores_of_those_who_pass_as_they_were(market: Market) -> None:
    for n in range(4):
        await market.consultant(f"Kubernetes {'pods ' * n}", languages=("en", "pl") if n % 2 else ("en",))
    customer = await market.customer()
    question = await market.question(customer, KUBERNETES)
    whole = await shown(market, customer, question)
    async with market.db.begin() as tx:
        part = await market.ranking.for_question(tx, customer, question, filters=Filters(language="pl"))
    scores = {each["consultant"]["user_id"]: each["score_centi"] for each in whole["matches"]}
    assert len(part["matches"]) == 2
    assert all(scores[each["consultant"]["user_id"]] == each["score_centi"] for each in part["matches"])


async def test_somebody_elses_question_explains_nothing(market: Market) -> None:
    anna = await market.consultant("Kubernetes")
    question = await market.question(await market.customer(), KUBERNETES)
    with pytest.raises(NotFound):
        await why_not(market, await market.customer(), question, anna)
