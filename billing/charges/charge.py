"""The charge's life, PURE: one per call, from the price snapshot to captured, released or abandoned."""

from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where a charge is; ``metering`` means that media may run: a hold stands, or a trusted customer's comes later."""

    OPEN = "open"
    HOLDING = "holding"
    AWAITING_CUSTOMER = "awaiting_customer"
    METERING = "metering"
    REVIEWING = "reviewing"
    SETTLING = "settling"
    CAPTURED = "captured"
    RELEASED = "released"
    UNCOLLECTABLE = "uncollectable"
    ABANDONED = "abandoned"


class Move(StrEnum):
    """What can happen to a charge."""

    PLACE = "place"  # a hold is being placed
    DEFER = "defer"  # the customer is trusted: the hold is placed during the call
    ASK = "ask"  # the bank wants the customer (3-D Secure)
    STAND = "stand"  # the first hold stands
    ABANDON = "abandon"  # declined, too late, or the call ended before the hold stood
    REVIEW = "review"  # every interval is final: the customer may look at the bill before it is taken
    SETTLE = "settle"  # every interval is final: the bill is computed
    CAPTURE = "capture"  # everything due was taken
    RELEASE = "release"  # nothing was due and every hold is gone
    FAIL = "fail"  # something was due and could not be taken


MOVES = {
    (State.OPEN, Move.PLACE): State.HOLDING,
    (State.OPEN, Move.DEFER): State.METERING,
    (State.OPEN, Move.ABANDON): State.ABANDONED,
    (State.HOLDING, Move.ASK): State.AWAITING_CUSTOMER,
    (State.HOLDING, Move.STAND): State.METERING,
    (State.HOLDING, Move.ABANDON): State.ABANDONED,
    (State.AWAITING_CUSTOMER, Move.STAND): State.METERING,
    (State.AWAITING_CUSTOMER, Move.ABANDON): State.ABANDONED,
    (State.METERING, Move.REVIEW): State.REVIEWING,
    (State.METERING, Move.SETTLE): State.SETTLING,
    (State.REVIEWING, Move.SETTLE): State.SETTLING,
    (State.SETTLING, Move.CAPTURE): State.CAPTURED,
    (State.SETTLING, Move.RELEASE): State.RELEASED,
    (State.SETTLING, Move.FAIL): State.UNCOLLECTABLE,
}

PREPARING = frozenset({State.OPEN, State.HOLDING, State.AWAITING_CUSTOMER})
FINAL = frozenset({State.CAPTURED, State.RELEASED, State.UNCOLLECTABLE, State.ABANDONED})


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"A charge that is {state} cannot {move}.") from None
