"""What a customer narrows a list of matches down to: a language, a highest rate, a least rating (no I/O)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Protocol
from uuid import UUID

import numpy as np

from matching.ranking.explanation import mean_stars, reason
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.ranker import Candidates, Flags, Query


@dataclass(frozen=True, slots=True)
class Filters:
    """None lets everybody pass. ``min_stars`` asks for a mean of at least so many stars, hence for a rating."""

    language: str | None = None
    currency: str | None = None
    max_rate_minor_per_hour: int | None = None
    min_stars: int | None = None


NO_FILTERS = Filters()


class Select(Protocol):
    """A way to choose candidates: ``ConsultantIndex.ringable`` or ``busy``."""

    def __call__(self, query: Query, *, exclude: AbstractSet[UUID] = ...) -> Candidates:
        """The candidates of this query, in an order that the query's words do not change."""
        ...


def fitting(select: Select, query: Query, exclude: AbstractSet[UUID], filters: Filters) -> Candidates:
    """The candidates that pass every filter, each measured against all the others still."""
    found = select(query, exclude=exclude)
    if filters == NO_FILTERS:
        return found
    mask: Flags = np.ones(len(found), dtype=bool)
    if filters.max_rate_minor_per_hour is not None:
        mask &= found.same_currency & (found.rate_minor_per_hour <= filters.max_rate_minor_per_hour)
    if filters.min_stars is not None:  # points count from 0: stars - 1 for each rating
        mask &= (found.rating_count > 0) & (found.rating_points >= (filters.min_stars - 1) * found.rating_count)
    if filters.language is not None:
        speakers = select(replace(query, terms=(), tags=(), language=filters.language), exclude=exclude)
        mask &= speakers.speaks
    return found.at(np.flatnonzero(mask))


def kept_out_by(filters: Filters, facts: ConsultantFacts) -> list[dict[str, Any]]:
    """Which filters this consultant does not pass, with what is stored about them and what was asked for."""
    found = []
    if filters.language is not None and filters.language not in facts.languages:
        found.append(reason("other_language", language=filters.language))
    if filters.max_rate_minor_per_hour is not None:
        found += _price(filters, facts)
    if filters.min_stars is not None:
        found += _stars(filters.min_stars, facts)
    return found


def _price(filters: Filters, facts: ConsultantFacts) -> list[dict[str, Any]]:
    rate, most = facts.rate_minor_per_hour or 0, filters.max_rate_minor_per_hour or 0
    if facts.currency != filters.currency:
        return [reason("other_currency", currency=facts.currency, wanted=filters.currency)]
    if rate > most:
        said = {"rate_minor_per_hour": rate, "max_rate_minor_per_hour": most, "currency": facts.currency}
        return [reason("too_dear", **said)]
    return []


def _stars(least: int, facts: ConsultantFacts) -> list[dict[str, Any]]:
    if not facts.rating_count:
        return [reason("no_ratings")]
    if facts.rating_sum < least * facts.rating_count:
        stars = mean_stars(facts.rating_sum, facts.rating_count)
        return [reason("rated_lower", stars=stars, count=facts.rating_count, min_stars=least)]
    return []
