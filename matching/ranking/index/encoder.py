"""The encoder's interface: a text as a point, so that texts of one meaning are near one another (no I/O)."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

WIDTH: Final = 384
Vector = NDArray[np.float32]


class Encoder(Protocol):
    """Turns a text into a vector of length one; vectors are comparable when one ``version`` made them."""

    @property
    def version(self) -> str:
        """The name of the weights and their precision."""
        ...

    def encode(self, text: str) -> Vector:
        """[WIDTH], length one."""
        ...
