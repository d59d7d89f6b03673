"""Made-up consultants and questions: an explanation names nothing that is not stored about them."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.questions.ranking import query_of
from matching.ranking import why_not
from matching.ranking.explanation import (
    PUBLIC_INPUTS,
    concerns,
    dearest_of,
    public_inputs,
    reasons,
)
from matching.ranking.filters import Filters, kept_out_by
from matching.ranking.index.consultant_facts import ConsultantFacts, Record
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.memory import LATELY_DAYS
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import built_in
from matching.ranking.ranker import Query
from tests.unit.matching.truth import TRUTHS, Case, true

BUILT_IN = built_in("logistic-3")
WORDS = st.sampled_from(
    ["pods", "restart", "kubernetes", "tax", "steuer", "kündigung", "vertrag", "database", "slow", "query", "garden"]
)
TAGS = st.sampled_from(["kubernetes", "k8s", "tax", "postgresql", "employment law", "dogs", "yoga"])
LANGUAGES = st.sampled_from(["en", "de", "fr", "pl"])
CURRENCIES = st.sampled_from(["eur", "usd", "gbp"])
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


@st.composite
def consultants(draw: st.DrawFn) -> ConsultantFacts:
    count = draw(st.integers(0, 40))
    return ConsultantFacts(
        user_id=UUID(int=draw(st.integers(1, 2**128 - 1))),
        headline=draw(TEXTS),
        biography=draw(TEXTS),
        tags=tuple(draw(st.lists(TAGS, max_size=4))),
        languages=tuple(draw(st.lists(LANGUAGES, max_size=3, unique=True))),
        rate_minor_per_hour=draw(st.integers(100, 30_000)),
        currency=draw(CURRENCIES),
        can_receive=True,
        status=draw(st.sampled_from(["available", "available", "available", "away", "in_meeting", "offline"])),
        rating_sum=sum(draw(st.lists(st.integers(1, 5), min_size=count, max_size=count))),
        rating_count=count,
        response_ms=draw(st.none() | st.integers(0, 20_000)),
        changed_in=1,
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Query, str, Filters]:
    text = draw(TEXTS)
    rate = draw(st.none() | st.integers(100, 30_000))
    currency = draw(CURRENCIES) if rate else None
    filters = Filters(draw(st.none() | LANGUAGES), currency, rate, draw(st.none() | st.integers(1, 5)))
    query = query_of(text, draw(st.lists(TAGS, max_size=3)), draw(LANGUAGES), currency, rate)
    return query, text, filters


RECORDS = st.builds(Record, st.integers(0, 3), st.integers(0, 3), st.floats(0, 1))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    return Case(draw(consultants()), draw(RECORDS), *draw(questions()), draw(st.booleans()))


@given(cases())
@settings(max_examples=400)
def test_every_sentence_is_true_of_what_is_stored(case: Case) -> None:
    facts, record, query, text = case.facts, case.record, case.query, case.text
    said = {
        "reason": reasons(query, text, facts, record),
        "concern": concerns(query, text, facts, record, dearest=case.dearest),
        "obstacle": kept_out_by(case.filters, facts),
    }
    for kind, found in said.items():
        for each in found:
            assert true(case, kind, each), (kind, each)


PRICE = {"rate_minor_per_hour": 9_000, "currency": "eur"}
LIES = (
    ("reason", {"code": "tag_match", "params": {"tag": "tax"}}),
    ("reason", {"code": "text_match", "params": {"word": "slow"}}),
    ("reason", {"code": "answered_similar", "params": {"count": 3}}),
    ("reason", {"code": "meaning_match", "params": {}}),
    ("reason", {"code": "speaks_language", "params": {"language": "de"}}),
    ("reason", {"code": "answered_lately", "params": {"count": 1, "days": LATELY_DAYS}}),
    ("reason", {"code": "fast_response", "params": {"seconds": 16}}),
    ("reason", {"code": "rating", "params": {"stars": 3.0, "count": 10}}),
    ("reason", {"code": "price_within", "params": {"max_rate_minor_per_hour": 8_000, "currency": "eur"}}),
    ("concern", {"code": "nothing_in_common", "params": {}}),
    ("concern", {"code": "other_language", "params": {"language": "en"}}),
    ("concern", {"code": "no_ratings", "params": {}}),
    ("concern", {"code": "low_rating", "params": {"stars": 2.0, "count": 10}}),
    ("concern", {"code": "slow_response", "params": {"seconds": 19}}),
    ("concern", {"code": "dearest", "params": PRICE}),
    ("obstacle", {"code": "other_language", "params": {"language": "en"}}),
    ("obstacle", {"code": "other_currency", "params": {"currency": "eur", "wanted": "usd"}}),
    ("obstacle", {"code": "too_dear", "params": {**PRICE, "max_rate_minor_per_hour": 10_000}}),
    ("obstacle", {"code": "no_ratings", "params": {}}),
    ("obstacle", {"code": "rated_lower", "params": {"stars": 3.0, "count": 10, "min_stars": 3}}),
    ("reason", {"code": "knows_you", "params": {}}),
)


def test_every_rule_is_tried_with_a_lie() -> None:
    assert set(TRUTHS) < {(kind, lie["code"]) for kind, lie in LIES}


@pytest.mark.parametrize(("kind", "lie"), LIES)
def test_what_names_a_fact_of_the_question_alone_is_no_truth(kind: str, lie: dict[str, Any]) -> None:
    """Every one of these names something of the question or of the profile, and is false all the same."""
    said = "slow kubernetes query"
    one = ConsultantFacts(
        UUID(int=1), "kubernetes", "", ("k8s",), ("en",), 9_000, "eur", True, "available", 30, 10, 16_000, 1
    )
    query = query_of(said, ("kubernetes", "tax"), "de", "eur", 8_000)
    case = Case(one, Record(), query, said, Filters("en", "eur", 8_000, 3))
    assert not true(case, kind, lie)


@given(consultants(), RECORDS, questions())
@settings(max_examples=300)
def test_a_strength_and_a_concern_never_contradict_one_another(
    facts: ConsultantFacts, record: Record, question: tuple[Query, str, Filters]
) -> None:
    query, text, _ = question
    good = {each["code"] for each in reasons(query, text, facts, record)}
    bad = {each["code"] for each in concerns(query, text, facts, record)}
    assert ("speaks_language" in good) == (query.language in facts.languages)
    assert ("other_language" in bad) == (query.language not in facts.languages)
    assert ("rating" in good) + ("no_ratings" in bad) + ("low_rating" in bad) == 1
    assert not ("fast_response" in good and "slow_response" in bad)
    assert not ("nothing_in_common" in bad and good & {"tag_match", "text_match", "answered_similar", "meaning_match"})


@given(st.lists(consultants(), min_size=1, max_size=12, unique_by=lambda one: one.user_id), questions())
@settings(max_examples=150, deadline=None)
def test_the_gap_to_the_last_one_shown_is_the_difference_of_the_scores_exactly(
    crowd: list[ConsultantFacts], question: tuple[Query, str, Filters]
) -> None:
    query, _, _ = question
    index = ConsultantIndex()
    for one in crowd:
        index.apply(one)
    ranked = LogisticRanker(lambda: BUILT_IN).rank(query, index.ringable(query), len(crowd))
    for place, shown in enumerate(ranked[1:], 1):
        last = ranked[place - 1]
        found = why_not.behind(shown, last)
        assert sum(gap.difference_centi for gap in found.gaps) == shown.score_centi - last.score_centi <= 0
        assert {gap.factor for gap in found.gaps} == {factor.factor for factor in shown.factors}
        assert [gap.difference_centi for gap in found.gaps] == sorted(gap.difference_centi for gap in found.gaps)


@given(consultants(), questions())
def test_a_block_looks_like_somebody_who_is_not_there(
    facts: ConsultantFacts, question: tuple[Query, str, Filters]
) -> None:
    _, _, filters = question
    nobody = why_not.obstacle(None, filters, apart=False)
    assert why_not.obstacle(facts, filters, apart=True) == nobody == why_not.NOT_AVAILABLE
    if facts.status == "offline":
        assert why_not.obstacle(facts, filters, apart=False) == nobody


@given(consultants(), questions())
def test_a_filter_that_removes_somebody_is_named(facts: ConsultantFacts, question: tuple[Query, str, Filters]) -> None:
    _, _, filters = question
    codes = {each["code"] for each in kept_out_by(filters, facts)}
    wrong_language = filters.language is not None and filters.language not in facts.languages
    assert ("other_language" in codes) == wrong_language
    if filters.min_stars is not None and facts.rating_count:
        assert ("rated_lower" in codes) == (facts.rating_sum / facts.rating_count < filters.min_stars)


def test_only_one_who_asks_more_than_everybody_else_is_the_dearest() -> None:
    def one(n: int, rate: int, currency: str = "eur") -> ConsultantFacts:
        return ConsultantFacts(UUID(int=n), "", "", (), (), rate, currency, True, "available", 0, 0, None, 1)

    assert dearest_of([one(1, 9_000), one(2, 12_000), one(3, 6_000)]) == UUID(int=2)
    assert dearest_of([one(1, 9_000), one(2, 9_000)]) is None
    assert dearest_of([one(1, 9_000)]) is None
    assert dearest_of([one(1, 9_000), one(2, 12_000, "usd")]) is None, "currencies are not compared"


def test_what_a_model_reads_beyond_the_card_is_not_shown_to_customers() -> None:
    inputs = {"bm25": 1.5, "offers_missed": 7, "accept_probability": 0.2, "rating_count": 3}
    assert public_inputs(inputs) == {"bm25": 1.5, "rating_count": 3}
    assert not [name for name in PUBLIC_INPUTS if "miss" in name or "accept" in name or "declin" in name]
