"""What happened to questions, requests and offers."""

from dataclasses import dataclass
from uuid import UUID

from core.events import Event
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId


@dataclass(frozen=True, slots=True)
class OfferAccepted(Event):
    """A consultant won the claim: a call must be opened. Prices are those the customer consented to."""

    request_id: RequestId
    offer_id: OfferId
    question_id: QuestionId
    call_id: CallId
    customer_id: UserId
    consultant_id: UserId
    rate_minor_per_hour: int
    max_rate_minor_per_hour: int
    currency: str
    cap_minor: int
    terms_version: str
    consented_at_iso: str


@dataclass(frozen=True, slots=True)
class OfferMissed(Event):
    """A ring ended in silence; after two in a row the consultant is set to away."""

    consultant_id: UserId
    consecutive: int


@dataclass(frozen=True, slots=True)
class RequestClosed(Event):
    """The customer's request ended without a call: cancelled, withdrawn or exhausted."""

    request_id: RequestId
    question_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class PromiseMissed(Event):
    """Two minutes after *Ring* nobody had answered: this credit is recorded for the customer, once a request."""

    request_id: RequestId
    question_id: QuestionId
    customer_id: UserId
    amount_minor: int
    currency: str
