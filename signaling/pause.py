"""An agreed pause, PURE: one side proposes, the other agrees or declines, either resumes."""

from enum import StrEnum

from core.errors import IllegalMove
from signaling.call import Role


class Pause(StrEnum):
    """Where a pause is; time is unbilled only while it is ``agreed``."""

    NONE = "none"
    PROPOSED = "proposed"
    AGREED = "agreed"


class PauseAction(StrEnum):
    """What a side can do about a pause."""

    PROPOSE = "propose"
    AGREE = "agree"
    DECLINE = "decline"
    RESUME = "resume"


MOVES = {
    # (pause, action, whether the actor is the side that proposed)
    (Pause.NONE, PauseAction.PROPOSE, False): Pause.PROPOSED,
    (Pause.PROPOSED, PauseAction.AGREE, False): Pause.AGREED,
    (Pause.PROPOSED, PauseAction.PROPOSE, False): Pause.AGREED,  # both asked at once: they agree
    (Pause.PROPOSED, PauseAction.DECLINE, False): Pause.NONE,
    (Pause.PROPOSED, PauseAction.DECLINE, True): Pause.NONE,  # taken back
    (Pause.AGREED, PauseAction.RESUME, False): Pause.NONE,
    (Pause.AGREED, PauseAction.RESUME, True): Pause.NONE,
}


def advance(pause: Pause, action: PauseAction, *, actor: Role, proposer: Role | None) -> Pause:
    """The pause after ``actor`` did ``action``; raises ``IllegalMove`` when the table has no such row."""
    try:
        return MOVES[pause, action, actor is proposer]
    except KeyError:
        raise IllegalMove(f"You cannot {action} a pause now.") from None
