"""The ranker's interface: what any ranker is given, and what it must answer (no I/O)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.feature_names import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the ranker sees it. ``currency`` and ``max_rate_minor_per_hour`` stand when a budget is known."""

    terms: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    currency: str | None = None
    max_rate_minor_per_hour: int | None = None
    text: str = ""  # as it was typed; never stored with a match

    def inputs(self) -> dict[str, Any]:
        """The plain values to store with a match."""
        return {
            "terms": list(self.terms),
            "tags": list(self.tags),
            "language": self.language,
            "currency": self.currency,
            "max_rate_minor_per_hour": self.max_rate_minor_per_hour,
        }


COLUMNS = (
    "order",
    "tag_hits",
    "bm25",
    "available",
    "rating_points",
    "rating_count",
    "response_ms",
    "speaks",
    "rate_minor_per_hour",
    "same_currency",
    "industry",
    "style",
    "features",
)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The raw features of every candidate, one column each, all of one length. Not one of them is invented here."""

    user_ids: Sequence[UUID]
    order: NDArray[np.uint64]  # the head of the user id: breaks ties the same way in every process
    tag_hits: Ints
    bm25: Floats
    available: Flags
    rating_points: Ints  # sum of (stars - 1): 0 to 4 for each rating
    rating_count: Ints
    response_ms: Ints  # -1: has never answered a ring
    speaks: Flags
    rate_minor_per_hour: Ints
    same_currency: Flags
    industry: Ints  # 0 to 100: whether their field of work is the question's
    style: Ints  # 0 to 100: whether they write as the question is written
    features: NDArray[np.float32]  # [candidates, features.NAMES]
    best_bm25: float  # among all candidates, so that a stored match can be computed again without the rest of them

    def __len__(self) -> int:
        return len(self.user_ids)

    def only(self, user: UUID) -> "Candidates":
        """This candidate alone, or nobody; measured against all the others still."""
        at = [n for n, one in enumerate(self.user_ids) if one == user]
        columns = {name: getattr(self, name)[at] for name in COLUMNS}
        return replace(self, user_ids=[user for _ in at], **columns)

    def inputs(self, n: int) -> dict[str, Any]:
        """The features of one candidate as plain values, to store with a match."""
        return {
            "tag_hits": int(self.tag_hits[n]),
            "bm25": float(self.bm25[n]),
            "available": bool(self.available[n]),
            "rating_points": int(self.rating_points[n]),
            "rating_count": int(self.rating_count[n]),
            "response_ms": int(self.response_ms[n]),
            "speaks": bool(self.speaks[n]),
            "rate_minor_per_hour": int(self.rate_minor_per_hour[n]),
            "same_currency": bool(self.same_currency[n]),
            "industry": int(self.industry[n]),
            "style": int(self.style[n]),
            "features": dict(zip(NAMES, map(float, self.features[n]), strict=True)),
            "best_bm25": self.best_bm25,
        }


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor's part: ``contribution_centi`` hundredths of a point of the score."""

    factor: str
    value: int
    weight: int
    contribution_centi: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate with their score, which is exactly the sum of the factors' contributions."""

    user_id: UUID
    score_centi: int
    factors: tuple[Factor, ...]
    inputs: Mapping[str, Any] = field(hash=False)
    p_success: float = 0.0  # calibrated: how likely this one would answer well


class Ranker(Protocol):
    """Orders candidates. ``version`` names the model: same version and same inputs give the same scores."""

    @property
    def version(self) -> str:
        """The model's name, stored with every match."""
        ...

    def rank(self, query: Query, candidates: Candidates, limit: int) -> list[Ranked]:
        """The best ``limit`` candidates, best first."""
        ...
