"""A command's life, PURE: one write to Stripe, whose outcome may stay unknown but is never guessed."""

from datetime import timedelta
from enum import StrEnum

from core.errors import IllegalMove

SAME_KEY_FOR = timedelta(hours=23)  # Stripe keeps idempotency keys for 24 h at least
ABSENT_FOR = timedelta(minutes=5)  # absent on two reads this far apart means that it never happened
# Longer than the limiter's patience and the provider's time-out: nobody else sends meanwhile. Much shorter than the
# half minute in which everything must have moved on after a sender was killed.
LEASE = timedelta(seconds=20)
LONGEST_PAUSE_S = 600.0
HURRIED_PAUSE_S = 5.0  # while a person waits for the hold
_FIRST_PAUSE_S = 0.5


class Kind(StrEnum):
    """The writes this room makes."""

    CREATE = "create"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    CANCEL = "cancel"
    INCREMENT = "increment"  # the same hold, a larger amount
    REFUND = "refund"
    REVERSE = "reverse"  # a disputed share is taken back from the connected account
    RETURN = "return"  # and goes there again
    EVIDENCE = "evidence"


class State(StrEnum):
    """Where a command is."""

    INTENDED = "intended"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


class Move(StrEnum):
    """What can happen to a command."""

    SEND = "send"
    FINISH = "finish"  # its effect is seen, in the answer or by asking
    REFUSE = "refuse"  # a definite no, or no longer wanted before it was sent
    LOSE = "lose"  # no answer: nobody knows
    POSTPONE = "postpone"  # Stripe did not begin (429, 409)


MOVES = {
    (State.INTENDED, Move.SEND): State.SENT,
    (State.INTENDED, Move.FINISH): State.DONE,
    (State.INTENDED, Move.REFUSE): State.REFUSED,
    (State.SENT, Move.SEND): State.SENT,  # whoever sent it died; the same key makes it harmless
    (State.SENT, Move.FINISH): State.DONE,
    (State.SENT, Move.REFUSE): State.REFUSED,
    (State.SENT, Move.LOSE): State.UNKNOWN,
    (State.SENT, Move.POSTPONE): State.UNKNOWN,  # an earlier attempt may have begun: stay careful
    (State.UNKNOWN, Move.SEND): State.SENT,
    (State.UNKNOWN, Move.LOSE): State.UNKNOWN,  # a sender that came back after its lease: the sweeper said so first
    (State.UNKNOWN, Move.POSTPONE): State.UNKNOWN,
    (State.UNKNOWN, Move.FINISH): State.DONE,
    (State.UNKNOWN, Move.REFUSE): State.REFUSED,
}

FINAL = frozenset({State.DONE, State.REFUSED})

# The statuses of a PaymentIntent in which the effect of a command is seen.
_EFFECT = {
    Kind.CONFIRM: frozenset(
        {"requires_action", "requires_capture", "requires_payment_method", "processing", "succeeded", "canceled"}
    ),
    Kind.CAPTURE: frozenset({"succeeded", "canceled"}),
    Kind.CANCEL: frozenset({"canceled", "succeeded"}),
    Kind.INCREMENT: frozenset({"canceled", "succeeded"}),  # nothing left to raise; else the amount says it
}


def advance(state: State, move: Move) -> State:
    """The state after ``move``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[state, move]
    except KeyError:
        raise IllegalMove(f"A command that is {state} cannot {move}.") from None


def effect_seen(kind: Kind, status: str) -> bool:
    """Whether a PaymentIntent in ``status`` shows that this command on a hold has nothing left to do."""
    return kind is Kind.CREATE or status in _EFFECT.get(kind, frozenset())


def pause(attempts: int, share: float, *, hurried: bool) -> timedelta:
    """How long to wait before attempt ``attempts + 1``; ``share`` in [0, 1) spreads callers apart (jitter)."""
    longest = HURRIED_PAUSE_S if hurried else LONGEST_PAUSE_S
    full = min(longest, _FIRST_PAUSE_S * 2 ** min(attempts, 20))
    return timedelta(seconds=full / 2 + full / 2 * share)
