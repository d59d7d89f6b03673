"""Requests and offers: ring, keep waiting, cancel; accept and decline."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from core.ids import OfferId, QuestionId, RequestId, UserId
from core.money import Currency
from matching.dispatch.answers import NOTE_MAX
from matching.dispatch.requests import RATE_MAX, Wish
from people.consents import Agreement
from signaling.views import RequestView
from web.routes.questions import Language, LeastStars
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output


class RequestIn(Input):
    """Whom to ring and what the customer consents to pay at most; a language and a least rating are for all rings."""

    question_id: UUID
    consultant_id: UUID | None = None
    max_rate_minor_per_hour: Annotated[int, Field(gt=0, le=RATE_MAX)]
    currency: Currency
    language: Language | None = None
    min_stars: LeastStars | None = None
    cap_minor: Annotated[int, Field(gt=0, le=8 * RATE_MAX)]
    terms_version: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    consent: Literal[True]
    idempotency_key: UUID


class DeclineIn(Input):
    """Why not."""

    reason: Literal["busy", "not_my_field", "price", "other"]
    note: Annotated[str, StringConstraints(max_length=NOTE_MAX)] | None = None


class AcceptedOut(Output):
    """The call that opens now."""

    call_id: UUID


@route("POST", "/api/requests", access=Access.CUSTOMER, body=RequestIn, reply=RequestView, status=201)
async def ring(call: Call) -> RequestView:
    """Ring: the chosen consultant, or the best match, first."""
    body: RequestIn = call.body
    call.house.consents.require_current(Agreement("terms", body.terms_version))
    wish = Wish(
        question_id=QuestionId(body.question_id),
        consultant_id=None if body.consultant_id is None else UserId(body.consultant_id),
        max_rate_minor_per_hour=body.max_rate_minor_per_hour,
        currency=body.currency,
        cap_minor=body.cap_minor,
        terms_version=body.terms_version,
        consent=body.consent,
        idempotency_key=body.idempotency_key,
        language=body.language,
        min_stars=body.min_stars,
    )
    async with call.house.db.begin() as tx:
        return RequestView.model_validate(await call.house.requests.create(tx, call.user, wish))


@route("GET", "/api/requests/{request_id}", access=Access.CUSTOMER, reply=RequestView, owned="request")
async def get_request(call: Call) -> RequestView:
    """One's own request."""
    async with call.house.db.begin() as tx:
        return RequestView.model_validate(
            await call.house.requests.get(tx, call.user, RequestId(call.id("request_id")))
        )


@route(
    "POST", "/api/requests/{request_id}/cancel", access=Access.CUSTOMER, body=Empty, reply=RequestView, owned="request"
)
async def cancel_request(call: Call) -> RequestView:
    """Stop ringing, at once and everywhere."""
    async with call.house.db.begin() as tx:
        return RequestView.model_validate(
            await call.house.requests.cancel(tx, call.user, RequestId(call.id("request_id")))
        )


@route(
    "POST",
    "/api/requests/{request_id}/keep-waiting",
    access=Access.CUSTOMER,
    body=Empty,
    reply=RequestView,
    owned="request",
)
async def keep_waiting(call: Call) -> RequestView:
    """Go on looking after the promise passed."""
    async with call.house.db.begin() as tx:
        return RequestView.model_validate(
            await call.house.requests.keep_waiting(tx, call.user, RequestId(call.id("request_id")))
        )


@route("POST", "/api/offers/{offer_id}/accept", access=Access.CONSULTANT, body=Empty, reply=AcceptedOut, owned="offer")
async def accept_offer(call: Call) -> AcceptedOut:
    """Take the call; the first who accepts wins."""
    async with call.house.db.begin() as tx:
        return AcceptedOut(call_id=await call.house.requests.accept(tx, call.user, OfferId(call.id("offer_id"))))


@route("POST", "/api/offers/{offer_id}/decline", access=Access.CONSULTANT, body=DeclineIn, owned="offer")
async def decline_offer(call: Call) -> None:
    """Say no, with a reason; the next consultant rings at once."""
    body: DeclineIn = call.body
    async with call.house.db.begin() as tx:
        await call.house.requests.decline(
            tx, call.user, OfferId(call.id("offer_id")), reason=body.reason, note=body.note
        )
