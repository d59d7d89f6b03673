"""The learned ranker: scores add up exactly, what should count counts, and a stored match is computed again."""

import json
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from matching.questions.match_views import result_of
from matching.questions.ranking import query_of
from matching.ranking.feature_names import FEATURES, NAMES
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.memory import Past, weight_of
from matching.ranking.logistic import FACTORS, LogisticRanker
from matching.ranking.model import LEARNED_FACTORS, Model, built_in
from matching.ranking.ranker import Candidates, Known, Query, Ranked
from matching.ranking.replay import replayed
from matching.ranking.weighted import WeightedRanker
from tests.unit.matching.test_ranking import facts

MODEL = built_in("logistic-3")
NEW_INPUTS = {"features", "industry", "style"}
MODELS = [MODEL, built_in("logistic-3-semantic")]
RANKER = LogisticRanker(lambda: MODEL)
KUBERNETES = "My K8s pods keep restarting"


def asked(text: str = KUBERNETES, *, tags: tuple[str, ...] | None = None, language: str = "en") -> Query:
    found = ConsultantIndex().vocabulary.extract(text).tags if tags is None else tags
    return query_of(text, found, language, "eur", 12_000)


def index_of(*consultants: ConsultantFacts) -> ConsultantIndex:
    index = ConsultantIndex()
    for one in consultants:
        index.apply(one)
    return index


def ranked(query: Query, *consultants: ConsultantFacts) -> list[Ranked]:
    return RANKER.rank(query, index_of(*consultants).ringable(query), 100)


def names(query: Query, **consultants: dict[str, Any]) -> list[str]:
    people = {name: facts(name, **changes) for name, changes in consultants.items()}
    by_id = {one.user_id: name for name, one in people.items()}
    return [by_id[one.user_id] for one in ranked(query, *people.values())]


def value(one: Ranked, factor: str) -> int:
    return next(part.value for part in one.factors if part.factor == factor)


def candidates_of(features: np.ndarray, columns: dict[str, np.ndarray]) -> Candidates:
    count = len(features)
    return Candidates(
        user_ids=[UUID(int=n + 1 << 64) for n in range(count)],
        order=np.arange(1, count + 1, dtype=np.uint64),
        best_bm25=1.0,
        measured=Known(features.astype(np.float32)),
        **columns,
    )


@st.composite
def crowds(draw: st.DrawFn) -> Candidates:
    """Candidates nobody ever made up: any features, any facts."""
    count = draw(st.integers(1, 8))
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([0.0, 0.1, 1.0, 6.0, 1_000.0]))
    stars = chance.integers(0, 200, count)
    return candidates_of(
        np.rint(chance.random((count, len(NAMES))) * scale * 4_096) / 4_096,
        {
            "tag_hits": chance.integers(0, 9, count),
            "bm25": chance.random(count),
            "available": chance.random(count) < 0.5,
            "rating_points": chance.integers(0, 5, count) * stars,
            "rating_count": stars,
            "response_ms": chance.integers(-1, 60_000, count),
            "speaks": chance.random(count) < 0.5,
            "rate_minor_per_hour": chance.integers(1, 100_000, count),
            "same_currency": chance.random(count) < 0.5,
            "industry": chance.integers(0, 101, count),
            "style": chance.integers(0, 101, count),
        },
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.version)
@given(crowd=crowds())
def test_contributions_add_up_to_the_score_exactly(model: Model, crowd: Candidates) -> None:
    found = LogisticRanker(lambda: model).rank(asked(), crowd, len(crowd))
    assert len(found) == len(crowd)
    for one in found:
        assert tuple(part.factor for part in one.factors) == FACTORS
        assert sum(part.contribution_centi for part in one.factors) == one.score_centi
        assert sum(part.weight for part in one.factors) == 100
        assert all(0 <= part.contribution_centi <= 100 * part.weight for part in one.factors)
        assert all(abs(part.value * part.weight - part.contribution_centi) * 2 <= part.weight for part in one.factors)
        assert 0 < one.p_success < 1
    scores = [one.score_centi for one in found]
    assert scores == sorted(scores, reverse=True)


