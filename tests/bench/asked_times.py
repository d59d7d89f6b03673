"""When past questions of the matching benchmark were asked, to some three hours: their hours are not told.

Told are the day of each answer and the minutes it took, so a question was asked within one certain day; and questions
are numbered in the order in which they were asked, so none was asked before one with a smaller number. What is left
is spread evenly by number.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

DAY_MINUTES: Final = 1_440
AROUND: Final = 15  # questions on either side that say roughly when one was asked
ASTRAY: Final = 4.0  # days from those around it: a question that came from elsewhere with its old answers
PASSES: Final = 30
STRIDES: Final = (1, 2, 4)

Days = NDArray[np.float64]


def asked_times(answers: Iterable[dict[str, Any]], day_of: dict[str, float]) -> dict[int, float]:
    """The day, with its hour as a fraction, of every question that can be told; ``day_of`` reads an answer's day."""
    earliest: dict[int, float] = {}
    latest: dict[int, float] = {}
    for answer in answers:
        asked = day_of[answer["day"]] - max(answer["response_min"] or 0, 0) / DAY_MINUTES
        earliest[answer["q"]] = max(earliest.get(answer["q"], -np.inf), asked)
        latest[answer["q"]] = min(latest.get(answer["q"], np.inf), asked + 1)
    numbers = np.array(sorted(earliest), dtype=np.int64)
    low = np.array([earliest[number] for number in numbers])
    high = np.array([latest[number] for number in numbers])
    middle = (low + high) / 2
    usual = np.array([np.median(middle[max(0, n - AROUND) : n + AROUND + 1]) for n in range(len(numbers))])
    fits = np.abs(middle - usual) <= ASTRAY
    low = np.maximum.accumulate(np.where(fits, low, -np.inf))
    high = np.minimum.accumulate(np.where(fits, high, np.inf)[::-1])[::-1]
    fits &= low <= high
    found = _spread(numbers[fits].astype(np.float64), low[fits], high[fits])
    return dict(zip(numbers[fits].tolist(), found.tolist(), strict=True))


def _spread(numbers: Days, low: Days, high: Days) -> Days:
    """Times between ``low`` and ``high``, as even in their numbers as that allows."""
    found: Days = (low + high) / 2
    for _ in range(PASSES):
        for stride in STRIDES:
            if len(found) <= 2 * stride:
                continue
            before, after = found[: -2 * stride], found[2 * stride :]
            first, last = numbers[: -2 * stride], numbers[2 * stride :]
            even = before + (after - before) * (numbers[stride:-stride] - first) / (last - first)
            inner = slice(stride, -stride)
            found[inner] = (found[inner] + np.clip(even, low[inner], high[inner])) / 2
    return found
