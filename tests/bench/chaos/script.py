"""What each session does, and what it must cost: the oracle knows the script and the rules, and no code of ours."""

import random
from dataclasses import dataclass
from enum import StrEnum

RATE_MINOR, CAP_MINOR, EXTENSION_MINOR = 9_000, 4_500, 1_500  # an hour; half an hour of it; ten minutes of it
THRESHOLD_MS = 600_000
COMMISSION_PERCENT = 15


class Kind(StrEnum):
    """How a session goes."""

    EARLY = "early"  # the customer leaves while the hold is being placed
    SHORT = "short"  # ends inside the free ten minutes
    PAID = "paid"
    CAPPED = "capped"  # talks until the cap ends it
    EXTENDED = "extended"  # a second hold, and time that needs it


_SHARES = {Kind.EARLY: 1, Kind.SHORT: 2, Kind.PAID: 5, Kind.CAPPED: 1, Kind.EXTENDED: 1}
_TARGETS_S = {
    Kind.SHORT: (30, 480),
    Kind.PAID: (610, 1_500),
    Kind.CAPPED: (1_810, 1_900),
    Kind.EXTENDED: (1_850, 2_200),
}


@dataclass(frozen=True, slots=True)
class Script:
    """One session: connected time to reach, how long to stay after it, and which side leaves."""

    number: int
    kind: Kind
    target_ms: int
    linger_s: float
    leaver: str


def scripts(sessions: int, seed: int) -> list[Script]:
    """The same list for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - a simulation, no secret
    found = []
    for number in range(sessions):
        kind = chance.choices(list(_SHARES), weights=list(_SHARES.values()))[0]
        first, last = _TARGETS_S.get(kind, (0, 0))
        target_ms = 1000 * chance.randint(first, last)
        leaver = chance.choice(("customer", "consultant"))
        found.append(Script(number, kind, target_ms, chance.uniform(0, 1.5), leaver))
    return found


def due_minor(connected_ms: int, cap_minor: int) -> int:
    """What this much connected time costs: nothing inside the threshold, then all of it, up to the cap."""
    if connected_ms < THRESHOLD_MS:
        return 0
    return min((2 * RATE_MINOR * connected_ms + 3_600_000) // 7_200_000, cap_minor)


def commission_minor(gross_minor: int) -> int:
    """The platform's part, half up."""
    return (2 * gross_minor * COMMISSION_PERCENT + 100) // 200
