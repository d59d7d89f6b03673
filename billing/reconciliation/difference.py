"""A figure of a bill that is not what its raw rows give, PURE: the comparison, and the name of what it finds."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure, as it is stored (-1: not at all) and as it was computed again."""

    charge_id: UUID
    figure: str
    stored: int
    computed: int

    @property
    def key(self) -> str:
        """The name of the difference: found again, it is the same one."""
        return f"bill:{self.charge_id}:{self.figure}:{self.stored}:{self.computed}"


def unequal(charge_id: UUID, pairs: Iterable[tuple[str, int | None, int]]) -> list[Difference]:
    """What differs of these figures, each as it is stored and as it was computed."""
    return [
        Difference(charge_id, figure, -1 if stored is None else int(stored), int(computed))
        for figure, stored, computed in pairs
        if stored is None or int(stored) != int(computed)
    ]
