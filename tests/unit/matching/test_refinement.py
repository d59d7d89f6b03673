"""The question back is the one whose answer parts the candidates best."""

from hypothesis import given
from hypothesis import strategies as st

from matching.language.vocabulary import SYNONYMS
from matching.ranking.index.consultant_index import one_tag_keys
from matching.ranking.refinement import FACETS, MOST_CHOICES, TOPIC, refining

TAGS = st.sampled_from(sorted({*SYNONYMS, "yoga", "stamps", "sailing"}))


def test_databases_are_asked_for_when_they_part_the_candidates() -> None:
    crowd = [("postgresql", "python"), ("mongodb", "python"), ("postgresql",), ("redis",)]
    found = refining((), crowd)
    assert found is not None
    assert found.facet == "database"
    assert found.tags[0] == "postgresql"


def test_what_the_question_says_already_is_not_asked() -> None:
    crowd = [("postgresql", "python"), ("mongodb", "python"), ("postgresql", "java"), ("redis", "java")]
    found = refining(("postgresql",), crowd)
    assert found is not None
    assert found.facet == "programming"


def test_a_synonym_counts_as_the_tag() -> None:
    assert refining(("postgres",), [("postgresql",), ("mongodb",)]) != refining((), [("postgresql",), ("mongodb",)])


def test_nothing_is_asked_when_everybody_is_alike_or_nobody_is_there() -> None:
    assert refining((), []) is None
    assert refining((), [("postgresql",)] * 5) is None
    assert refining((), [(), ()]) is None


def test_tags_of_no_kind_are_asked_for_as_topics() -> None:
    found = refining((), [("yoga",), ("yoga", "sailing"), ("stamps",), ("stamps", "sailing")])
    assert found is not None
    assert found.facet == TOPIC


@given(st.lists(TAGS, max_size=3), st.lists(st.lists(TAGS, max_size=5), max_size=30))
def test_every_choice_is_carried_by_somebody_and_not_said_yet(asked: list[str], crowd: list[list[str]]) -> None:
    found = refining(asked, crowd)
    if found is None:
        return
    carried = {key for tags in crowd for tag in tags for key in one_tag_keys(tag)}
    assert 2 <= len(found.tags) <= MOST_CHOICES
    assert not set(found.tags) & set(asked)
    assert set(found.tags) <= carried
    assert found.facet == TOPIC or set(found.tags) <= set(FACETS[found.facet])
