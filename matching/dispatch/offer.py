"""The states of an offer, that is of one ring at one consultant (pure)."""

from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where an offer stands."""

    RINGING = "ringing"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    MISSED = "missed"
    WITHDRAWN = "withdrawn"
    TAKEN = "taken"


class Move(StrEnum):
    """What can happen to an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"
    MISS = "miss"
    WITHDRAW = "withdraw"
    LOSE = "lose"


MOVES = {
    (State.RINGING, Move.ACCEPT): State.ACCEPTED,
    (State.RINGING, Move.DECLINE): State.DECLINED,
    (State.RINGING, Move.MISS): State.MISSED,
    (State.RINGING, Move.WITHDRAW): State.WITHDRAWN,  # the customer stopped, or the consultant went offline
    (State.RINGING, Move.LOSE): State.TAKEN,  # somebody else was faster
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises IllegalMove when the table does not have it."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"This ring is {state}; {move} is too late.") from None
