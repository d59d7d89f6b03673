"""The call's life, PURE: preparing → live ⇄ interrupted → ended, and why it ended."""

from enum import StrEnum

from core.errors import IllegalMove


class State(StrEnum):
    """Where a call is; ``interrupted`` is a live call in which one side is not seen."""

    PREPARING = "preparing"
    LIVE = "live"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


class Move(StrEnum):
    """What can happen to a call."""

    CONNECT = "connect"  # both sides are seen
    LOSE = "lose"  # one side is no longer seen
    END = "end"


class CloseReason(StrEnum):
    """Why a call ended; the interface has a sentence for each."""

    CUSTOMER_LEFT = "customer_left"
    CONSULTANT_LEFT = "consultant_left"
    CAP_REACHED = "cap_reached"
    CONNECTION_LOST = "connection_lost"
    NO_SHOW = "no_show"
    HOLD_DECLINED = "hold_declined"
    AUTHENTICATION_ABANDONED = "authentication_abandoned"
    PAYMENT_UNAVAILABLE = "payment_unavailable"
    HOLD_MISSED = "hold_missed"
    REMOVED = "removed"
    BLOCKED = "blocked"


class Role(StrEnum):
    """The two sides of a call."""

    CUSTOMER = "customer"
    CONSULTANT = "consultant"

    @property
    def other(self) -> "Role":
        """The opposite side."""
        return Role.CONSULTANT if self is Role.CUSTOMER else Role.CUSTOMER

    @property
    def left(self) -> CloseReason:
        """Why the call ended when this side left."""
        return CloseReason.CUSTOMER_LEFT if self is Role.CUSTOMER else CloseReason.CONSULTANT_LEFT


MOVES = {
    (State.PREPARING, Move.CONNECT): State.LIVE,
    (State.PREPARING, Move.END): State.ENDED,
    (State.LIVE, Move.LOSE): State.INTERRUPTED,
    (State.LIVE, Move.END): State.ENDED,
    (State.INTERRUPTED, Move.CONNECT): State.LIVE,
    (State.INTERRUPTED, Move.END): State.ENDED,
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"A call that is {state} cannot {move}.") from None


def overdue(state: State, *, media_ready: bool) -> CloseReason:
    """Why a call ends whose deadline has passed."""
    if state is State.INTERRUPTED:
        return CloseReason.CONNECTION_LOST
    return CloseReason.NO_SHOW if media_ready else CloseReason.PAYMENT_UNAVAILABLE
