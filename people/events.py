"""What happened to persons, as other rooms may hear of it."""

from dataclasses import dataclass

from core.events import Event
from core.ids import CallId, UserId


@dataclass(frozen=True, slots=True)
class ConsultantProfileChanged(Event):
    """Headline, biography, tags, rate, languages or the right to be paid changed; read the profile anew."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class AccessRevoked(Event):
    """Logout, password change or disabling: every socket of this token family (None: of the user) must close."""

    user_id: UserId
    family_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class RatingGiven(Event):
    """The stars, 1 to 5, one participant of an ended call gives the other as they stand now; None: taken back."""

    call_id: CallId
    rater_id: UserId
    ratee_id: UserId
    stars: int | None


@dataclass(frozen=True, slots=True)
class UserBlocked(Event):
    """These two are never matched again, whoever blocked whom."""

    blocker_id: UserId
    blocked_id: UserId
