"""Meanings: a vector for everybody of what they write and answer, in one byte a number (no I/O)."""

from collections import OrderedDict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from matching.encoder import WIDTH, Encoder, Vector
from matching.ranker import Floats, Ints

BLOCK: Final = 4_096  # so many vectors are looked at in one go: what fits the processor's cache
STEPS: Final = 127
REMEMBERED: Final = 512  # texts whose vectors are kept: the same question is ranked when typed, shown and rung


class Meanings:
    """Vectors by person, 384 bytes each; without an encoder everything is 0."""

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder
        self._whole: NDArray[np.int8] = np.zeros((0, WIDTH), dtype=np.int8)
        self._scale: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
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
            more = max(person + 1, 2 * len(self._whole), 256) - len(self._whole)
            self._whole = np.concatenate([self._whole, np.zeros((more, WIDTH), dtype=np.int8)])
            self._scale = np.concatenate([self._scale, np.zeros(more, dtype=np.float32)])
        highest = float(np.abs(vector).max())
        if highest > 0:
            self._whole[person] = np.rint(vector * (STEPS / highest))
            self._scale[person] = highest / STEPS

    def similar(self, text: str, person: Ints) -> Floats:
        """The cosine between the text and everybody in ``person``; 0 where nothing is known."""
        vector = self.of(text)
        found = np.zeros(len(person))
        if vector is None or not len(self._whole):
            return found
        known = np.flatnonzero(person < len(self._whole))
        for begin in range(0, len(known), BLOCK):
            part = known[begin : begin + BLOCK]
            numbers = person[part]
            found[part] = (self._whole[numbers].astype(np.float32) @ vector) * self._scale[numbers]
        return found
