"""A consultant's live status, PURE: what the switch, the heartbeat, missed rings and calls add up to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """What customers see of a consultant."""

    OFFLINE = "offline"
    AVAILABLE = "available"
    AWAY = "away"
    IN_MEETING = "in_meeting"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the status follows from; there is no other memory, so 'back to before' needs no code."""

    switched_on: bool
    in_call: bool
    away: bool
    last_seen_at: datetime | None


def status_of(facts: Facts, *, now: datetime, grace: timedelta) -> Status:
    """The status at ``now``; a heartbeat exactly ``grace`` old still counts."""
    if facts.in_call:
        return Status.IN_MEETING
    if not facts.switched_on or facts.last_seen_at is None or now - facts.last_seen_at > grace:
        return Status.OFFLINE
    return Status.AWAY if facts.away else Status.AVAILABLE
