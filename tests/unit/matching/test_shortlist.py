"""The shortlist: a large market's list is the one that computing everybody in full gives."""

import random
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest

from matching.ranking.filters import Filters, fitting
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.dots import BLOCK, dots
from matching.ranking.index.memory import Past
from matching.ranking.index.text_index import TextIndex
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import Model, built_in
from matching.ranking.ranker import Candidates, Query, Ranked
from tests.unit.matching.test_logistic import asked
from tests.unit.matching.test_ranking import facts

MODELS = [built_in("logistic-3"), built_in("logistic-3-semantic")]
WORDS = "pods restart cluster network storage memory garden piano travel tax".split()  # noqa: SIM905 - reads better
SIZE = 40


def market(size: int = 400) -> ConsultantIndex:
    """People of every kind, a third of whom have a past."""
    chance = random.Random(3)  # noqa: S311 - the same market every time, no secret
    index = ConsultantIndex()
    for n in range(size):
        count = chance.randrange(20)
        one = facts(
            str(n),
            biography=" ".join(chance.choices(WORDS, k=8)),
            tags=tuple(chance.sample(("kubernetes", "docker", "piano", "travel"), 2)),
            languages=("en",) if chance.random() < 0.5 else ("de",),
            rating_count=count,
            rating_sum=count * chance.randint(1, 5),
            rate_minor_per_hour=chance.randrange(3_000, 12_000),
            response_ms=chance.randrange(1_000, 20_000),
        )
        index.apply(one)
        if n % 3 == 0:
            text, day = " ".join(chance.choices(WORDS, k=4)), 100 * chance.random()
            index.learn(Past(n, n, text, index.person(one.user_id), day, 1.0, good=n % 2 == 0))
    index.day = 100.0
    return index


def ranked(
    model: Model, candidates: Candidates, *, shortlist: int, limit: int = 20, query: Query | None = None
) -> list[Ranked]:
    return LogisticRanker(lambda: model, shortlist=shortlist).rank(query or asked(), candidates, limit)


def users(found: Sequence[Ranked]) -> list[UUID]:
    return [one.user_id for one in found]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.version)
@pytest.mark.parametrize("text", ["My K8s pods keep restarting", "piano in the garden", "network storage", ""])
def test_the_list_is_that_of_everybody_computed_in_full(model: Model, text: str) -> None:
    index, query = market(), asked(text)
    everybody = ranked(model, index.ringable(query), shortlist=len(index), query=query)
    assert ranked(model, index.ringable(query), shortlist=SIZE, query=query) == everybody, "inputs and scores, too"


def test_a_longer_list_needs_a_longer_shortlist_and_few_are_all_in_it() -> None:
    full = ranked(MODELS[0], market().ringable(asked()), shortlist=len(market()), limit=SIZE + 5)
    assert len(ranked(MODELS[0], market().ringable(asked()), shortlist=SIZE, limit=SIZE + 5)) == SIZE + 5
    assert ranked(MODELS[0], market().ringable(asked()), shortlist=SIZE, limit=3) == full[:3]
    assert len(ranked(MODELS[0], market(SIZE - 1).ringable(asked()), shortlist=SIZE, limit=SIZE)) == SIZE - 1


def test_whoever_is_chosen_is_scored_outside_the_shortlist_as_they_would_be_inside() -> None:
    found = market().ringable(asked())
    full = ranked(MODELS[0], found, shortlist=len(found), limit=len(found))
    last = full[-1]
    assert last.user_id not in users(ranked(MODELS[0], found, shortlist=SIZE, limit=SIZE))
    assert ranked(MODELS[0], found.only(last.user_id), shortlist=SIZE, limit=1) == [last]
    assert not len(found.only(UUID(int=1))), "nobody for a user who is no candidate"


def test_equals_come_by_user_id_whatever_the_order_of_reading() -> None:
    twins = [facts(str(n)) for n in range(3 * SIZE)]
    first = sorted((one.user_id for one in twins), key=lambda user: user.int)[:SIZE]
    for order in (twins, twins[::-1]):
        index = ConsultantIndex()
        for one in order:
            index.apply(one)
        assert users(ranked(MODELS[0], index.ringable(asked()), shortlist=SIZE, limit=SIZE)) == first


def test_filters_come_before_the_shortlist() -> None:
    index, filters = market(), Filters(language="de", min_stars=4)
    found = fitting(index.ringable, asked(), frozenset(), filters)
    full = ranked(MODELS[0], found, shortlist=len(index), limit=len(index))
    assert len(full) == len(found) > SIZE // 2
    assert ranked(MODELS[0], found, shortlist=SIZE // 2) == full[:20]
    scores = {one.user_id: one.score_centi for one in full}
    unfiltered = ranked(MODELS[0], index.ringable(asked()), shortlist=len(index), limit=len(index))
    assert scores.items() <= {one.user_id: one.score_centi for one in unfiltered}.items(), "a filter moves no score"


def test_a_profile_that_changes_keeps_its_person_and_forgets_its_words_and_tags() -> None:
    index = ConsultantIndex()
    old, other = facts("a", tags=("piano",), biography="garden"), facts("b", tags=("travel",))
    index.apply(old)
    index.apply(other)
    assert {"piano"} <= set(index.vocabulary.suggest("pia"))
    person = index.person(old.user_id)
    changed: ConsultantFacts = facts("a", tags=("zither",), biography="tax", changed_in=old.changed_in + 1)
    index.apply(changed)
    assert (index.person(old.user_id), len(index), set(index.users())) == (person, 2, {old.user_id, other.user_id})
    assert index.vocabulary.suggest("zith") == ["zither"]
    query = asked("garden", tags=())
    assert not index.ringable(query).bm25.any()
    index.apply(old)
    assert not index.ringable(query).bm25.any(), "an older version changes nothing"


def test_a_term_is_lonely_when_its_last_document_goes() -> None:
    index = TextIndex()
    index.add(0, ["a", "b", "b"])
    index.add(1, ["b"])
    assert not index.remove(1)
    assert (index.documents("b"), sorted(index.terms())) == (1, ["a", "b"])
    assert index.remove(0)
    assert (index.documents("b"), index.terms()) == (0, [])


@pytest.mark.parametrize("kind", [np.int8, np.float32])
def test_dot_products_in_blocks_are_dot_products(kind: type) -> None:
    chance = np.random.default_rng(1)
    rows = chance.integers(-127, 128, (2 * BLOCK + 7, 16)).astype(kind)
    vector = chance.random(16).astype(np.float32)
    np.testing.assert_allclose(dots(rows, vector), rows.astype(np.float32) @ vector, rtol=1e-4, atol=1e-3)
