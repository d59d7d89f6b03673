"""The memory: past questions and how well whom answered them, asked for whoever answered something like it (no I/O).

It is a function of the set of outcomes it was told, not of their order, so that all processes recall the same.
"""

import math
import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.language.words import terms
from matching.ranking.feature_names import POWERS, VOTE_HALF_LIVES
from matching.ranking.index.dots import dots
from matching.ranking.index.encoder import WIDTH, Vector
from matching.ranking.index.meanings import grown
from matching.ranking.index.text_index import TextIndex
from matching.ranking.index.weighing import EVENT, LIVES, LONG_AGO, RHYTHM_LIFE, Weighed, weighed
from matching.ranking.ranker import Flags, Floats, Ints

GRAM: Final = 4
SEVERAL: Final = 2.0  # added to the number of answers before a mean is taken: one lucky answer is no habit
GOOD_OF: Final = 2.0  # a newcomer is taken for somebody with so many excellent answers …
GOOD_IN: Final = 6.0  # … of so many
FEW_QUESTIONS: Final = 50.0  # until there are more, what all questions have in common is not yet known
MOST_LETTERS: Final = 300
ALIKE: Final = 0.5  # similarity from which people are told that a past question is like this one: half of what it says
LATELY_DAYS: Final = 30
FEW_TIMES: Final = 15.0  # answers that everybody's rhythm is worth when one's own is estimated

_RUNS = re.compile(r"[a-z0-9äöüß]+")


