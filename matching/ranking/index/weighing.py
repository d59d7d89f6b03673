"""Weighing: what past answers count for before a question is known, so that a question only adds its own part (no I/O).

Everything is told as of a moment ``since``. Later, all that has one half-life has faded by the same share, whoever it
is about, so that it need not be weighed again.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.ranking.feature_names import ACTIVITY_HALF_LIVES, VOTE_HALF_LIVES
from matching.ranking.ranker import Floats, Ints

LONG_AGO: Final = 720  # half-life of what somebody is known for
RHYTHM_LIFE: Final = 365  # days after which an answer counts half for the hours and days that somebody keeps
LIVES: Final = {*VOTE_HALF_LIVES, *ACTIVITY_HALF_LIVES, RHYTHM_LIFE, LONG_AGO}
# Period in days and concentration of von Mises' distribution: how far round the clock or the week an answer speaks for.
CLOCK: Final = (1.0, 6.0)
WEEK: Final = (7.0, 4.0)

EVENT: Final = np.dtype(
    [("question", "i4"), ("row", "i4"), ("day", "f8"), ("weight", "f4"), ("good", "f4"), ("share", "f4")]
)


class Round:
    """Where answers stand on a clock of ``period`` days."""

    def __init__(self, days: Floats, period: float, focus: float) -> None:
        self._turn, self._focus, self._mean = 2 * np.pi / period, focus, float(np.i0(focus))
        angle = days % period * self._turn
        self._across, self._along = np.cos(angle), np.sin(angle)

    def near(self, day: float) -> Floats:
        """How close to this time each is: 1 on the mean over all times."""
        angle = day * self._turn
        apart = self._across * math.cos(angle) + self._along * math.sin(angle)
        near: Floats = np.exp(self._focus * apart) / self._mean
        return near


@dataclass(frozen=True, slots=True)
class Weighed:
    """Past answers and, by row of the memory, their sums, as of ``since`` (days since 1970).

    ``weighted`` is the weight of each answer by half-life, ``recent`` what it counts for somebody's hours and weekdays;
    ``number`` sums weights of the longest half-life, ``remembered`` sums ``recent``, ``answered`` and ``good`` count.
    """

    since: float
    row: Ints
    asked: Ints
    counts: NDArray[np.bool_]  # whether it has any weight
    weighted: dict[int, Floats]
    recent: Floats
    clock: Round
    week: Round
    activity: dict[int, Floats]
    number: Floats
    remembered: Floats
    answered: Floats
    good: Floats

    def total(self, values: Floats) -> Floats:
        """The sum of a value of each answer, by row."""
        return np.bincount(self.row, values, len(self.number)).astype(np.float64, copy=False)

    def left(self, life: int, day: float) -> float:
        """The share that is left on ``day`` of what has this half-life."""
        return math.exp2((self.since - day) / life)


def weighed(events: NDArray[Any], rows: int, since: float, *, latest: float) -> Weighed:
    """Weigh events (of type ``EVENT``) of so many rows; those after ``latest`` count as if they were of that moment."""
    row: Ints = events["row"].astype(np.int64)
    weight: Floats = events["weight"].astype(np.float64)

    def totals(values: Floats) -> Floats:
        return np.bincount(row, values, rows).astype(np.float64, copy=False)

    age = since - np.minimum(events["day"], latest)
    decay = {life: np.exp2(-age / life) for life in LIVES}
    known = decay[LONG_AGO] * events["share"]
    return Weighed(
        since=since,
        row=row,
        asked=events["question"].astype(np.int64),
        counts=weight > 0,
        weighted={life: decay[life] * weight for life in (*VOTE_HALF_LIVES, LONG_AGO)},
        recent=decay[RHYTHM_LIFE],
        clock=Round(events["day"], *CLOCK),
        week=Round(events["day"], *WEEK),
        activity={life: totals(decay[life] * weight) for life in ACTIVITY_HALF_LIVES},
        number=totals(decay[LONG_AGO] * weight),
        remembered=totals(decay[RHYTHM_LIFE]),
        answered=totals(known),
        good=totals(known * events["good"]),
    )
