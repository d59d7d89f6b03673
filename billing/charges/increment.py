"""A raise's life, PURE: a hold that stands is asked to hold more, and what the amount Stripe shows means for it.

Source: docs.stripe.com/payments/incremental-authorization.
"""

from collections.abc import Sequence
from enum import StrEnum

from core.errors import IllegalMove

MOST = 10  # attempts an intent, refused ones included


class State(StrEnum):
    """Where a raise is; ``late`` means that the money was reserved when nobody waited for it any more."""

    ASKED = "asked"
    GRANTED = "granted"
    DECLINED = "declined"
    GIVEN_UP = "given_up"
    LATE = "late"


class Move(StrEnum):
    """What can happen to a raise."""

    GRANT = "grant"  # the bank holds the larger amount
    DECLINE = "decline"  # a definite no: the hold stands as it was
    GIVE_UP = "give_up"  # the call is over, or the time to wait for it


MOVES = {
    (State.ASKED, Move.GRANT): State.GRANTED,
    (State.ASKED, Move.DECLINE): State.DECLINED,
    (State.ASKED, Move.GIVE_UP): State.GIVEN_UP,
    (State.DECLINED, Move.GRANT): State.LATE,
    (State.GIVEN_UP, Move.GRANT): State.LATE,
}

FINAL = frozenset({State.GRANTED, State.LATE})


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"A raise that is {state} cannot {move}.") from None


def told(state: State, to_minor: int, seen_minor: int) -> Move | None:
    """What an intent's amount of ``seen_minor`` tells a raise to ``to_minor``; None when it is old news.

    A smaller amount is no refusal: the answer may be on its way, or what was read older than it.
    """
    return Move.GRANT if seen_minor >= to_minor and (state, Move.GRANT) in MOVES else None


def known_amounts(amount_minor: int, raises: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Every amount the intent of a hold may show: what it holds by now, before and after each (from, to) asked for."""
    return frozenset({amount_minor, *(amount for both in raises for amount in both)})


def may_be_raised(*, incremental: bool, raises: Sequence[State]) -> bool:
    """Whether a hold that stands may be asked for more: one that was not raised once is left as it is."""
    return incremental and len(raises) < MOST and all(state is State.GRANTED for state in raises)
