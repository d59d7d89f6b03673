"""The first ranker: scores add up, and each factor does what it says."""

from typing import Any
from uuid import UUID, uuid5

import numpy as np
import pytest

from matching.language.words import terms
from matching.questions.match_views import per_minute
from matching.ranking.explanation import reasons
from matching.ranking.index.consultant_facts import ConsultantFacts, Record
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.ranker import Query, Ranked
from matching.ranking.weighted import WEIGHTS, WeightedRanker

HOME = UUID(int=0)


def facts(name: str, **changes: Any) -> ConsultantFacts:
    values: dict[str, Any] = {
        "headline": "Advice",
        "biography": "",
        "tags": (),
        "languages": ("en",),
        "rate_minor_per_hour": 9_000,
        "currency": "eur",
        "can_receive": True,
        "status": "available",
        "rating_sum": 0,
        "rating_count": 0,
        "response_ms": None,
        "changed_in": 1,
        **changes,
    }
    return ConsultantFacts(user_id=uuid5(HOME, name), **values)


def query(text: str = "My pods keep restarting", **changes: Any) -> Query:
    values: dict[str, Any] = {"terms": tuple(terms(text)), "tags": ("kubernetes",), "language": "en", **changes}
    return Query(**values)


def ranked(asked: Query, *consultants: ConsultantFacts, limit: int = 10) -> list[Ranked]:
    index = ConsultantIndex()
    for one in consultants:
        index.apply(one)
    return WeightedRanker().rank(asked, index.ringable(asked), limit)


def winner(asked: Query, *consultants: ConsultantFacts) -> UUID:
    return ranked(asked, *consultants)[0].user_id


def value(asked: Query, factor: str, **changes: Any) -> int:
    [one] = ranked(asked, facts("one", **changes))
    return next(part.value for part in one.factors if part.factor == factor)


def test_weights_are_a_hundred_percent() -> None:
    assert sum(WEIGHTS.values()) == 100


def test_contributions_add_up_to_the_score_exactly() -> None:
    rng = np.random.default_rng(1)
    crowd = [
        facts(
            str(n),
            biography=" ".join(rng.choice(["pods", "restart", "cats", "dogs", "cloud"], 4)),
            tags=("kubernetes",) if n % 3 else (),
            rating_count=(count := int(rng.integers(0, 30))),
            rating_sum=count * int(rng.integers(1, 6)),
            response_ms=int(rng.integers(0, 20_000)),
            rate_minor_per_hour=int(rng.integers(100, 20_000)),
        )
        for n in range(200)
    ]
    found = ranked(query(currency="eur", max_rate_minor_per_hour=15_000), *crowd, limit=200)
    assert len(found) > 100
    for one in found:
        assert one.score_centi == sum(part.contribution_centi for part in one.factors)
        assert all(0 <= part.value <= 100 for part in one.factors)
        assert all(part.contribution_centi == part.value * part.weight for part in one.factors)
    scores = [one.score_centi for one in found]
    assert scores == sorted(scores, reverse=True)


def test_the_exact_tag_ranks_above_none_other_factors_equal() -> None:
    assert winner(query(), facts("a"), facts("b", tags=("Kubernetes",))) == facts("b").user_id
    assert winner(query(), facts("a"), facts("b", tags=("k8s",))) == facts("b").user_id, "and so does a synonym"


def test_one_five_star_rating_does_not_beat_fifty_of_4_8() -> None:
    once = facts("a", rating_sum=5, rating_count=1)
    often = facts("b", rating_sum=240, rating_count=50)
    assert winner(query(), once, often) == often.user_id


def test_a_bad_rating_weighs_less_than_a_newcomer() -> None:
    assert value(query(), "rating", rating_sum=20, rating_count=20) < value(query(), "rating")


def test_slow_answers_lower_the_response_factor() -> None:
    fast, slow = value(query(), "response", response_ms=2_000), value(query(), "response", response_ms=18_000)
    assert fast > value(query(), "response") > slow


