"""Meanings: a vector for everybody of what they write and answer, in one byte a number (no I/O)."""

from collections import OrderedDict
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.ranking.index.dots import dots
from matching.ranking.index.encoder import WIDTH, Encoder, Vector
from matching.ranking.ranker import Floats, Ints

STEPS: Final = 127
REMEMBERED: Final = 512  # texts whose vectors are kept: the same question is ranked when typed, shown and rung


class Meanings:
    """Vectors by person, 384 bytes each; without an encoder everything is 0."""

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder
        self._whole: NDArray[np.int8] = np.zeros((0, WIDTH), dtype=np.int8)
        self._scale: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._people = 0  # whose numbers are below have a row
        self._recent: OrderedDict[str, Vector] = OrderedDict()

    @property
    def encodes(self) -> bool:
        """Whether there is an encoder."""
        return self._encoder is not None

    def of(self, text: str) -> Vector | None:
        """The text's vector, or None without an encoder or a text."""
        if self._encoder is None or not text.strip():
            return None
        found = self._recent.pop(text, None)
        found = self._encoder.encode(text) if found is None else found
        self._recent[text] = found
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        return found

    def put(self, person: int, vector: Vector) -> None:
        """Keep somebody's vector."""
        if person >= len(self._whole):
            size = max(person + 1, 2 * len(self._whole), 256)
            self._whole, self._scale = grown(self._whole, size), grown(self._scale, size)
        self._people = max(self._people, person + 1)
        highest = float(np.abs(vector).max())
        if highest > 0:
            self._whole[person] = np.rint(vector * (STEPS / highest))
            self._scale[person] = highest / STEPS

    def similar(self, text: str, person: Ints) -> Floats:
        """The cosine between the text and everybody in ``person``; 0 where nothing is known."""
        vector = self.of(text)
        found = np.zeros(len(person))
        if vector is None or not self._people:
            return found
        known = np.flatnonzero(person < self._people)
        numbers = person[known]
        if 2 * len(numbers) > self._people:  # copying the rows of most would take longer than looking at all
            found[known] = (dots(self._whole[: self._people], vector) * self._scale[: self._people])[numbers]
        else:
            found[known] = dots(self._whole[numbers], vector) * self._scale[numbers]
        return found


def grown(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """The same rows with empty ones after them; those take no memory until they are written."""
    found = np.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    found[: len(rows)] = rows
    return found
