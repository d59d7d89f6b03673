"""The ranker: a fitted linear model and five stated factors, as integers that add up to the score."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.ranking.model import LEARNED_FACTORS, Model
from matching.ranking.ranker import Candidates, Factor, Floats, Ints, Measured, Query, Ranked, Sum, Weighed
from matching.ranking.stated import FULL, price_value, response_value

FACTORS: Final = (
    "expertise",
    "industry",
    "availability",
    "feedback",
    "price",
    "communication_style",
    "language",
    "delivery_history",
)
CENTI: Final = 100
SHORTLIST: Final = 2_000  # of more candidates than this, only the most promising are computed to the last digit
QUICK_SHARE: Final = 40  # percent of availability that answering rings quickly makes; being available is the rest


class LogisticRanker:
    """Contribution of a learned factor: its weighted features, on one scale for all; of a stated one: value x weight.

    Every contribution is a whole number of hundredths of a point between 0 and its weight; the score is their sum.
    """

    def __init__(self, model: Callable[[], Model], *, shortlist: int = SHORTLIST) -> None:
        self._model = model
        self._size = shortlist

    @property
    def version(self) -> str:
        """The version of the model that ranks now."""
        return self._model().version

    def rank(self, query: Query, candidates: Candidates, limit: int) -> list[Ranked]:
        """The best ``limit``; equal scores go to the larger utility, then to the smaller user id."""
        if not len(candidates) or limit <= 0:
            return []
        model = self._model()
        candidates = self._shortlist(model, query, candidates, limit)
        weighed = {factor: _weights(model, factor) for factor in LEARNED_FACTORS}
        parts = {factor: _part(candidates.measured, weighed[factor]) for factor in LEARNED_FACTORS}
        contributions = {**_learned(model, parts), **_stated(model, query, candidates)}
        scores = _sum(contributions)
        utilities = np.sum([parts[factor] for factor in LEARNED_FACTORS], axis=0)
        best = _best(scores, utilities, candidates.order, limit)
        chosen = candidates.at(best).known()  # what was not weighed, too: it is kept with the match
        rules = _rules(model, weighed)
        return [
            _explained(chosen, place, contributions, n, rules, model.calibration.p_success(float(utilities[n]), 0.0))
            for place, n in enumerate(map(int, best))
        ]

    def _shortlist(self, model: Model, query: Query, candidates: Candidates, limit: int) -> Candidates:
        """The best by the same scores with features not yet rounded; of equal ones the smaller user ids."""
        size = max(self._size, limit)
        if len(candidates) <= size:
            return candidates
        parts = {factor: candidates.measured.total(_weights(model, factor)) for factor in LEARNED_FACTORS}
        scores = _sum({**_learned(model, parts), **_stated(model, query, candidates)})
        return candidates.at(_foremost(scores, candidates.order, size))


def _weights(model: Model, factor: str) -> dict[str, float]:
    weighed = zip(model.features, model.weights, strict=True)
    return {feature.name: weight for feature, weight in weighed if weight and feature.factor == factor}


def _sum(contributions: dict[str, Ints]) -> Ints:
    found: Ints = np.sum([contributions[factor] for factor in FACTORS], axis=0)
    return found


def _part(measured: Measured, weights: dict[str, float]) -> Floats:
    """One factor's share of the utility. Column by column, so that no candidate's sum depends on who else is there."""
    features = measured.matrix(tuple(weights)).astype(np.float64)
    found = np.zeros(len(features))
    for n, weight in enumerate(weights.values()):
        found += features[:, n] * weight
    return found


def _learned(model: Model, parts: dict[str, Floats]) -> dict[str, Ints]:
    shares, scale = model.shares(), _scale(model)
    return {
        factor: np.clip(np.rint((part - model.span(factor).low) * scale).astype(np.int64), 0, shares[factor] * CENTI)
        for factor, part in parts.items()
    }


def _scale(model: Model) -> float:
    """Hundredths of a point for one of the utility."""
    span = sum(model.span(factor).high - model.span(factor).low for factor in LEARNED_FACTORS)
    return sum(model.shares().values()) * CENTI / span


def _stated(model: Model, query: Query, candidates: Candidates) -> dict[str, Ints]:
    ready = candidates.available.astype(np.int64) * FULL
    values = {
        "industry": candidates.industry,
        "availability": ((FULL - QUICK_SHARE) * ready + QUICK_SHARE * response_value(candidates)) // FULL,
        "price": price_value(query, candidates),
        "communication_style": candidates.style,
        "language": candidates.speaks.astype(np.int64) * FULL,
    }
    return {factor: values[factor] * weight for factor, weight in model.stated.items()}


def _best(scores: Ints, utilities: Floats, order: NDArray[np.uint64], limit: int) -> Ints:
    """Positions of the best, without sorting everybody: only those at or above the last place's score are sorted."""
    pool: Ints = np.arange(len(scores))
    if limit < len(scores):
        last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        pool = np.flatnonzero(scores >= last)
    return pool[np.lexsort((order[pool], -utilities[pool], -scores[pool]))][:limit]


def _foremost(scores: Ints, order: NDArray[np.uint64], size: int) -> Ints:
    """Positions of the best, in their own order; of the equal ones at the end the smaller user ids."""
    last = np.partition(scores, len(scores) - size)[len(scores) - size]
    above, at_last = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    ties = at_last[np.argsort(order[at_last], kind="stable")[: size - len(above)]]
    return np.sort(np.concatenate((above, ties)))


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a factor's points come about, for everybody the same; a stated one weighs no features."""

    weight: int
    features: Mapping[str, float] | None
    low: float
    scale: float

    def sum(self, features: Mapping[str, float]) -> Sum | None:
        """The sum of somebody with these features."""
        if self.features is None:
            return None
        weighed = tuple(Weighed(name, features[name], weight) for name, weight in self.features.items())
        return Sum(weighed, self.low, self.scale)


def _rules(model: Model, weighed: Mapping[str, Mapping[str, float]]) -> dict[str, _Rule]:
    scale = _scale(model)
    return {
        factor: _Rule(weight, weighed.get(factor), model.span(factor).low, scale)
        for factor, weight in {**model.shares(), **model.stated}.items()
    }


def _explained(
    chosen: Candidates,
    place: int,
    contributions: dict[str, Ints],
    n: int,
    rules: Mapping[str, _Rule],
    p_success: float,
) -> Ranked:
    inputs = chosen.inputs(place)
    factors = tuple(
        Factor(
            factor=factor,
            value=(2 * int(contributions[factor][n]) + rules[factor].weight) // (2 * rules[factor].weight),
            weight=rules[factor].weight,
            contribution_centi=int(contributions[factor][n]),
            sum=rules[factor].sum(inputs["features"]),
        )
        for factor in FACTORS
    )
    return Ranked(
        user_id=chosen.user_ids[place],
        score_centi=sum(factor.contribution_centi for factor in factors),
        factors=factors,
        inputs=inputs,
        p_success=p_success,
    )
