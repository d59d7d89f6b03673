"""The states of a request, and when it must be looked at next (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where a request stands."""

    RINGING = "ringing"
    MATCHED = "matched"
    CANCELLED = "cancelled"
    EXHAUSTED = "exhausted"


class Move(StrEnum):
    """What can happen to a request."""

    MATCH = "match"
    CANCEL = "cancel"
    EXHAUST = "exhaust"


MOVES = {
    (State.RINGING, Move.MATCH): State.MATCHED,
    (State.RINGING, Move.CANCEL): State.CANCELLED,
    (State.RINGING, Move.EXHAUST): State.EXHAUSTED,
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises IllegalMove when the table does not have it."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"The request is {state}; it cannot {move} any more.") from None


@dataclass(frozen=True, slots=True)
class RingTimes:
    """The spans of decisions §6."""

    ring: timedelta = timedelta(seconds=20)
    widen_after: timedelta = timedelta(seconds=60)
    promise: timedelta = timedelta(seconds=120)
    patience: timedelta = timedelta(minutes=10)
    look_again: timedelta = timedelta(seconds=2)  # a fallback only: a consultant who comes online wakes us at once


def rings_wanted(created_at: datetime, now: datetime, times: RingTimes) -> int:
    """How many consultants may ring at once."""
    return 2 if now - created_at >= times.widen_after else 1


def next_look(
    *,
    now: datetime,
    created_at: datetime,
    give_up_at: datetime,
    promise_at: datetime | None,
    rings_until: Iterable[datetime],
    satisfied: bool,
    times: RingTimes,
) -> datetime:
    """When this request needs somebody's attention again; ``satisfied``: as many ring as may ring."""
    moments = [give_up_at, *rings_until]
    widen_at = created_at + times.widen_after
    if widen_at > now:
        moments.append(widen_at)
    if promise_at is not None:
        moments.append(promise_at)
    if not satisfied:
        moments.append(now + times.look_again)
    return min(moments)
