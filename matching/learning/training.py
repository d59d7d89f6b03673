"""Fit and measure: from questions with known outcomes to a model, and how good a model is (no I/O, no chance)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np

from core.errors import Invalid
from matching.ranking.model import LEARNED_FACTORS, Calibration, Feature, Model, Span
from matching.ranking.ranker import Flags, Floats, Ints

RIDGE: Final = 2.0  # in standard deviations of a feature; chosen by cross-validation over time inside the train split
STEPS: Final = 60
ENOUGH: Final = 1e-7
SHORTEST: Final = 1e-8  # a step below this changes nothing any more
SPAN: Final = 0.9998  # a factor's 100 is this quantile of all candidates seen in training, its 0 what as many exceed
BINS: Final = 10
TOP: Final = 10


@dataclass(frozen=True, slots=True)
class Sample:
    """One question: a row of features for every candidate, and how well each answered (0 not at all … 3 best)."""

    features: Floats  # [candidates, features]
    grades: Ints  # [candidates]
    at: datetime


@dataclass(frozen=True, slots=True)
class Metrics:
    """Means over the questions that somebody answered well; the calibration error over all candidates of all."""

    questions: int
    mrr10: float
    ndcg10: float
    recall10: float
    hit3: float
    calibration_error: float  # expected calibration error of P(success), ten bins of equal size, weighted by size
    calibration_error_top3: float  # the same over the first three of each question, where it matters

    def to_dict(self) -> dict[str, Any]:
        """Plain values, rounded to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def fit(
    samples: Sequence[Sample],
    *,
    version: str,
    features: Sequence[Feature],
    ridge: float = RIDGE,
    origin: Mapping[str, Any] | None = None,
    weights: Sequence[float] | None = None,
) -> Model:
    """The model that makes the good answers of ``samples`` most probable.

    Loss: cross-entropy between a softmax over each question's candidates and the share of 2^grade - 1 each earned
    (ListNet, Cao et al. 2007), ``weights`` a question, plus a ridge. Convex, so the answer is one; every weight is at
    least its feature's floor. Raises Invalid when no sample tells candidates apart.
    """
    told = [n for n, sample in enumerate(samples) if len(sample.grades) > 1 and sample.grades.any()]
    if not told:
        raise Invalid("There is nothing to learn from: no question with several candidates and a good answer.")
    known = _Stacked([samples[n] for n in told], None if weights is None else [weights[n] for n in told])
    scale = known.features.std(axis=0)
    scale[scale == 0] = np.inf  # a feature that never varies keeps its floor
    floors = np.array([feature.floor for feature in features])
    finite = np.where(np.isinf(scale), 1.0, scale)
    start = np.where(np.isinf(scale), 0.0, floors * finite)
    solved = _minimise(known, known.features / scale, start, ridge)
    found = np.where(np.isinf(scale), floors, np.maximum(solved / finite, floors))
    return Model(
        version=version,
        features=tuple(features),
        weights=tuple(float(weight) for weight in found),
        spans=_spans(features, known.features, found),
        calibration=_calibrate(known, known.features @ found),
        origin={"questions": len(told), "ridge": ridge, **(origin or {})},
    )


class _Stacked:
    """All candidates of all questions under one another."""

    def __init__(self, samples: Sequence[Sample], weights: Sequence[float] | None = None) -> None:
        sizes = np.array([len(sample.grades) for sample in samples])
        self.features: Floats = np.concatenate([sample.features for sample in samples]).astype(np.float64)
        self.grades: Ints = np.concatenate([sample.grades for sample in samples])
        self.starts: Ints = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.question: Ints = np.repeat(np.arange(len(samples)), sizes)
        self.weight: Floats = np.ones(len(samples)) if weights is None else np.asarray(weights, dtype=np.float64)
        gains: Floats = np.exp2(self.grades) - 1.0
        totals = np.add.reduceat(gains, self.starts)
        self.target: Floats = gains / totals[self.question]

    def crowd(self, utilities: Floats) -> Floats:
        """Log-sum-exp over each candidate's question, a value per question."""
        highest = np.maximum.reduceat(utilities, self.starts)
        summed = np.add.reduceat(np.exp(utilities - highest[self.question]), self.starts)
        answer: Floats = highest + np.log(summed)
        return answer


def _minimise(known: _Stacked, columns: Floats, floors: Floats, ridge: float) -> Floats:
    """Newton's method projected onto the floors (Bertsekas 1982): few steps, the same answer everywhere."""
    at = floors.copy()
    loss, gradient, hessian = _loss(known, columns, at, ridge)
    for _ in range(STEPS):
        free = ~((at <= floors) & (gradient > 0))
        if not free.any() or np.abs(gradient[free]).max() < ENOUGH * max(1.0, float(known.weight.sum())):
            break
        step = np.zeros_like(at)
        step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        length = 1.0
        while True:
            there = np.maximum(at - length * step, floors)
            tried = _loss(known, columns, there, ridge)
            if tried[0] < loss or length < SHORTEST:
                break
            length /= 2
        if length < SHORTEST:
            break
        at, (loss, gradient, hessian) = there, tried
    return at


