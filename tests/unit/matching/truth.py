"""When a sentence of an explanation is true: for each code a rule of its own over what is stored, and nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from matching.language.words import terms, words
from matching.ranking.explanation import FAST_MS, LOW_STARS, MEANT, SLOW_MS
from matching.ranking.filters import Filters
from matching.ranking.index.consultant_facts import ConsultantFacts, Record
from matching.ranking.index.memory import LATELY_DAYS
from matching.ranking.ranker import Query

SAME_TAG: Final = {"k8s": "kubernetes"}
Params = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A consultant, what their past says, and a question: everything an explanation may speak of."""

    facts: ConsultantFacts
    record: Record
    query: Query
    text: str
    filters: Filters
    dearest: bool = False

    @property
    def shared_tags(self) -> set[str]:
        """Tags of the profile that the question has too."""
        asked = {SAME_TAG.get(tag, tag) for tag in self.query.tags}
        return {tag for tag in self.facts.tags if SAME_TAG.get(tag, tag) in asked}

    @property
    def shared_words(self) -> set[str]:
        """Words of the question whose stem the profile has."""
        said = set(terms(self.facts.text))
        return {word for word in words(self.text) if said.intersection(terms(word))}

    def stars_are(self, said: Params) -> bool:
        """Whether the stored ratings have this mean, rounded to a tenth."""
        total, count = self.facts.rating_sum, self.facts.rating_count
        return 0 < said["count"] == count and abs(total / count - said["stars"]) <= 0.05 + 1e-9

    def answers_in(self, said: Params) -> bool:
        """Whether the stored answer time is this many seconds, rounded, and at least one."""
        took, told = self.facts.response_ms, said["seconds"]
        return took is not None and (abs(took / 1_000 - told) <= 0.5 or (told == 1 and took < 500))

    def costs(self, said: Params) -> bool:
        """Whether this is the consultant's own price."""
        return (self.facts.rate_minor_per_hour, self.facts.currency) == (said["rate_minor_per_hour"], said["currency"])

    def within(self, most: int | None) -> bool:
        """Whether the price is no more than this."""
        return most is not None and (self.facts.rate_minor_per_hour or 0) <= most


def _budget_is(case: Case, said: Params) -> bool:
    budget = (case.query.max_rate_minor_per_hour, case.query.currency)
    return (said["max_rate_minor_per_hour"], said["currency"]) == budget


def _nothing_in_common(case: Case, _: Params) -> bool:
    silent = not case.record.similar and case.record.meaning < MEANT
    return silent and not case.shared_tags and not case.shared_words


def _too_dear(case: Case, said: Params) -> bool:
    most = said["max_rate_minor_per_hour"]
    same = case.facts.currency == case.filters.currency and most == case.filters.max_rate_minor_per_hour
    return same and case.costs(said) and not case.within(most)


def _rated_lower(case: Case, said: Params) -> bool:
    return case.stars_are(said) and case.facts.rating_sum < said["min_stars"] * case.facts.rating_count


TRUTHS: Final[Mapping[tuple[str, str], Callable[[Case, Params], bool]]] = {
    ("reason", "tag_match"): lambda case, said: said["tag"] in case.shared_tags,
    ("reason", "text_match"): lambda case, said: said["word"] in case.shared_words,
    ("reason", "answered_similar"): lambda case, said: 0 < said["count"] == case.record.similar,
    ("reason", "meaning_match"): lambda case, _: case.record.meaning >= MEANT,
    ("reason", "speaks_language"): lambda case, said: (
        said["language"] == case.query.language and said["language"] in case.facts.languages
    ),
    ("reason", "answered_lately"): lambda case, said: (
        0 < said["count"] == case.record.lately and said["days"] == LATELY_DAYS
    ),
    ("reason", "fast_response"): lambda case, said: case.answers_in(said) and (case.facts.response_ms or 0) <= FAST_MS,
    ("reason", "rating"): lambda case, said: case.stars_are(said) and said["stars"] >= LOW_STARS,
    ("reason", "price_within"): lambda case, said: (
        _budget_is(case, said)
        and case.within(case.query.max_rate_minor_per_hour)
        and said["currency"] == case.facts.currency
    ),
    ("concern", "nothing_in_common"): _nothing_in_common,
    ("concern", "other_language"): lambda case, said: (
        said["language"] == case.query.language and said["language"] not in case.facts.languages
    ),
    ("concern", "no_ratings"): lambda case, _: not case.facts.rating_count,
    ("concern", "low_rating"): lambda case, said: case.stars_are(said) and said["stars"] < LOW_STARS,
    ("concern", "slow_response"): lambda case, said: case.answers_in(said) and (case.facts.response_ms or 0) >= SLOW_MS,
    ("concern", "dearest"): lambda case, said: case.dearest and case.costs(said),
    ("obstacle", "other_language"): lambda case, said: (
        said["language"] == case.filters.language and said["language"] not in case.facts.languages
    ),
    ("obstacle", "other_currency"): lambda case, said: (
        (said["currency"], said["wanted"]) == (case.facts.currency, case.filters.currency)
        and said["currency"] != said["wanted"]
    ),
    ("obstacle", "too_dear"): _too_dear,
    ("obstacle", "no_ratings"): lambda case, _: not case.facts.rating_count,
    ("obstacle", "rated_lower"): _rated_lower,
}


def true(case: Case, kind: str, said: Mapping[str, Any]) -> bool:
    """Whether this sentence (code and params) holds; one that nobody wrote a rule for never does."""
    rule = TRUTHS.get((kind, said["code"]))
    return rule is not None and rule(case, said["params"])
