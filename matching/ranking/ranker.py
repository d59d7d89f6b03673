"""The ranker's interface: what any ranker is given, and what it must answer (no I/O)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, overload
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.ranking.feature_names import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]


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


class Picked(Sequence[UUID]):
    """Some of the users, without copying 100,000 of them to read five."""

    def __init__(self, users: Sequence[UUID], positions: Ints) -> None:
        self._users = users
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, n: int) -> UUID: ...
    @overload
    def __getitem__(self, n: slice) -> Sequence[UUID]: ...
    def __getitem__(self, n: int | slice) -> UUID | Sequence[UUID]:
        if isinstance(n, slice):
            return [self._users[int(position)] for position in self._positions[n]]
        return self._users[int(self._positions[n])]


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
)


class Measured(Protocol):
    """The learned model's features of some candidates, computed for those they are asked for and no others."""

    def matrix(self, names: Sequence[str] = NAMES) -> Matrix:
        """[candidates, names], each a whole multiple of the grain of ``features``."""
        ...

    def total(self, weights: Mapping[str, float]) -> Floats:
        """The sum of weight x feature of every candidate, before features are rounded: cheap, and nearly the same."""
        ...

    def at(self, positions: Ints) -> "Measured":
        """These candidates, measured against all the others still."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """Features that are computed already."""

    rows: Matrix

    def matrix(self, names: Sequence[str] = NAMES) -> Matrix:
        """All of them, or these."""
        return self.rows if names is NAMES else self.rows[:, [NAMES.index(name) for name in names]]

    def total(self, weights: Mapping[str, float]) -> Floats:
        """The sum of weight x feature."""
        found = np.zeros(len(self.rows))
        for name, weight in weights.items():
            found += self.rows[:, NAMES.index(name)] * weight
        return found

    def at(self, positions: Ints) -> "Known":
        """These rows."""
        return Known(self.rows[positions])


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
    measured: Measured  # read before the index changes again
    best_bm25: float  # among all candidates, so that a stored match can be computed again without the rest of them

    def __len__(self) -> int:
        return len(self.user_ids)

    def only(self, user: UUID) -> "Candidates":
        """This candidate alone, or nobody; measured against all the others still."""
        likely = np.flatnonzero(self.order == np.uint64(user.int >> 64))
        return self.at(np.array([n for n in likely if self.user_ids[int(n)] == user], dtype=np.int64))

    def at(self, positions: Ints) -> "Candidates":
        """Those at these positions, in their order; measured against all the others still."""
        return replace(
            self,
            user_ids=Picked(self.user_ids, positions),
            measured=self.measured.at(positions),
            **{name: getattr(self, name)[positions] for name in COLUMNS},
        )

    def speaking(self) -> "Candidates":
        """Those who speak the question's language."""
        return self.at(np.flatnonzero(self.speaks))

    def known(self) -> "Candidates":
        """The same with every feature computed."""
        return replace(self, measured=Known(self.measured.matrix()))

    @property
    def features(self) -> Matrix:
        """[candidates, feature_names.NAMES]."""
        return self.measured.matrix()

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
            "features": dict(zip(NAMES, map(float, self.measured.at(np.array([n])).matrix()[0]), strict=True)),
            "best_bm25": self.best_bm25,
        }


@dataclass(frozen=True, slots=True)
class Weighed:
    """One feature as a learned factor weighs it."""

    name: str
    value: float
    weight: float


@dataclass(frozen=True, slots=True)
class Sum:
    """What a learned factor's contribution is worked out from: (sum of weight x value - ``low``) x ``scale``.

    Rounded to a whole number, halves to the even one, and kept between 0 and 100 x the factor's weight.
    """

    weighed: tuple[Weighed, ...]
    low: float
    scale: float


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor's part: ``contribution_centi`` hundredths of a point of the score.

    Without a ``sum`` that is value x weight.
    """

    factor: str
    value: int
    weight: int
    contribution_centi: int
    sum: Sum | None = None


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
