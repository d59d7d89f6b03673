"""What the media plane observed. Durations are monotonic milliseconds; wall-clock times are labels."""

from dataclasses import dataclass
from datetime import datetime

from core.events import Event
from core.ids import CallId


@dataclass(frozen=True, slots=True)
class ParticipantSeen(Event):
    """Media of this side (``customer`` or ``consultant``) arrives (again)."""

    call_id: CallId
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ParticipantUnseen(Event):
    """Nothing came from this side for the silence limit; ``last_packet_at`` is when it was last seen."""

    call_id: CallId
    role: str
    last_packet_at: datetime


@dataclass(frozen=True, slots=True)
class IntervalOpened(Event):
    """Both sides are seen from ``started_at`` on: connected time runs."""

    call_id: CallId
    n: int
    started_at: datetime


@dataclass(frozen=True, slots=True)
class IntervalClosed(Event):
    """Connected time of interval ``n`` is final: it ended at the last packet of the side that went missing.

    ``cause`` is a member of ``media.intervals.Cause``: ``customer_unseen``, ``agreed_pause``, ``ended`` and so on.
    """

    call_id: CallId
    n: int
    started_at: datetime
    duration_ms: int
    cause: str


@dataclass(frozen=True, slots=True)
class MediaMoved(Event):
    """The node that carried this call does so no more: both sides join again, where the directory sends them."""

    call_id: CallId
    epoch: int


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """Every interval of this call is final; the bill may be computed."""

    call_id: CallId
