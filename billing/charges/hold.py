"""The hold's life, PURE: one PaymentIntent with manual capture, and what Stripe's status means for it."""

from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where a hold is; ``held`` means that the bank has reserved the money."""

    PLACING = "placing"
    NEEDS_ACTION = "needs_action"
    HELD = "held"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    RELEASING = "releasing"
    RELEASED = "released"
    DECLINED = "declined"
    LAPSED = "lapsed"


class Move(StrEnum):
    """What can happen to a hold."""

    ASK = "ask"  # the bank wants the customer
    STAND = "stand"  # the money is reserved
    DECLINE = "decline"  # a definite no
    DROP = "drop"  # it never came to stand, and never will
    CAPTURE = "capture"  # we intend to take money
    SUCCEED = "succeed"  # Stripe took it
    RELEASE = "release"  # we intend to let it go
    VANISH = "vanish"  # Stripe let it go because we asked
    LAPSE = "lapse"  # it ended without our asking


MOVES = {
    (State.PLACING, Move.ASK): State.NEEDS_ACTION,
    (State.PLACING, Move.STAND): State.HELD,
    (State.PLACING, Move.DECLINE): State.DECLINED,
    (State.PLACING, Move.DROP): State.RELEASED,
    (State.PLACING, Move.RELEASE): State.RELEASING,
    (State.NEEDS_ACTION, Move.STAND): State.HELD,
    (State.NEEDS_ACTION, Move.DECLINE): State.DECLINED,
    (State.NEEDS_ACTION, Move.DROP): State.RELEASED,
    (State.NEEDS_ACTION, Move.RELEASE): State.RELEASING,
    (State.HELD, Move.CAPTURE): State.CAPTURING,
    (State.HELD, Move.RELEASE): State.RELEASING,
    (State.HELD, Move.LAPSE): State.LAPSED,
    (State.CAPTURING, Move.SUCCEED): State.CAPTURED,
    (State.CAPTURING, Move.LAPSE): State.LAPSED,
    (State.CAPTURING, Move.RELEASE): State.RELEASING,  # the capture was refused for good
    (State.RELEASING, Move.VANISH): State.RELEASED,
}

FINAL = frozenset({State.CAPTURED, State.RELEASED, State.DECLINED, State.LAPSED})
UNDECIDED = frozenset({State.PLACING, State.NEEDS_ACTION})
RESERVED = frozenset({State.HELD, State.CAPTURING})

# What Stripe's status tells a hold in each state. A pair that is not here tells nothing new: messages come
# in any order and more than once, so only what leads forward is followed.
TOLD = {
    (State.PLACING, "requires_action"): Move.ASK,
    (State.PLACING, "requires_capture"): Move.STAND,
    (State.PLACING, "requires_payment_method"): Move.DECLINE,
    (State.PLACING, "canceled"): Move.DROP,
    (State.NEEDS_ACTION, "requires_capture"): Move.STAND,
    (State.NEEDS_ACTION, "requires_payment_method"): Move.DECLINE,
    (State.NEEDS_ACTION, "canceled"): Move.DROP,
    (State.HELD, "canceled"): Move.LAPSE,
    (State.CAPTURING, "succeeded"): Move.SUCCEED,
    (State.CAPTURING, "canceled"): Move.LAPSE,
    (State.RELEASING, "canceled"): Move.VANISH,
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"A hold that is {state} cannot {move}.") from None


def told(state: State, status: str) -> Move | None:
    """The move that Stripe's ``status`` means for a hold in ``state``; None when it is old news."""
    return TOLD.get((state, status))


def contradicts(state: State, status: str) -> bool:
    """Whether Stripe says it took money that we did not ask for: a person must look."""
    return status == "succeeded" and state not in {State.CAPTURING, State.CAPTURED}
