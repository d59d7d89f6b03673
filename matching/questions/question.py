"""The states of a question (pure)."""

from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where a question stands."""

    OPEN = "open"
    WITHDRAWN = "withdrawn"
    ANSWERED = "answered"


class Move(StrEnum):
    """What can happen to a question."""

    EDIT = "edit"
    WITHDRAW = "withdraw"
    ANSWER = "answer"


MOVES = {
    (State.OPEN, Move.EDIT): State.OPEN,
    (State.OPEN, Move.WITHDRAW): State.WITHDRAWN,
    (State.OPEN, Move.ANSWER): State.ANSWERED,
    (State.ANSWERED, Move.ANSWER): State.ANSWERED,  # a second call about the same question
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises IllegalMove when the table does not have it."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"The question is {state}; it cannot {move} any more.") from None