def utility(one: Ranked) -> float:
    """What tells equal scores apart: a factor that is full says no more."""
    return MODEL.utility([one.inputs["features"][name] for name in MODEL.names])


@given(crowd=crowds())
def test_a_stored_match_gives_the_same_list_again(crowd: Candidates) -> None:
    query = asked()
    free, busy = np.flatnonzero(crowd.available), np.flatnonzero(~crowd.available)
    shown = [one for part in (free, busy) for n in part for one in RANKER.rank(query, crowd.only(crowd.user_ids[n]), 1)]
    shown.sort(key=lambda one: (not one.inputs["available"], -one.score_centi, -utility(one), one.user_id.int))
    stored = json.loads(json.dumps({"inputs": query.inputs(), "results": [result_of(one) for one in shown]}))
    again = replayed(MODEL.version, stored["inputs"], stored["results"], {MODEL.version: MODEL})
    assert [(one.score_centi, result_of(one)["factors"]) for one in again] == [
        (one["score_centi"], one["factors"]) for one in stored["results"]
    ]
    assert {one.user_id for one in again} == {UUID(one["user_id"]) for one in stored["results"]}


def test_a_match_of_the_first_ranker_is_still_computed_again() -> None:
    query = asked()
    index = index_of(facts("a", tags=("kubernetes",)), facts("b", biography="pods"), facts("c"))
    before = WeightedRanker().rank(query, index.ringable(query), 10)
    stored = [
        {
            **result_of(one),
            "inputs": {k: v for k, v in one.inputs.items() if k not in {"features", "industry", "style"}},
        }
        for one in before
    ]
    again = replayed("weighted-1", query.inputs(), stored, {})
    assert [(one.user_id, one.score_centi, one.factors) for one in again] == [
        (one.user_id, one.score_centi, one.factors) for one in before
    ]
    with pytest.raises(Invalid):
        replayed("never-was", query.inputs(), stored, {})


@pytest.mark.parametrize("name", ["logistic-2", "logistic-2-semantic"])
def test_a_match_of_the_model_before_is_still_computed_again(name: str) -> None:
    before = built_in(name)
    index = index_of(facts("a", tags=("kubernetes",)), facts("b", biography="pods"), facts("c"))
    shown = LogisticRanker(lambda: before).rank(asked(), index.ringable(asked()), 10)
    stored = [result_of(one) for one in shown]
    for one in stored:  # as it was stored then
        one["inputs"]["features"] = {key: one["inputs"]["features"][key] for key in before.names}
    again = replayed(before.version, asked().inputs(), stored, {before.version: before})
    assert [(one.user_id, one.score_centi, one.factors) for one in again] == [
        (one.user_id, one.score_centi, one.factors) for one in shown
    ]


def test_the_exact_tag_ranks_above_none_other_factors_equal() -> None:
    assert names(asked(), a={}, b={"tags": ("kubernetes",)})[0] == "b"
    assert names(asked(), b={}, a={"tags": ("kubernetes",)})[0] == "a"


def test_restarting_pods_find_the_kubernetes_consultant_without_the_word() -> None:
    found = names(
        asked(),
        cook={"headline": "Italian cooking", "tags": ("cooking",)},
        operator={"headline": "Kubernetes consultant", "tags": ("kubernetes",), "biography": "Clusters in production"},
        restarts={"headline": "I restart old cars"},
    )
    assert found[0] == "operator"


def test_a_german_question_finds_the_german_profile() -> None:
    found = names(
        asked("Mein Vermieter erhöht die Miete, darf er das?", language="de"),
        english={"headline": "Employment contracts", "biography": "Advice on contracts at work"},
        german={"headline": "Mietrecht", "biography": "Hilfe bei Mieterhöhung und Kündigung", "languages": ("de",)},
        cook={"headline": "Kochen wie in Italien", "languages": ("de",)},
    )
    assert found[0] == "german"


