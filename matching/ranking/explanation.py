"""Why this match: machine codes with parameters that name only what is stored about the consultant (no I/O)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from matching.language.words import is_stop_word, terms, words
from matching.ranking.feature_names import ACTIVITY_HALF_LIVES
from matching.ranking.index.consultant_facts import ConsultantFacts, Record
from matching.ranking.index.consultant_index import one_tag_keys, tag_keys
from matching.ranking.index.memory import LATELY_DAYS
from matching.ranking.ranker import Query

Reason = Mapping[str, Any]

FAST_MS = 10_000
SLOW_MS = 15_000  # of the 20 s that a ring lasts
LOW_STARS = 3.5
MOST_TAGS = 3
MOST_WORDS = 3
MEANT = 0.35  # cosine from which a profile is told to be about what is asked
# What a customer may read of the ranker's inputs: the question's own, and what stands on the consultant's card. What a
# learned factor weighs is told with the factor; whatever else is known (rings missed, say) is the consultant's own
# business, and when and how much they work is told as one figure.
PUBLIC_INPUTS = (
    "tag_hits",
    "bm25",
    "best_bm25",
    "available",
    "speaks",
    "rating_points",
    "rating_count",
    "response_ms",
    "rate_minor_per_hour",
    "same_currency",
)
PRIVATE_FEATURES = frozenset(
    {"success", "hours", "weekdays", "beyond_expected", *(f"active_{life}" for life in ACTIVITY_HALF_LIVES)}
)


def reasons(query: Query, question_text: str, facts: ConsultantFacts, record: Record) -> list[dict[str, Any]]:
    """What speaks for this consultant, strongest first; the client turns each code into a sentence."""
    tags = _shared_tags(query, facts)
    found = [reason("tag_match", tag=tag) for tag in tags]
    if record.similar:
        found.append(reason("answered_similar", count=record.similar))
    said = {word for tag in tags for word in terms(tag)}
    shared = [word for word in _shared_words(question_text, facts) if not said.intersection(terms(word))]
    found += [reason("text_match", word=word) for word in shared[:MOST_WORDS]]
    if record.meaning >= MEANT:
        found.append(reason("meaning_match"))
    if query.language in facts.languages:
        found.append(reason("speaks_language", language=query.language))
    stars = mean_stars(facts.rating_sum, facts.rating_count)
    if stars is not None and stars >= LOW_STARS:
        found.append(reason("rating", stars=stars, count=facts.rating_count))
    if record.lately:
        found.append(reason("answered_lately", count=record.lately, days=LATELY_DAYS))
    if facts.response_ms is not None and facts.response_ms <= FAST_MS:
        found.append(reason("fast_response", seconds=seconds(facts.response_ms)))
    budget = query.max_rate_minor_per_hour
    rate = facts.rate_minor_per_hour
    if budget is not None and rate is not None and facts.currency == query.currency and rate <= budget:
        found.append(reason("price_within", max_rate_minor_per_hour=budget, currency=facts.currency))
    return found


def concerns(
    query: Query, question_text: str, facts: ConsultantFacts, record: Record, *, dearest: bool = False
) -> list[dict[str, Any]]:
    """What speaks against them. ``dearest`` says that nobody else in the list asks as much."""
    found = []
    told = _shared_tags(query, facts) or _shared_words(question_text, facts)
    if not told and not record.similar and record.meaning < MEANT:
        found.append(reason("nothing_in_common"))
    if query.language not in facts.languages:
        found.append(reason("other_language", language=query.language))
    stars = mean_stars(facts.rating_sum, facts.rating_count)
    if stars is None:
        found.append(reason("no_ratings"))
    elif stars < LOW_STARS:
        found.append(reason("low_rating", stars=stars, count=facts.rating_count))
    if facts.response_ms is not None and facts.response_ms >= SLOW_MS:
        found.append(reason("slow_response", seconds=seconds(facts.response_ms)))
    if dearest:
        rate = {"rate_minor_per_hour": facts.rate_minor_per_hour, "currency": facts.currency}
        found.append(reason("dearest", **rate))
    return found


def dearest_of(consultants: Iterable[ConsultantFacts]) -> UUID | None:
    """Who of these asks more than every other in the same currency; None when nobody stands out."""
    rates = [(one.rate_minor_per_hour or 0, one.currency, one.user_id) for one in consultants]
    if len(rates) < 2 or len({currency for _, currency, _ in rates}) > 1:  # noqa: PLR2004 - a comparison needs two
        return None
    dearest, second = sorted(rates, key=lambda each: each[0], reverse=True)[:2]
    return dearest[2] if dearest[0] > second[0] else None


def public_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The figures a score was computed from, as far as they are anybody's to read."""
    return {name: inputs[name] for name in PUBLIC_INPUTS if name in inputs}


def reason(code: str, **params: Any) -> dict[str, Any]:
    """A code with its parameters, as it is stored and sent."""
    return {"code": code, "params": params}


def mean_stars(total: int, count: int) -> float | None:
    """The plain mean to one decimal, as people expect to read it; None before the first rating."""
    return None if not count else (20 * total + count) // (2 * count) / 10


def seconds(response_ms: int) -> int:
    """Milliseconds as the whole seconds that a card shows: at least one."""
    return max(1, (response_ms + 500) // 1_000)


def _shared_tags(query: Query, facts: ConsultantFacts) -> list[str]:
    wanted = tag_keys(query.tags)
    return [tag for tag in facts.tags if wanted.intersection(one_tag_keys(tag))][:MOST_TAGS]


def _shared_words(question_text: str, facts: ConsultantFacts) -> list[str]:
    """Words of the question that the profile uses too, in the question's order, each once."""
    profile = _said_in(facts.text)
    return [word for word, meant in _asked(question_text) if not profile.isdisjoint(meant)]


@lru_cache(maxsize=64)  # the five or twenty of one list, each of whom is asked about twice
def _said_in(text: str) -> frozenset[str]:
    return frozenset(terms(text))


@lru_cache(maxsize=16)
def _asked(question_text: str) -> tuple[tuple[str, frozenset[str]], ...]:
    """The question's telling words, each once, with what it is compared by."""
    asked = dict.fromkeys(word for word in words(question_text) if not is_stop_word(word) and not word.isdigit())
    return tuple((word, frozenset(terms(word))) for word in asked)
