"""Why this match: machine codes with parameters that name only what is stored about the consultant (no I/O)."""

from collections.abc import Mapping
from typing import Any

from matching.index import ConsultantFacts, one_tag_keys, tag_keys
from matching.ranker import Query
from matching.words import is_stop_word, terms, words

Reason = Mapping[str, Any]

FAST_MS = 10_000
MOST_TAGS = 3
MOST_WORDS = 3


def reasons(query: Query, question_text: str, facts: ConsultantFacts) -> list[dict[str, Any]]:
    """What speaks for this consultant, strongest first; the client turns each code into a sentence."""
    wanted = tag_keys(query.tags)
    tags = [tag for tag in facts.tags if wanted.intersection(one_tag_keys(tag))][:MOST_TAGS]
    found = [_reason("tag_match", tag=tag) for tag in tags]
    said = {word for tag in tags for word in terms(tag)}
    shared = [word for word in _shared_words(question_text, facts) if not said.intersection(terms(word))]
    found += [_reason("text_match", word=word) for word in shared[:MOST_WORDS]]
    if query.language in facts.languages:
        found.append(_reason("speaks_language", language=query.language))
    found.append(_rating(facts))
    if facts.response_ms is not None and facts.response_ms <= FAST_MS:
        found.append(_reason("fast_response", seconds=(facts.response_ms + 500) // 1_000))
    budget = query.max_rate_minor_per_hour
    rate = facts.rate_minor_per_hour
    if budget is not None and rate is not None and facts.currency == query.currency and rate <= budget:
        found.append(_reason("price_within", max_rate_minor_per_hour=budget, currency=facts.currency))
    return found


def _reason(code: str, **params: Any) -> dict[str, Any]:
    return {"code": code, "params": params}


def _rating(facts: ConsultantFacts) -> dict[str, Any]:
    if not facts.rating_count:
        return _reason("new_consultant")
    return _reason("rating", stars=mean_stars(facts.rating_sum, facts.rating_count), count=facts.rating_count)


def mean_stars(total: int, count: int) -> float | None:
    """The plain mean to one decimal, as people expect to read it; None before the first rating."""
    return None if not count else (20 * total + count) // (2 * count) / 10


def _shared_words(question_text: str, facts: ConsultantFacts) -> list[str]:
    """Words of the question that the profile uses too, in the question's order, each once."""
    profile = set(terms(facts.text))
    asked = dict.fromkeys(word for word in words(question_text) if not is_stop_word(word) and not word.isdigit())
    return [word for word in asked if profile.intersection(terms(word))]
