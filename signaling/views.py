"""What a client sees: the snapshot and every view in it, as typed as the wire (all times UTC)."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from core.money import Currency


class View(BaseModel):
    """Base of every view: read from objects or mappings, never changed afterwards."""

    model_config = ConfigDict(from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True)


def _whole_seconds_or_ms(at: datetime) -> datetime:
    """Milliseconds are the finest a browser's clock can say."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


Moment = Annotated[AwareDatetime, AfterValidator(_whole_seconds_or_ms)]
Side = Literal["customer", "consultant"]


class Me(View):
    """Who is signed in."""

    user_id: UUID
    roles: list[str]
    display_name: str


class Stage(View):
    """One line of the waiting screen."""

    stage: Literal["requested", "ringing", "missed", "declined", "accepted", "hold", "connected"]
    at: Moment
    consultant_id: UUID | None
    consultant_name: str | None


class Ringing(View):
    """A consultant who is being rung right now."""

    offer_id: UUID
    consultant_id: UUID
    consultant_name: str
    rings_until: Moment


class PromiseCredit(View):
    """What is noted for the customer because nobody answered within the promise."""

    amount_minor: int
    currency: str


class RequestView(View):
    """The customer's running request; ``waiting_over`` says that the promise passed and a decision is due.

    ``position`` (1 is next) and ``usual_wait_s`` stand while nobody is rung, as far as they are known. ``language`` and
    ``min_stars`` are what the customer narrowed down who is rung to.
    """

    id: UUID
    question_id: UUID
    question_title: str
    state: Literal["ringing", "matched", "cancelled", "exhausted"]
    created_at: Moment
    promise_at: Moment
    stages: list[Stage]
    ringing: list[Ringing]
    call_id: UUID | None
    waiting_over: bool
    language: str | None = None
    min_stars: int | None = None
    credit: PromiseCredit | None = None
    position: int | None = None
    usual_wait_s: int | None = None


class WishView(View):
    """*Tell me when somebody is online*, for one question; ``told_at`` and the consultant once somebody is."""

    question_id: UUID
    question_title: str
    expires_at: Moment
    told_at: Moment | None
    consultant_id: UUID | None
    consultant_name: str | None


class OfferQuestion(View):
    """The question a ring is about."""

    id: UUID
    title: str
    details: str
    language: str
    tags: list[str]


class OfferCustomer(View):
    """Who asks, as far as a consultant may know before accepting."""

    display_name: str
    rating: float | None
    rating_count: int


class Reason(View):
    """Why this consultant was chosen: a machine code and its parameters, worded by the client."""

    code: str
    params: dict[str, Any]


class OfferView(View):
    """One ring at a consultant."""

    id: UUID
    request_id: UUID
    state: Literal["ringing"]
    question: OfferQuestion
    customer: OfferCustomer
    reasons: list[Reason]
    rate_minor_per_hour: int
    currency: Currency
    net_minor_per_hour: int
    cap_minor: int
    rings_until: Moment
    created_at: Moment


class Person(View):
    """The other side of a call."""

    user_id: UUID
    display_name: str


class CallQuestion(View):
    """What the call is about."""

    id: UUID
    title: str
    details: str


class Participant(View):
    """One side as the server sees it; the switches are what that side says about itself.

    ``video_held``: its picture is held back, so that its sound comes through a bad network.
    """

    seen: bool
    last_seen_at: Moment | None
    microphone: bool
    camera: bool
    screen: bool
    video_held: bool


class Participants(View):
    """Both sides of a call."""

    customer: Participant
    consultant: Participant


class PauseView(View):
    """A pause that was proposed or agreed."""

    state: Literal["proposed", "agreed"]
    by: Side
    since: Moment


class RecordingView(View):
    """Whether this call is recorded: ``asked`` by one side, ``on`` while both agree."""

    possible: bool
    state: Literal["off", "asked", "on"]
    by: Side | None


class CallView(View):
    """A call, seen from one of its sides; ``deadline_at`` is the time to join or to be back by.

    ``media_epoch`` grows when the call moves to another media node: who joined before must join again.
    ``continues_call_id`` is the lost call that this one goes on with, at its price and on its meter.
    """

    id: UUID
    reference: str
    state: Literal["preparing", "live", "interrupted", "ended"]
    close_reason: str | None
    role: Side
    other: Person
    question: CallQuestion
    created_at: Moment
    live_at: Moment | None
    ended_at: Moment | None
    deadline_at: Moment | None
    media_ready: bool
    media_epoch: int
    participants: Participants
    pause: PauseView | None
    recording: RecordingView
    demo: bool
    continues_call_id: UUID | None


class CallSummary(View):
    """One line of the history."""

    id: UUID
    reference: str
    state: Literal["preparing", "live", "interrupted", "ended"]
    close_reason: str | None
    role: Side
    other: Person
    question_title: str
    created_at: Moment
    live_at: Moment | None
    ended_at: Moment | None
    continues_call_id: UUID | None


class Authenticate(View):
    """Where the customer confirms the hold with the bank (3-D Secure)."""

    url: str


class LateHold(View):
    """The hold of a trusted customer, placed when connected time reaches ``due_ms``.

    One that is ``missed``, or does not stand at the threshold, ends the call there, free of charge.
    """

    due_ms: int
    state: Literal["later", "asked", "stands", "missed"]


class MeterView(View):
    """Observed time and its price; a client extrapolates from ``as_of`` while ``running``.

    ``returns_until``: the call was lost, and until then either side may come back to it. All calls of such a chain
    have one meter.
    """

    call_id: UUID
    charge_state: str
    currency: Currency
    rate_minor_per_hour: int
    commission_bps: int
    policy: Literal["whole_call", "after_threshold"]
    threshold_ms: int
    cap_minor: int
    held_minor: int
    connected_ms: int
    as_of: Moment
    running: bool
    unbilled_cause: str | None
    unbilled_since: Moment | None
    gross_minor: int
    net_minor: int
    cap_ms: int
    extend_minor: int | None
    authenticate: Authenticate | None
    late_hold: LateHold | None
    final: bool
    returns_until: Moment | None


class PresenceView(View):
    """A consultant's switch; ``missing`` says what stands between them and going online."""

    status: Literal["offline", "available", "away", "in_meeting", "limited"]
    switched_on: bool
    can_go_online: bool
    missing: list[str]
    away_reason: str | None


class Snapshot(View):
    """Everything a user is in, whole; a client shows the one with the highest ``version`` it has."""

    v: Literal[1] = 1
    version: int
    server_now: Moment
    me: Me
    request: RequestView | None
    wishes: list[WishView]
    offers: list[OfferView]
    call: CallView | None
    meter: MeterView | None
    presence: PresenceView | None
