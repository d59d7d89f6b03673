"""What happened to calls and presence."""

from dataclasses import dataclass

from core.events import Event
from core.ids import CallId, QuestionId, RequestId, UserId


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    """A consultant's live status changed: ``available``, ``away``, ``in_meeting`` or ``offline``."""

    user_id: UserId
    status: str


@dataclass(frozen=True, slots=True)
class CallOpened(Event):
    """A call exists and is ``preparing``; the hold must be placed before any media."""

    call_id: CallId
    reference: str
    request_id: RequestId
    question_id: QuestionId
    customer_id: UserId
    consultant_id: UserId
    rate_minor_per_hour: int
    max_rate_minor_per_hour: int
    currency: str
    cap_minor: int
    terms_version: str
    consented_at_iso: str


@dataclass(frozen=True, slots=True)
class CallContinued(Event):
    """Somebody came back to a lost call: this one goes on with it, at the same price; nothing is reserved anew."""

    call_id: CallId
    continues_call_id: CallId
    request_id: RequestId
    customer_id: UserId
    consultant_id: UserId


@dataclass(frozen=True, slots=True)
class CallWentLive(Event):
    """Both sides were seen for the first time."""

    call_id: CallId
    customer_id: UserId
    consultant_id: UserId


@dataclass(frozen=True, slots=True)
class CallPaused(Event):
    """Both sides agreed to a pause: nothing is counted until either resumes."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class CallResumed(Event):
    """An agreed pause is over."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """A call is over for good; ``reason`` is a member of ``signaling.call.CloseReason``.

    ``absent`` names the sides (``customer``, ``consultant``) that were never seen.
    """

    call_id: CallId
    request_id: RequestId
    question_id: QuestionId
    customer_id: UserId
    consultant_id: UserId
    reason: str
    went_live: bool
    absent: tuple[str, ...] = ()