def _loss(known: _Stacked, columns: Floats, at: Floats, ridge: float) -> tuple[float, Floats, Floats]:
    """Value, gradient and Hessian of the loss."""
    utilities = columns @ at
    log_shares = utilities - known.crowd(utilities)[known.question]
    shares = np.exp(log_shares)
    weight = known.weight[known.question]
    value = float(-(weight * known.target * log_shares).sum() + ridge * at @ at / 2)
    gradient: Floats = columns.T @ (weight * (shares - known.target)) + ridge * at
    weighted = columns * (weight * shares)[:, None]
    means = np.add.reduceat(columns * shares[:, None], known.starts, axis=0)
    hessian: Floats = columns.T @ weighted - means.T @ (means * known.weight[:, None]) + ridge * np.eye(len(at))
    return value, gradient, hessian


def _spans(features: Sequence[Feature], columns: Floats, weights: Floats) -> dict[str, Span]:
    """From nearly the least to nearly the most that candidates seen in training made of each factor.

    What everybody has tells nobody apart, and would take points from the factors that do. Features with a floor run
    from 0 to 1; a factor has room for all of them, whether training showed that or not.
    """
    spans = {}
    for factor in dict.fromkeys((*LEARNED_FACTORS, *(feature.factor for feature in features))):
        own = np.array([feature.factor == factor for feature in features])
        floors = np.array([feature.floor for feature in features])
        part = columns @ np.where(own, weights, 0.0)
        low = float(np.quantile(columns @ np.where(own & (floors == 0), weights, 0.0), 1 - SPAN))
        spans[factor] = Span(low, max(float(np.quantile(part, SPAN)), low + float(floors[own].sum()), low + 1e-6))
    return spans


def _calibrate(known: _Stacked, utilities: Floats) -> Calibration:
    """Platt's scaling (1999). Without a term for the crowd: a chance must not change when others come or go."""
    columns = np.stack([utilities, np.ones_like(utilities)], axis=1)
    good = (known.grades > 0).astype(np.float64)
    at = np.array([1.0, -float(utilities.mean())])
    for _ in range(STEPS):
        told = 1 / (1 + np.exp(-np.clip(columns @ at, -30, 30)))
        gradient = columns.T @ (told - good) + 1e-3 * at
        hessian = (columns * (told * (1 - told))[:, None]).T @ columns + 1e-3 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        at = at - step * min(1.0, 2 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < ENOUGH:
            break
    return Calibration(slope=float(at[0]), crowd=0.0, intercept=float(at[1]))


def chances(model: Model, utilities: Floats) -> Floats:
    """P(success) of every candidate of one question."""
    if not len(utilities):
        return np.zeros(0)
    highest = utilities.max()
    crowd = float(highest + np.log(np.exp(utilities - highest).sum()))
    by = model.calibration
    logits = np.clip(by.slope * utilities + by.crowd * crowd + by.intercept, -30, 30)
    answer: Floats = 1 / (1 + np.exp(-logits))
    return answer


def measure(model: Model, samples: Sequence[Sample]) -> Metrics:
    """How well ``model`` ranks and foretells; ties go to the earlier candidate. Raises Invalid without any outcome."""
    weights = np.array(model.weights)
    utilities = [sample.features @ weights for sample in samples]
    orders = [np.argsort(-each, kind="stable") for each in utilities]
    told = [chances(model, each) for each in utilities]
    return measure_orders(orders, [sample.grades for sample in samples], told)


def measure_orders(orders: Sequence[Ints], grades: Sequence[Ints], told: Sequence[Floats]) -> Metrics:
    """The same for orders that are known already: ``orders`` are positions, best first, ``told`` is P(success)."""
    ranked = [grade[order] for grade, order in zip(grades, orders, strict=True) if grade.any()]
    if not ranked:
        raise Invalid("There is nothing to measure: no question has a good answer.")
    first = [chance[order[:3]] for chance, order in zip(told, orders, strict=True)]
    first_good = [grade[order[:3]] > 0 for grade, order in zip(grades, orders, strict=True)]
    return Metrics(
        questions=len(ranked),
        mrr10=float(np.mean([_reciprocal(grade) for grade in ranked])),
        ndcg10=float(np.mean([_ndcg(grade) for grade in ranked])),
        recall10=float(np.mean([np.count_nonzero(grade[:TOP]) / np.count_nonzero(grade) for grade in ranked])),
        hit3=float(np.mean([bool(grade[:3].any()) for grade in ranked])),
        calibration_error=calibration_error(np.concatenate(told), np.concatenate(grades) > 0),
        calibration_error_top3=calibration_error(np.concatenate(first), np.concatenate(first_good)),
    )


def _reciprocal(grades: Ints) -> float:
    good = np.flatnonzero(grades[:TOP])
    return 1 / (int(good[0]) + 1) if len(good) else 0.0


def _ndcg(grades: Ints) -> float:
    best = np.sort(grades)[::-1][:TOP]
    discounts = np.log2(np.arange(2, TOP + 2))
    gain = (2.0 ** grades[:TOP] - 1) / discounts[: len(grades)]
    return float(gain.sum() / ((2.0**best - 1) / discounts[: len(best)]).sum())


def calibration_error(told: Floats, came_true: Flags) -> float:
    """Expected calibration error: mean distance of told and true shares over bins of equally many (Naeini 2015)."""
    order = np.argsort(told, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    return float(sum(len(part) * abs(told[part].mean() - came_true[part].mean()) for part in parts) / len(told))
