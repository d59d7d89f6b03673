"""Features: what the learned model reads about each candidate, all at least 0, 0 where nothing is known (no I/O)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.feature_names import ACTIVITY_HALF_LIVES, KINDS, POWERS, SHARPEST, VOTE_HALF_LIVES
from matching.memory import Recollection
from matching.ranker import Floats, Ints

Matrix = NDArray[np.float32]

GRAIN: Final = 4_096  # features are whole multiples of 1/4096, exact in JSON and the same in every process
LEAST_SHARE: Final = 0.004  # of all votes: below it, nobody is told apart from somebody without any
FEW_ANSWERS: Final = 20.0  # added to everybody's activity together: the first answer of a market makes no champion
FEW_VOTES: Final = 0.5


@dataclass(frozen=True, slots=True)
class Profile:
    """What the profiles say, one value a candidate: shared tags 0 to 1, BM25, word likelihood, cosine, mean stars."""

    tags: Floats
    bm25: Floats
    words: Floats
    meaning: Floats
    stars: Floats  # mean of the posterior, 0 to 1


def matrix(profile: Profile, past: Recollection, person: Ints) -> Matrix:
    """[candidates, features]; shares are among these candidates, who are all there are for this question."""
    columns: list[Floats] = [
        profile.tags,
        _of_best(profile.bm25),
        np.maximum(profile.words, 0),
        np.maximum(profile.meaning, 0),
    ]
    for kind in KINDS:
        for power in POWERS[kind]:
            columns += [_told_apart(past.votes[kind, power, life][person], FEW_VOTES) for life in VOTE_HALF_LIVES]
        for part in (past.best[kind], past.mean[kind]):
            share = _of_best(part[person])
            columns += [share, share**SHARPEST]
    columns += [profile.stars, past.good[person]]
    columns += [_told_apart(past.activity[life][person], FEW_ANSWERS) for life in ACTIVITY_HALF_LIVES]
    found = np.empty((len(person), len(columns)), dtype=np.float32)
    for n, column in enumerate(columns):
        np.rint(column * GRAIN, out=found[:, n], casting="unsafe")
    found /= GRAIN
    return found


def _of_best(values: Floats) -> Floats:
    """Each as a share of the greatest: absolute sizes mean nothing across questions."""
    greatest = float(values.max(initial=0.0))
    return values / greatest if greatest > 0 else np.zeros(len(values))


def _told_apart(values: Floats, few: float) -> Floats:
    """The logarithm of each one's share of the sum, from 0 upwards: odds add up where shares multiply."""
    return np.log1p(values / ((float(values.sum()) + few) * LEAST_SHARE))
