"""Keyword extraction keeps its promise on the golden questions."""

from matching.language.keywords import Vocabulary
from matching.language.words import terms
from tests.unit.matching.golden_questions import GOLDEN, MARKET


def test_the_golden_questions_get_at_least_80_percent_of_their_tags_and_little_else() -> None:
    vocabulary = Vocabulary(MARKET)
    expected = found = right = 0
    for text, wanted in GOLDEN:
        tags = set(vocabulary.extract(text).tags)
        expected, found, right = expected + len(wanted), found + len(tags), right + len(tags & wanted)
    assert len(GOLDEN) == 50
    assert right / expected >= 0.8, "recall"
    assert right / found >= 0.8, "precision"


def test_a_tag_only_a_consultant_carries_is_found() -> None:
    assert Vocabulary(["Bicycle Repair"]).extract("who does bicycle repairs?").tags == ("bicycle repair",)
    assert Vocabulary().extract("who does bicycle repairs?").tags == ()


def test_the_longest_phrase_wins() -> None:
    tags = Vocabulary(["job", "job interview"]).extract("job interview tomorrow").tags
    assert "job" not in tags
    assert "job interview" in tags


def test_stop_words_are_never_keywords() -> None:
    assert Vocabulary().extract("How do I use the und oder aber Zugspitze?").keywords == ("zugspitze",)


def test_inflections_meet_in_both_languages() -> None:
    assert set(terms("contracts")) & set(terms("contract"))
    assert set(terms("Verträge")) & set(terms("Vertrag")) or set(terms("Verträgen")) & set(terms("Verträge"))


def test_suggestions_begin_with_what_was_typed() -> None:
    assert Vocabulary().suggest("kub") == ["kubernetes"]
    assert "employment law" in Vocabulary().suggest("law")
