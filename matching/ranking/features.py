"""Features: what the learned model reads about each candidate, all at least 0 (no I/O).

Where nothing is known they are 0; the hours and weekdays at which somebody answers and whether they answer more than
was to be expected are then as everybody's, a half.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from matching.ranking.feature_names import ACTIVITY_HALF_LIVES, KINDS, NAMES, POWERS, SHARPEST, VOTE_HALF_LIVES
from matching.ranking.index.memory import Recollection
from matching.ranking.ranker import Floats, Ints, Matrix

Number = TypeVar("Number", np.int64, np.float64)

GRAIN: Final = 4_096  # features are whole multiples of 1/4096, exact in JSON and the same in every process
LEAST_SHARE: Final = 0.004  # of all votes: below it, nobody is told apart from somebody without any
FEW_ANSWERS: Final = 20.0  # added to everybody's activity together: the first answer of a market makes no champion
FEW_VOTES: Final = 0.5
MOST_TIMES: Final = 2.0  # logarithm of the most that one may answer oftener than others at an hour


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of each candidate: shared tags 0 to 1, BM25, word likelihood, cosine, mean stars."""

    tags: Floats
    bm25: Floats
    words: Floats
    meaning: Floats
    stars: Floats  # mean of the posterior, 0 to 1
    beyond: Floats  # how many times as many questions as expected they answered well; see ``Chances.times``


@dataclass(frozen=True, slots=True)
class Column:
    """One feature of everybody: ``change`` of values that are told by candidate or, ``by_row``, by row of the memory.

    A value's change never depends on who else is looked at: shares of a best or of a sum are in ``change`` itself.
    """

    values: Floats
    change: Callable[[Floats], Floats]
    by_row: bool = False


@dataclass(frozen=True, slots=True)
class Crowd:
    """All candidates of a question: a column a feature, in the order of ``NAMES``, and each one's row in the memory."""

    columns: Sequence[Column]
    rows: Ints


def crowd(profile: Profile, past: Recollection, person: Ints) -> Crowd:
    """Shares are among these candidates, who are all there are for this question."""
    rows = past.rows[person]
    count = np.bincount(rows, minlength=len(past.good)).astype(np.float64)
    there = np.flatnonzero(count)

    def of_best(values: Floats, power: int = 1, *, by_row: bool = True) -> Column:
        """Each as a share of the greatest: absolute sizes mean nothing across questions."""
        greatest = float((values[there] if by_row else values).max(initial=0.0)) or np.inf
        return Column(values, lambda some: (some / greatest) ** power if power > 1 else some / greatest, by_row)

    def told_apart(values: Floats, few: float) -> Column:
        """The logarithm of each one's share of the sum, from 0 upwards: odds add up where shares multiply."""
        least = (float(count @ values) + few) * LEAST_SHARE
        return Column(values, lambda some: np.log1p(some / least), by_row=True)

    columns = [
        Column(profile.tags, _as_it_is),
        of_best(profile.bm25, by_row=False),
        Column(profile.words, _not_below_zero),
        Column(profile.meaning, _not_below_zero),
    ]
    for kind in KINDS:
        for power in POWERS[kind]:
            columns += [told_apart(past.votes[kind, power, life], FEW_VOTES) for life in VOTE_HALF_LIVES]
        for part in (past.best[kind], past.mean[kind]):
            columns += [of_best(part), of_best(part, SHARPEST)]
    columns += [Column(profile.stars, _as_it_is), Column(past.good, _as_it_is, by_row=True)]
    columns += [told_apart(past.activity[life], FEW_ANSWERS) for life in ACTIVITY_HALF_LIVES]
    columns += [Column(times, _from_seldom_to_often, by_row=True) for times in (past.hours, past.weekdays)]
    columns.append(Column(profile.beyond, _from_seldom_to_often))
    return Crowd(columns, rows)


def _as_it_is(values: Floats) -> Floats:
    return values


def _from_seldom_to_often(values: Floats) -> Floats:
    """The logarithm of a multiple: 0 for e^-2 or less, half for as often as others, 1 for e^2 times or more."""
    return (np.clip(np.log(values), -MOST_TIMES, MOST_TIMES) / MOST_TIMES + 1) / 2


def _not_below_zero(values: Floats) -> Floats:
    return np.maximum(values, 0)


class Unmeasured:
    """Features of a crowd, or of some of it, that are computed when they are asked for; see ``ranker.Measured``."""

    def __init__(self, read: Callable[[], Crowd], positions: Ints | None = None) -> None:
        self._read = read
        self._positions = positions

    def at(self, positions: Ints) -> "Unmeasured":
        """These of them."""
        return Unmeasured(self._read, positions if self._positions is None else self._positions[positions])

    def matrix(self, names: Sequence[str] = NAMES) -> Matrix:
        """[candidates, names], rounded to the grain."""
        crowd = self._read()
        rows = self._some(crowd.rows)
        found = np.empty((len(rows), len(names)), dtype=np.float32, order="F")
        for n, name in enumerate(names):
            column = crowd.columns[NAMES.index(name)]
            values = column.values[rows] if column.by_row else self._some(column.values)
            np.rint(column.change(values) * GRAIN, out=found[:, n], casting="unsafe")
        found /= GRAIN
        return found

    def total(self, weights: Mapping[str, float]) -> Floats:
        """The sum of weight x feature, not rounded: what is told by row is computed once a row."""
        crowd = self._read()
        own = np.zeros(len(self._some(crowd.rows)))
        known = np.zeros(int(crowd.rows.max(initial=0)) + 1)
        for name, weight in weights.items():
            column = crowd.columns[NAMES.index(name)]
            if column.by_row:
                known += weight * column.change(column.values[: len(known)])
            else:
                own += weight * column.change(self._some(column.values))
        return own + known[self._some(crowd.rows)]

    def _some(self, values: NDArray[Number]) -> NDArray[Number]:
        return values if self._positions is None else values[self._positions]
