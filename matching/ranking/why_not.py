"""Why not X: what keeps a consultant off the list, or which factors put them behind its last place (no I/O)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from matching.ranking.explanation import reason
from matching.ranking.filters import Filters, kept_out_by
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.ranker import Ranked


class Outcome(StrEnum):
    """Where the consultant stands."""

    SHOWN = "shown"
    BEHIND = "behind"
    BUSY = "busy"
    FILTERED = "filtered"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True)
class Gap:
    """One factor of the consultant beside the same factor of the last one shown; hundredths of a point."""

    factor: str
    value: int
    contribution_centi: int
    other_value: int
    other_contribution_centi: int

    @property
    def difference_centi(self) -> int:
        """What this factor gives (or, below zero, costs) the consultant against the other."""
        return self.contribution_centi - self.other_contribution_centi


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The answer. ``place`` counts from 1; ``gaps`` are against the last one shown and add up to the difference."""

    outcome: Outcome
    obstacles: Sequence[dict[str, Any]] = ()
    place: int | None = None
    gaps: Sequence[Gap] = ()
    score_centi: int | None = None
    last: Ranked | None = None


# One and the same answer for who is offline, limited, not known to us, oneself, or kept apart by a block: whoever asks
# cannot tell which it is.
NOT_AVAILABLE = WhyNot(Outcome.NOT_AVAILABLE)
BUSY = {"in_meeting": "in_a_call", "away": "away"}


def obstacle(facts: ConsultantFacts | None, filters: Filters, *, apart: bool) -> WhyNot | None:
    """What keeps this consultant out before any score counts; None when nothing does."""
    reachable = facts is not None and facts.can_receive and bool(facts.rate_minor_per_hour)
    if facts is None or apart or not reachable or facts.status not in {"available", *BUSY}:
        return NOT_AVAILABLE
    kept_out = kept_out_by(filters, facts)
    if facts.status in BUSY:
        return WhyNot(Outcome.BUSY, [reason(BUSY[facts.status]), *kept_out])
    return WhyNot(Outcome.FILTERED, kept_out) if kept_out else None


def behind(one: Ranked, last: Ranked) -> WhyNot:
    """The exact difference between this consultant and the last one shown, the costliest factor first."""
    return WhyNot(Outcome.BEHIND, gaps=gaps(one, last), score_centi=one.score_centi, last=last)


def gaps(one: Ranked, last: Ranked) -> list[Gap]:
    """Every factor of both, side by side; the differences add up to the difference of the scores."""
    others = {factor.factor: factor for factor in last.factors}
    found = [
        Gap(
            factor.factor,
            factor.value,
            factor.contribution_centi,
            others[factor.factor].value,
            others[factor.factor].contribution_centi,
        )
        for factor in one.factors
    ]
    return sorted(found, key=lambda gap: gap.difference_centi)
