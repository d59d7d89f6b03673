"""The fitted model as data: what it reads, how much each reading weighs, and how its score becomes a chance (PURE)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.errors import Invalid

LEARNED_FACTORS: Final = ("expertise", "feedback", "delivery_history")
# Percent of the score that factors without any labels decide; the learned factors share the rest.
STATED_SHARES: Final[Mapping[str, int]] = {
    "industry": 4,
    "availability": 8,
    "price": 4,
    "communication_style": 2,
    "language": 12,
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One number about a candidate. It helps the ``factor``; ``floor`` is the least weight a fit may give it.

    More of a feature never lowers a score: weights are at least their floor, which is zero or more. So nobody is
    punished for knowing something, and a tag that is named counts even where a market's data do not show it.
    """

    name: str
    factor: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """Between which sums of weighted features a factor runs from 0 to 100."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(success) = logistic(slope x utility + crowd x log-sum-exp of all candidates' utilities + intercept)."""

    slope: float = 1.0
    crowd: float = 0.0
    intercept: float = 0.0

    def p_success(self, utility: float, crowd: float) -> float:
        """The chance, strictly between 0 and 1, that this candidate would answer well."""
        logit = self.slope * utility + self.crowd * crowd + self.intercept
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Model:
    """A linear model: utility = sum of weight x feature. Nothing else decides the learned part of a score."""

    version: str
    features: tuple[Feature, ...]
    weights: tuple[float, ...]
    spans: Mapping[str, Span]
    calibration: Calibration = field(default_factory=Calibration)
    stated: Mapping[str, int] = field(default_factory=lambda: dict(STATED_SHARES), hash=False)
    # On what it was fitted and how well it did there; for people, nothing is computed from it.
    origin: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if len(self.features) != len(self.weights):
            raise Invalid(f"Model {self.version} has {len(self.features)} features but {len(self.weights)} weights.")
        if missing := {feature.factor for feature in self.features} - set(self.spans):
            raise Invalid(f"Model {self.version} says nothing about the span of {', '.join(sorted(missing))}.")

    def span(self, factor: str) -> Span:
        """The factor's span; empty for one that no feature of this model speaks of."""
        return self.spans.get(factor, Span(0.0, 0.0))

    def shares(self) -> dict[str, int]:
        """Percent of the score each learned factor can give: in proportion to its span, 100 with the stated ones."""
        rest = 100 - sum(self.stated.values())
        spans = {factor: self.span(factor).high - self.span(factor).low for factor in LEARNED_FACTORS}
        exact = {factor: rest * span / math.fsum(spans.values()) for factor, span in spans.items()}
        whole = {factor: max(1, math.floor(share)) for factor, share in exact.items()}
        for factor in sorted(exact, key=lambda each: whole[each] - exact[each])[: rest - sum(whole.values())]:
            whole[factor] += 1
        return whole

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, in the order of a matrix's columns."""
        return tuple(feature.name for feature in self.features)

    def utility(self, row: Sequence[float]) -> float:
        """The learned score of one candidate; only differences within one question mean anything."""
        return math.fsum(weight * value for weight, value in zip(self.weights, row, strict=True))

    def to_json(self) -> str:
        """The whole model as JSON with sorted keys: equal models give equal bytes."""
        content = {
            "version": self.version,
            "features": [
                {"name": each.name, "factor": each.factor, "floor": each.floor, "weight": weight}
                for each, weight in zip(self.features, self.weights, strict=True)
            ],
            "spans": {factor: {"low": span.low, "high": span.high} for factor, span in self.spans.items()},
            "calibration": {
                "slope": self.calibration.slope,
                "crowd": self.calibration.crowd,
                "intercept": self.calibration.intercept,
            },
            "stated": dict(self.stated),
            "origin": dict(self.origin),
        }
        return json.dumps(content, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Model":
        """The model that ``to_json`` wrote; raises Invalid when it is none."""
        try:
            content = json.loads(text)
            return cls(
                version=str(content["version"]),
                features=tuple(
                    Feature(str(each["name"]), str(each["factor"]), float(each["floor"]))
                    for each in content["features"]
                ),
                weights=tuple(float(each["weight"]) for each in content["features"]),
                spans={
                    factor: Span(float(span["low"]), float(span["high"])) for factor, span in content["spans"].items()
                },
                calibration=Calibration(**{name: float(value) for name, value in content["calibration"].items()}),
                stated={str(factor): int(share) for factor, share in content.get("stated", STATED_SHARES).items()},
                origin=content["origin"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(f"This is no model: {error}") from error


def built_in(name: str) -> Model:
    """A model that came with the program: a file of ``matching/ranking/fitted/``."""
    return Model.from_json((Path(__file__).parent / "fitted" / f"{name}.json").read_text("utf-8"))
