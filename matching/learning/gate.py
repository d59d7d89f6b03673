"""The gate: whether a model fitted last night may rank today (PURE)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

MIN_TRAINING: Final = 200  # questions that somebody answered well, to fit on …
MIN_HOLDOUT: Final = 50  # … and, later than all of those, to be judged on
HOLDOUT_SHARE: Final = 0.2
RANKING_MARGIN: Final = 0.01  # MRR@10 and nDCG@10 may fall by no more than this: less is noise
CALIBRATION_MARGIN: Final = 0.01  # the calibration error may rise by no more than this …
CALIBRATION_GOOD: Final = 0.05  # … unless it is good all the same

Reason = Mapping[str, str | int | float]


class Measured(Protocol):
    """What the gate looks at; ``training.Metrics`` has it."""

    @property
    def questions(self) -> int:
        """Questions measured on that somebody answered well."""
        ...

    @property
    def mrr10(self) -> float:
        """Mean reciprocal rank of the first good answer among ten."""
        ...

    @property
    def ndcg10(self) -> float:
        """Normalised discounted cumulative gain of the first ten."""
        ...

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of P(success)."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may rank, and every reason why not (codes with the figures compared)."""

    reasons: Sequence[Reason]

    @property
    def passed(self) -> bool:
        """Nothing speaks against it."""
        return not self.reasons


def judge(candidate: Measured, current: Measured) -> Verdict:
    """Compare two models that were measured on the same holdout, which neither was fitted on."""
    reasons: list[Reason] = []
    if candidate.questions < MIN_HOLDOUT:
        reasons.append({"code": "holdout_too_small", "questions": candidate.questions, "least": MIN_HOLDOUT})
    for code, mine, other in (
        ("mrr10_worse", candidate.mrr10, current.mrr10),
        ("ndcg10_worse", candidate.ndcg10, current.ndcg10),
    ):
        if mine < other - RANKING_MARGIN:
            reasons.append(_compared(code, mine, other, RANKING_MARGIN))
    allowed = max(CALIBRATION_GOOD, current.calibration_error + CALIBRATION_MARGIN)
    if candidate.calibration_error > allowed:
        reasons.append(
            _compared("calibration_worse", candidate.calibration_error, current.calibration_error, CALIBRATION_MARGIN)
        )
    return Verdict(reasons)


def _compared(code: str, mine: float, other: float, margin: float) -> Reason:
    return {"code": code, "candidate": round(mine, 4), "current": round(other, 4), "margin": margin}