def test_the_text_of_the_profile_counts() -> None:
    assert winner(query(), facts("a", biography="cats"), facts("b", biography="restarting pods")) == facts("b").user_id


def test_language_and_price_count() -> None:
    assert value(query(language="de"), "language") == 0
    assert value(query(language="de"), "language", languages=("en", "de")) == 100
    budget = query(currency="eur", max_rate_minor_per_hour=10_000)
    assert value(budget, "price", rate_minor_per_hour=10_000) == 50
    assert value(budget, "price", rate_minor_per_hour=5_000) == 75
    assert ranked(budget, facts("dear", rate_minor_per_hour=10_001)) == []


def test_invented_languages_and_currencies_of_questions_use_up_nothing() -> None:
    index = ConsultantIndex()
    index.apply(facts("a", languages=("en",)))
    for n in range(100):
        assert len(index.ringable(query(language=f"q{n}"))) == 1
        assert len(index.ringable(query(currency=f"q{n}", max_rate_minor_per_hour=100_000))) == 0
    late = facts("b", languages=("fr",), biography="parle")
    index.apply(late)
    found = index.ringable(query(language="fr"))
    assert dict(zip(found.user_ids, found.speaks, strict=True))[late.user_id]
    assert len(index.ringable(query(currency="eur", max_rate_minor_per_hour=100_000))) == 2


def test_busy_ones_are_not_ringable() -> None:
    for status in ("offline", "away", "in_meeting", "limited"):
        assert ranked(query(), facts("a", status=status)) == []
    assert ranked(query(), facts("a", can_receive=False)) == []


def test_the_order_does_not_depend_on_the_order_of_reading() -> None:
    crowd = [facts(str(n), biography="pods " * (n % 4)) for n in range(50)]
    edited = [facts(str(n), biography="something else", changed_in=2) for n in range(10)]
    one = ranked(query(), *crowd, *edited, limit=50)
    other = ranked(query(), *reversed([*crowd[10:], *edited]), limit=50)
    assert one == other


def test_an_older_version_never_overwrites_a_newer() -> None:
    new, old = facts("a", status="offline", changed_in=9), facts("a", changed_in=8)
    assert ranked(query(), new, old) == []


@pytest.mark.parametrize("limit", [1, 5, 20])
def test_as_many_as_asked_for_and_no_more(limit: int) -> None:
    assert len(ranked(query(), *(facts(str(n)) for n in range(30)), limit=limit)) == limit


def test_reasons_name_only_what_the_profile_says() -> None:
    asked = query("My pods keep restarting", currency="eur", max_rate_minor_per_hour=10_000)
    poor = facts("a", languages=("fr",), rate_minor_per_hour=20_000)
    assert reasons(asked, "My pods keep restarting", poor, Record()) == []
    rich = facts(
        "b", tags=("k8s", "cats"), biography="I restart pods", rating_sum=48, rating_count=10, response_ms=4_400
    )
    record = Record(similar=12, lately=4)
    assert reasons(asked, "My pods keep restarting", rich, record) == [
        {"code": "tag_match", "params": {"tag": "k8s"}},
        {"code": "answered_similar", "params": {"count": 12}},
        {"code": "text_match", "params": {"word": "pods"}},
        {"code": "text_match", "params": {"word": "restarting"}},
        {"code": "speaks_language", "params": {"language": "en"}},
        {"code": "rating", "params": {"stars": 4.8, "count": 10}},
        {"code": "answered_lately", "params": {"count": 4, "days": 30}},
        {"code": "fast_response", "params": {"seconds": 4}},
        {"code": "price_within", "params": {"max_rate_minor_per_hour": 10_000, "currency": "eur"}},
    ]


def test_the_price_per_minute_is_exact_to_read() -> None:
    assert [per_minute(rate) for rate in (9_000, 10_000, 60, 100)] == ["150", "166.67", "1", "1.67"]
