"""The first ranker: seven factors of 0 to 100 with stated weights, kept so that its stored matches can be replayed."""

from typing import Final

import numpy as np

from matching.ranking.ranker import Candidates, Factor, Flags, Ints, Query, Ranked
from matching.ranking.stated import FULL, price_value, response_value

VERSION: Final = "weighted-1"
# Percent; they sum to 100, so a score runs from 0.00 to 100.00. A change of any number here is a new VERSION.
WEIGHTS: Final = {
    "tags": 22,
    "text": 30,
    "availability": 12,
    "rating": 14,
    "response": 6,
    "language": 12,
    "price": 4,
}

ENOUGH_TAGS = 3  # three shared tags are a full match, however many the question carries
PRIOR_RATINGS = 10  # a newcomer starts as if rated ten times …
PRIOR_QUARTERS = 3  # … at three quarters of the scale, that is 4 stars


class WeightedRanker:
    """Values are integers 0 to 100; contribution in hundredths of a point = value x weight."""

    version = VERSION

    def rank(self, query: Query, candidates: Candidates, limit: int) -> list[Ranked]:
        """The best ``limit``; equal scores go to the better text match, then to the smaller user id."""
        if not len(candidates) or limit <= 0:
            return []
        values = factor_values(query, candidates)
        scores = np.zeros(len(candidates), dtype=np.int64)
        for factor, weight in WEIGHTS.items():
            scores += values[factor] * weight
        return [self._explain(candidates, values, int(n)) for n in _best(scores, candidates, limit)]

    def _explain(self, candidates: Candidates, values: dict[str, Ints], n: int) -> Ranked:
        factors = tuple(
            Factor(factor, int(values[factor][n]), weight, int(values[factor][n]) * weight)
            for factor, weight in WEIGHTS.items()
        )
        return Ranked(
            user_id=candidates.user_ids[n],
            score_centi=sum(factor.contribution_centi for factor in factors),
            factors=factors,
            inputs=candidates.inputs(n),
            p_success=sum(factor.contribution_centi for factor in factors) / 10_000,
        )


def _best(scores: Ints, candidates: Candidates, limit: int) -> Ints:
    """Positions of the best, without sorting everybody: only those at or above the last place's score are sorted."""
    pool: Ints = np.arange(len(scores))
    if limit < len(scores):
        last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        pool = np.flatnonzero(scores >= last)
    order = np.lexsort((candidates.order[pool], -candidates.bm25[pool], -scores[pool]))
    return pool[order][:limit]


def factor_values(query: Query, candidates: Candidates) -> dict[str, Ints]:
    """Every factor's value, 0 to 100, for every candidate."""
    return {
        "tags": _tags(query, candidates),
        "text": _text(candidates),
        "availability": _percent(candidates.available),
        "rating": _rating(candidates),
        "response": response_value(candidates),
        "language": _percent(candidates.speaks),
        "price": price_value(query, candidates),
    }


def _percent(flags: Flags) -> Ints:
    return flags.astype(np.int64) * FULL


def _tags(query: Query, candidates: Candidates) -> Ints:
    if not query.tags:
        return np.zeros(len(candidates), dtype=np.int64)
    return np.minimum(FULL, FULL * candidates.tag_hits // min(len(query.tags), ENOUGH_TAGS))


def _text(candidates: Candidates) -> Ints:
    """BM25 as a share of the best candidate's: its absolute size means nothing across questions."""
    best = candidates.best_bm25
    if best <= 0:
        return np.zeros(len(candidates), dtype=np.int64)
    return np.rint(FULL * candidates.bm25 / best).astype(np.int64)


def _rating(candidates: Candidates) -> Ints:
    """Mean of the Beta posterior, half up: one 5-star rating does not beat fifty of 4.8."""
    quarters = candidates.rating_points + PRIOR_RATINGS * PRIOR_QUARTERS
    whole = 4 * (candidates.rating_count + PRIOR_RATINGS)
    value: Ints = (2 * FULL * quarters + whole) // (2 * whole)
    return value