def test_one_five_star_rating_does_not_beat_fifty_of_4_8() -> None:
    once, often = {"rating_sum": 5, "rating_count": 1}, {"rating_sum": 240, "rating_count": 50}
    assert names(asked(), once=once, often=often) == ["often", "once"]
    [bad] = ranked(asked(), facts("bad", rating_sum=20, rating_count=20))
    [new] = ranked(asked(), facts("new"))
    assert value(bad, "feedback") < value(new, "feedback"), "and many bad ones are worse than none"


def test_who_answered_a_similar_question_well_ranks_above_who_did_not() -> None:
    index = index_of(facts("a"), facts("b"))
    for name, succeeded in (("a", False), ("b", True)):
        weight = weight_of(succeeded=succeeded, stars=None)
        person = index.person(facts(name).user_id)
        index.learn(Past(name, name, "Pods restart all the time", person, 10.0, weight, good=succeeded))
    index.day = 12.0
    best, other = RANKER.rank(asked(), index.ringable(asked()), 2)
    assert best.user_id == facts("b").user_id
    assert value(best, "expertise") > value(other, "expertise")
    assert value(best, "feedback") > value(other, "feedback")
    assert best.p_success > other.p_success


def test_what_is_known_by_now_replaces_what_was_known_before() -> None:
    once, twice = index_of(facts("a"), facts("b")), index_of(facts("a"), facts("b"))
    for index, weights in ((once, [1.7]), (twice, [0.0, 1.7])):
        for weight in weights:
            person = index.person(facts("b").user_id)
            index.learn(Past("call", "question", "Pods restart", person, 10.0, weight, good=weight > 0))
    assert RANKER.rank(asked(), once.ringable(asked()), 2) == RANKER.rank(asked(), twice.ringable(asked()), 2)


def test_the_neighbouring_field_of_work_counts_and_so_does_the_way_of_writing() -> None:
    query = asked("Terraform destroyed infrastructure, recovering requires restoration strategies immediately")
    neighbour, stranger = (
        ranked(query, facts(name, tags=tags))[0] for name, tags in (("a", ("kubernetes",)), ("b", ("piano",)))
    )
    assert (value(neighbour, "industry"), value(stranger, "industry")) == (100, 0)
    technical = {"biography": "Infrastructure orchestration, container scheduling, observability engineering"}
    plain = {"biography": "I can help you out if all is lost, so do not be sad"}
    styles = [value(ranked(query, facts("a", **one))[0], "communication_style") for one in (technical, plain)]
    assert styles[0] > styles[1]


def test_cheaper_faster_and_in_the_own_language_is_better() -> None:
    assert names(asked(), dear={"rate_minor_per_hour": 12_000}, cheap={"rate_minor_per_hour": 3_000})[0] == "cheap"
    assert names(asked(), slow={"response_ms": 19_000}, fast={"response_ms": 1_000})[0] == "fast"
    assert names(asked(), other={"languages": ("fr",)}, own={"languages": ("en",)})[0] == "own"


def test_the_order_depends_neither_on_the_order_of_reading_nor_on_the_other_candidates() -> None:
    crowd = [facts(str(n), biography="pods " * (n % 4), tags=("kubernetes",) if n % 3 else ()) for n in range(40)]
    one, other = ranked(asked(), *crowd), ranked(asked(), *reversed(crowd))
    assert one == other
    index = index_of(*crowd)
    found = index.ringable(asked())
    assert RANKER.rank(asked(), found.only(one[7].user_id), 1) == [one[7]]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.version)
def test_the_built_in_models_read_only_features_there_are(model: Model) -> None:
    assert set(model.names) <= {feature.name for feature in FEATURES}
    assert Model.from_json(model.to_json()) == model
    assert sum(model.shares().values()) + sum(model.stated.values()) == 100
    assert {feature.factor for feature in model.features} == set(LEARNED_FACTORS)
    assert all(weight >= feature.floor for feature, weight in zip(model.features, model.weights, strict=True))
