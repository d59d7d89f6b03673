"""Which features there are: their names, factors and least weights. What they mean is in ``features`` (PURE)."""

from collections.abc import Mapping
from typing import Final

from matching.ranking.model import Feature

VOTE_HALF_LIVES: Final = (10, 30, 90, 365)  # days after which a past answer counts half
ACTIVITY_HALF_LIVES: Final = (4, 14, 45, 365)
KINDS: Final = ("words", "spelling", "meaning")
POWERS: Final[Mapping[str, tuple[int, ...]]] = {"words": (1, 2), "spelling": (2, 4), "meaning": (3, 6)}
SHARPEST: Final = 3  # power of a share of the best: how much the second best is worth
# What counts however a market's data read: weights that a fit may raise but never lower.
STATED: Final = {"tags": 0.3, "profile_text": 0.3, "profile_meaning": 2.0, "stars": 2.0, "success": 0.3}


def _features() -> tuple[Feature, ...]:
    names = ["tags", "profile_text", "profile_words", "profile_meaning"]
    for kind in KINDS:
        names += [f"votes_{kind}_{power}_{life}" for power in POWERS[kind] for life in VOTE_HALF_LIVES]
        names += [f"{part}_{kind}_{power}" for part in ("best", "mean") for power in (1, SHARPEST)]
    expertise = [Feature(name, "expertise", STATED.get(name, 0.0)) for name in names]
    feedback = [Feature(name, "feedback", STATED[name]) for name in ("stars", "success")]
    delivery = [Feature(f"active_{life}", "delivery_history") for life in ACTIVITY_HALF_LIVES]
    delivery += [Feature(name, "delivery_history") for name in ("hours", "weekdays", "beyond_expected")]
    return (*expertise, *feedback, *delivery)


FEATURES: Final = _features()
NAMES: Final = tuple(feature.name for feature in FEATURES)
LEXICAL: Final = tuple(feature for feature in FEATURES if "meaning" not in feature.name)
