"""The plan of credits, PURE: how much of each is given back of one capture."""

from collections.abc import Sequence


def uses(open_minor: Sequence[int], most_minor: int) -> list[int]:
    """What of each open credit is used, in their order (the oldest first), together never more than ``most_minor``.

    A credit that fits only in part keeps the rest; of those behind it nothing is used.
    """
    used: list[int] = []
    left = max(0, most_minor)
    for amount in open_minor:
        used.append(min(amount, left))
        left -= used[-1]
    return used
