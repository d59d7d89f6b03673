"""History: samples to learn from, out of the matches as they were stored and the outcomes they led to."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np
from sqlalchemy import text

from core.db import Tx
from matching.learning.outcomes import succeeded
from matching.learning.training import Sample

SETTLED_AFTER: Final = timedelta(days=1)  # by then a call is over, paid and mostly rated
LOOK_BACK: Final = timedelta(days=180)
MOST_QUESTIONS: Final = 10_000
MOST_OF_ONE: Final = 20  # the newest of one customer: nobody calls a friend two hundred times and steers the model
BATCH: Final = 20
BEST_STARS: Final = 5
_FACTS: Final = ("completed", "refunded", "stars")

# For every question with an outcome: the longest list stored before the first accept in which whoever was talked to
# stands; without such a list, the longest.
_STORED = text("""
WITH counted AS (
  SELECT outcome.*, dense_rank() OVER (PARTITION BY customer_id ORDER BY asked_at DESC, question_id) AS newness
  FROM outcome WHERE accepted_at >= :since AND accepted_at < :until AND ended_at IS NOT NULL
), told AS (
  SELECT question_id, min(asked_at) AS asked_at, min(accepted_at) AS accepted_at,
         jsonb_agg(jsonb_build_object('user_id', consultant_id)) AS people,
         jsonb_agg(jsonb_build_object('user_id', consultant_id, 'completed', completed, 'refunded', refunded,
                                      'stars', stars)) AS outcomes
  FROM counted
  WHERE newness <= :of_one
  GROUP BY question_id
  ORDER BY min(asked_at) DESC, question_id
  LIMIT :most
)
SELECT told.asked_at, told.outcomes, stored.results
FROM told
JOIN LATERAL (
  SELECT id, results FROM question_match
  WHERE question_id = told.question_id AND at <= told.accepted_at
  ORDER BY results @> told.people DESC, jsonb_array_length(results) DESC, id DESC
  LIMIT 1
) AS stored ON true
ORDER BY told.asked_at, told.question_id
""")


@dataclass(frozen=True, slots=True)
class History:
    """Samples in the order of time; ``unusable`` matches lack a feature that is asked for."""

    samples: Sequence[Sample]
    unusable: int

    def split(self, holdout_share: float) -> tuple[Sequence[Sample], Sequence[Sample]]:
        """The earlier part to fit on and the later one to judge on: nobody learns from the future."""
        at = len(self.samples) - round(len(self.samples) * holdout_share)
        return self.samples[:at], self.samples[at:]


async def read(tx: Tx, names: Sequence[str]) -> History:
    """Everything that can be learned from by now, with the features ``names`` as the columns of a sample."""
    until = tx.now - SETTLED_AFTER
    values = {"since": tx.now - LOOK_BACK, "until": until, "most": MOST_QUESTIONS, "of_one": MOST_OF_ONE}
    samples: list[Sample] = []
    unusable = 0
    rows = await tx.session.stream(_STORED, values)
    async for part in rows.partitions(BATCH):
        # As JSON a match is many times as large as its matrix, and decoding one takes a while: a few at a time.
        for row in part:
            sample = sample_of(row.results, row.outcomes, row.asked_at, names)
            if sample is None:
                unusable += 1
            else:
                samples.append(sample)
        await asyncio.sleep(0)
    return History(samples, unusable)


def sample_of(
    results: Sequence[Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]], at: datetime, names: Sequence[str]
) -> Sample | None:
    """One question: a stored ranking's features, and the grade of everybody who was talked to."""
    rows = [_row(result["inputs"], names) for result in results]
    features = [row for row in rows if row is not None]
    if not features or len(features) < len(rows):
        return None
    grades: dict[UUID, int] = {}
    for one in outcomes:  # a second call with the same consultant may have gone better than the first
        user, reached = UUID(one["user_id"]), grade(**{key: one[key] for key in _FACTS})
        grades[user] = max(grades.get(user, 0), reached)
    return Sample(
        features=np.array(features, dtype=np.float64),
        grades=np.array([grades.get(UUID(result["user_id"]), 0) for result in results], dtype=np.int64),
        at=at,
    )


def _row(inputs: Mapping[str, Any], names: Sequence[str]) -> list[float] | None:
    known = inputs.get("features", inputs)
    return [float(known[name]) for name in names] if all(name in known for name in names) else None


def grade(*, completed: bool, refunded: bool, stars: int | None) -> int:
    """How well a question was answered: 0 not as far as we know, 2 well, 3 with the best possible rating."""
    if not succeeded(completed=completed, refunded=refunded, stars=stars):
        return 0
    return 3 if stars == BEST_STARS else 2
