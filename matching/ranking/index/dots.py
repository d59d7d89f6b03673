"""Many dot products with one vector, in blocks that stay in the processor's cache and in one thread (no I/O)."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matching.ranking.index.encoder import Vector

# Larger products are given to several threads, whose waiting for one another takes ten times as long as the product.
BLOCK: Final = 1_024


def dots(rows: NDArray[Any], vector: Vector) -> Vector:
    """[rows] of the products of every row of numbers, whole or broken, with the vector."""
    found = np.empty(len(rows), dtype=np.float32)
    room = np.empty((BLOCK, rows.shape[1]), dtype=np.float32)
    for begin in range(0, len(rows), BLOCK):
        part = rows[begin : begin + BLOCK]
        if part.dtype != np.float32:
            np.copyto(room[: len(part)], part)
            part = room[: len(part)]
        np.matmul(part, vector, out=found[begin : begin + len(part)])
    return found