@dataclass(frozen=True, slots=True)
class Past:
    """One answer to a past question. ``weight`` is what it says for whoever gave it: 0 nothing, 1 a good answer.

    ``good`` says whether it was an excellent one, ``day`` when the question was asked, in days since 1970 (its fraction
    is the hour in UTC); ``vector`` is the question's meaning when there is an encoder. ``share`` is how much of an
    answer it counts for: somebody who asks the same person again and again says less each time.
    """

    key: Hashable
    question: Hashable
    text: str
    person: int
    day: float
    weight: float
    good: bool
    vector: Vector | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is recalled about everybody for one question; every array has a value for each whose past is known.

    ``rows`` has a number for everybody: which value is theirs. The first value is that of all who have no past.
    ``votes[kind, power, half_life]`` sums similarity^power x weight x decay; ``best[kind]`` is the most similar
    question they answered, ``mean[kind]`` how similar what they answer is on the whole. ``hours`` and
    ``weekdays`` are how many times as often as others they answer what is asked at this hour of the day and at this
    time of the week, 1 for those without a past. ``similar`` and ``lately`` count the questions they answered well that
    are like this one by any measure, and that were asked in the last ``LATELY_DAYS``.
    """

    rows: Ints
    votes: Mapping[tuple[str, int, int], Floats]
    best: Mapping[str, Floats]
    mean: Mapping[str, Floats]
    activity: Mapping[int, Floats]
    hours: Floats
    weekdays: Floats
    good: Floats
    similar: Ints
    lately: Ints


@lru_cache(maxsize=500)  # a question is asked again while it is typed, shown and rung; each takes 5 kB
def grams(text: str) -> tuple[str, ...]:
    """Every run of four letters, word ends included: finds compounds, names and typing errors that stems miss."""
    line = f" {' '.join(_RUNS.findall(text[:MOST_LETTERS].lower()))} "
    return tuple(sorted({line[n : n + GRAM] for n in range(len(line) - GRAM + 1) if line[n + 1 : n + 3].strip()}))


class Memory:
    """Grows by ``learn``; an outcome that is told again, because more is known by now, replaces what was said."""

    def __init__(self) -> None:
        self._words, self._grams = TextIndex(removable=False), TextIndex(removable=False)
        self._question_of: dict[Hashable, int] = {}
        self._event_of: dict[Hashable, int] = {}
        self._events = np.zeros(256, dtype=EVENT)
        # Those with a past, numbered from 1 in the order in which they came to be known: 0 are all the others.
        self._row_of: NDArray[np.int32] = np.zeros(256, dtype=np.int32)
        self._rows = 1
        self._vectors: Vector | None = None  # 1.5 kB a question: turning smaller numbers into these would take longer
        self._vector_sum = np.zeros(WIDTH)
        self._common: _Common | None = None  # of all vectors, worked out again when there are more
        self._encoded: set[int] = set()
        self._weighed: tuple[tuple[int, float, bool], Weighed] | None = None  # until more is learned, or the next day
        self.version = 0  # grows with everything that is learned

    def __len__(self) -> int:
        return len(self._event_of)

    def learn(self, past: Past) -> None:
        """Remember one answer."""
        self.version += 1
        question = self._question_of.get(past.question)
        if question is None:
            question = self._question_of[past.question] = len(self._question_of)
            self._words.add(question, sorted(set(terms(past.text))))
            self._grams.add(question, grams(past.text))
        if past.vector is not None:
            self._remember_meaning(question, past.vector)
        at = self._event_of.setdefault(past.key, len(self._event_of))
        if at == len(self._events):
            self._events = grown(self._events, 2 * at)
        self._events[at] = (
            question,
            self._row(past.person),
            past.day,
            past.weight * past.share,
            past.good,
            past.share,
        )

    def _row(self, person: int) -> int:
        if person >= len(self._row_of):
            self._row_of = grown(self._row_of, max(person + 1, 2 * len(self._row_of)))
        if not self._row_of[person]:
            self._row_of[person] = self._rows
            self._rows += 1
        return int(self._row_of[person])

    def take_meaning(self, question: Hashable, vector: Vector) -> None:
        """Remember the vector of a question that was learned without one."""
        self.version += 1
        self._remember_meaning(self._question_of[question], vector)

    def _remember_meaning(self, question: int, vector: Vector) -> None:
        if self._vectors is None:
            self._vectors = np.zeros((256, len(vector)), dtype=np.float32)
        while question >= len(self._vectors):
            self._vectors = grown(self._vectors, 2 * len(self._vectors))
        if question not in self._encoded:
            self._encoded.add(question)
            self._vectors[question] = vector
            self._vector_sum += vector
            self._common = None

    def similarities(self, text: str, vector: Vector | None) -> dict[str, Floats]:
        """How similar every past question is to this one, 0 to 1, by each measure."""
        count = len(self._question_of)
        found = {"words": self._words.similarity(terms(text)), "spelling": self._grams.similarity(grams(text))}
        found["meaning"] = np.zeros(count)
        if vector is not None and self._vectors is not None:
            known = self._vectors[: min(count, len(self._vectors))]
            if self._common is None or len(self._common.shared) < len(known):
                self._common = _common_of(known, self._vector_sum / (len(self._encoded) + FEW_QUESTIONS))
            found["meaning"][: len(known)] = _beyond_the_common(known, vector, self._common)
            if len(self._encoded) < len(known):
                found["meaning"][: len(known)][~known.any(axis=1)] = 0  # those that have no vector yet
        return found

    def recall(self, text: str, vector: Vector | None, *, day: float, people: int) -> Recollection:
        """What everybody's past says about this question, as of ``day``; persons are numbered below ``people``."""
        if people > len(self._row_of):
            self._row_of = grown(self._row_of, max(people, 2 * len(self._row_of)))
        past = self._weigh(day)
        closest = np.zeros(len(self._question_of))
        left = {life: past.left(life, day) for life in LIVES}
        votes, best, mean = {}, {}, {}
        for kind, similar in self.similarities(text, vector).items():
            np.maximum(closest, similar, out=closest)
            each = similar[past.asked] if len(past.asked) else np.zeros(0)
            for power in POWERS[kind]:
                raised = _raised(each, power)
                votes.update(
                    {
                        (kind, power, life): past.total(raised * past.weighted[life]) * left[life]
                        for life in VOTE_HALF_LIVES
                    }
                )
            alike = past.total(each * past.weighted[LONG_AGO])
            mean[kind] = alike * left[LONG_AGO] / (past.number * left[LONG_AGO] + SEVERAL)
            best[kind] = np.zeros(self._rows)
            np.maximum.at(best[kind], past.row, each * past.counts)
        rhythm = left[RHYTHM_LIFE]
        age = day - self._events["day"][: len(past.row)]
        return Recollection(
            rows=self._row_of[:people].astype(np.int64),
            votes=votes,
            best=best,
            mean=mean,
            activity={life: past.activity[life] * left[life] for life in past.activity},
            hours=_times(past.total(past.recent * past.clock.near(day)) * rhythm, past.remembered * rhythm),
            weekdays=_times(past.total(past.recent * past.week.near(day)) * rhythm, past.remembered * rhythm),
            good=(past.good * left[LONG_AGO] + GOOD_OF) / (past.answered * left[LONG_AGO] + GOOD_IN),
            similar=self._questions_of(past, past.counts & (closest >= ALIKE)[past.asked]),
            lately=self._questions_of(past, past.counts & (age >= 0) & (age <= LATELY_DAYS)),
        )

    def _questions_of(self, past: Weighed, these: Flags) -> Ints:
        """How many different questions these answers are to, by row."""
        count = max(1, len(self._question_of))
        pairs = np.unique(past.row[these] * count + past.asked[these])
        return np.bincount(pairs // count, minlength=self._rows)

    def _weigh(self, day: float) -> Weighed:
        """As of the day's first moment, the same in every process; as of ``day`` when answers are still to come."""
        events = self._events[: len(self._event_of)]
        to_come = float(events["day"].max(initial=-math.inf)) > day
        wanted = (self.version, day if to_come else float(math.floor(day)), to_come)
        if self._weighed is None or self._weighed[0] != wanted:
            self._weighed = wanted, weighed(events, self._rows, wanted[1], latest=day)
        return self._weighed[1]


def _raised(values: Floats, power: int) -> Floats:
    """values**power by multiplying, which takes a tenth of the time."""
    found = values
    for _ in range(power - 1):
        found = found * values
    return found


@dataclass(frozen=True, slots=True)
class _Common:
    """What all known questions have in common, how much of it is in each, and how long the rest of each is."""

    vector: Vector
    shared: Vector
    lengths: Vector


def _common_of(known: Vector, mean: Floats) -> _Common:
    vector = mean.astype(np.float32)
    shared = dots(known, vector)
    return _Common(vector, shared, np.sqrt(np.maximum(1 - 2 * shared + float(vector @ vector), 1e-9)))


def _beyond_the_common(known: Vector, vector: Vector, common: _Common) -> Floats:
    """Cosines, 0 and up, of what is left when what all known questions have in common is taken away.

    In a market all questions are somewhat alike; what tells them apart is the rest. Vectors have length one.
    """
    own_share, square = float(common.vector @ vector), float(common.vector @ common.vector)
    own = float(np.sqrt(max(1 - 2 * own_share + square, 1e-9)))
    rest = dots(known, vector) - common.shared - own_share + square
    cosine: Floats = np.clip(rest / (common.lengths * own), 0, 1)
    return cosine


def _times(near: Floats, answers: Floats) -> Floats:
    """Share of each one's answers near a time by everybody's share, drawn towards 1 by few answers."""
    if not near.any():
        return np.ones(len(near))
    usual = float(near.sum() / answers.sum())
    times: Floats = (near / usual + FEW_TIMES) / (answers + FEW_TIMES)
    return times


def weight_of(*, succeeded: bool, stars: int | None) -> float:
    """What an outcome says for a consultant: nothing unless it was a success, most with five stars."""
    if not succeeded:
        return 0.0
    return 1.0 + {5: 0.7, 4: 0.2}.get(stars or 0, 0.0)


def day_of(timestamp: float) -> float:
    """Days since 1970 of a POSIX timestamp; the memory's unit of time."""
    return timestamp / 86_400
