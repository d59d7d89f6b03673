"""Chances: of the questions that reached somebody, how many they answered well against how many were to be expected.

Activity says how much somebody answers; this says whether it is more than their match with what was asked explains.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from matching.ranking.index.meanings import grown
from matching.ranking.ranker import Floats, Ints

HALF_LIFE: Final = 180  # days
# Days after which a question is forgotten. What is older makes no more than a grain of the feature: a 4,096th of a past
# in which somebody was always asked as often, or sixteen questions won against all odds by somebody not asked since.
FORGOTTEN: Final = 12 * HALF_LIFE
FEW: Final = 4.0  # questions that everybody is taken to have answered as expected, before any is counted

_REACHED = np.dtype([("person", "i4"), ("day", "f8"), ("expected", "f4"), ("earned", "f4")])


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody whom a question reached, with their chance of answering it well and how well they did.

    Of ``expected`` and ``earned`` only the shares among all whom the question reached count.
    """

    person: int
    expected: float
    earned: float


class Chances:
    """A function of the set of questions it was told, not of their order; persons are the memory's numbers."""

    def __init__(self) -> None:
        self._at: dict[tuple[Hashable, int], int] = {}
        self._rows = np.zeros(256, dtype=_REACHED)

    def learn(self, question: Hashable, day: float, reached: Sequence[Reached]) -> None:
        """Count a question asked on ``day``; told again with the same people, it replaces what was said.

        A question that nobody answered well says nothing about any of them.
        """
        expected, earned = sum(one.expected for one in reached), sum(one.earned for one in reached)
        counts = expected > 0 and earned > 0
        for one in reached:
            at = self._at.setdefault((question, one.person), len(self._at))
            if at == len(self._rows):
                self._rows = grown(self._rows, 2 * at)
            shares = (one.expected / expected, one.earned / earned) if counts else (0.0, 0.0)
            self._rows[at] = (one.person, day, *shares)

    def times(self, person: Ints, *, day: float) -> Floats:
        """How many times as many questions as expected everybody in ``person`` answered well, as of ``day``.

        The mean of a Gamma posterior with the mean 1: whom few questions reached is near 1, whom none did is at 1.
        """
        found = np.ones(len(person))
        rows = self._rows[: len(self._at)]
        if not len(rows):
            return found
        age = np.maximum(day - rows["day"], 0)
        decay = np.where(age > FORGOTTEN, 0, np.exp2(-age / HALF_LIFE))  # nor does a process know it that loads now
        people = int(rows["person"].max()) + 1
        expected = np.bincount(rows["person"], decay * rows["expected"], people)
        earned = np.bincount(rows["person"], decay * rows["earned"], people)
        known = np.flatnonzero(person < people)
        found[known] = ((earned + FEW) / (expected + FEW))[person[known]]
        return found
