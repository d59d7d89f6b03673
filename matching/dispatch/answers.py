"""Answers to a ring: accept (the atomic claim) and decline."""

from datetime import timedelta
from typing import assert_never

from core.db import Tx
from core.errors import Conflict
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId, new_id
from matching.consultants import consultant_store
from matching.dispatch import claims, offer, request, store
from matching.dispatch.dispatch import Dispatcher
from matching.events import OfferAccepted
from matching.models import OfferRow, RequestRow
from people.text import clean

_MS = timedelta(milliseconds=1)
NOTE_MAX = 500


class AlreadyTaken(Conflict):
    """Somebody else was faster. You stay first in line for the next question."""

    code = "already_taken"


class Withdrawn(Conflict):
    """The customer stopped ringing."""

    code = "withdrawn"


class Expired(Conflict):
    """The ring is over; the next one is yours."""

    code = "expired"


class Answers:
    """What a consultant may answer. The request's row lock is the claim: whoever holds it first wins."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def accept(self, tx: Tx, user: UserId, offer_id: OfferId) -> CallId:
        """Claim the request and open the call; accepting twice gives the same call."""
        row, mine = await self._locked(tx, user, offer_id)
        if mine.state == offer.State.ACCEPTED and row.call_id is not None:
            return CallId(row.call_id)
        refuse_answered(offer.State(mine.state))
        if user in await consultant_store.blocked_with(tx, UserId(row.customer_id)):
            raise Withdrawn  # blocked while it rang: the next look stops the ring
        await self._settle(tx, mine, offer.Move.ACCEPT)
        row.state = request.advance(request.State(row.state), request.Move.MATCH)
        row.call_id, row.due_at, row.waiting_over = new_id(), None, False
        store.add_stage(tx, row.id, "accepted", user)
        await self._stop_others(tx, row)
        tx.touch([row.customer_id, user])
        await tx.session.flush()
        await tx.publish(accepted(row, mine))
        # After the event: presence locks its row first and then the projection's, and so must we.
        await consultant_store.answered(tx, user, (tx.now - mine.created_at) // _MS, accepted=True)
        tx.signal("consultant", str(user))
        return CallId(row.call_id)

    async def _stop_others(self, tx: Tx, row: RequestRow) -> None:
        await tx.session.flush()
        others = await store.ringing_of_request(tx, row.id)
        for other in others:
            await claims.settle(tx, other, offer.Move.LOSE)
            tx.touch([other.consultant_id])
        if others:
            await store.wake_waiting(tx)

    async def decline(self, tx: Tx, user: UserId, offer_id: OfferId, *, reason: str, note: str | None = None) -> None:
        """Say no; the next consultant rings at once. Declining twice changes nothing."""
        row, mine = await self._locked(tx, user, offer_id)
        if mine.state == offer.State.DECLINED:
            return
        refuse_answered(offer.State(mine.state))
        await self._settle(tx, mine, offer.Move.DECLINE)
        mine.decline_reason, mine.decline_note = reason, clean(note or "")[:NOTE_MAX] or None
        store.add_stage(tx, row.id, "declined", user)
        tx.touch([row.customer_id, user])
        await tx.session.flush()
        await self._dispatcher.move_on(tx, row)
        await consultant_store.answered(tx, user, (tx.now - mine.created_at) // _MS, accepted=False)
        tx.signal("consultant", str(user))

    async def _settle(self, tx: Tx, mine: OfferRow, move: offer.Move) -> None:
        """End the ring by this answer, unless the lease is over or the consultant was claimed anew since."""
        if claims.lapsed(mine, tx.now) or not await claims.settle(tx, mine, move):
            raise Expired

    async def _locked(self, tx: Tx, user: UserId, offer_id: OfferId) -> tuple[RequestRow, OfferRow]:
        """Lock the request, then the offer: always in this order."""
        row = await store.locked(tx, await store.offer_of(tx, user, offer_id))
        return row, await store.locked_offer(tx, offer_id)


def refuse_answered(state: offer.State) -> None:
    """Say in words why this ring cannot be answered any more."""
    match state:
        case offer.State.RINGING:
            return
        case offer.State.TAKEN:
            raise AlreadyTaken
        case offer.State.WITHDRAWN:
            raise Withdrawn
        case offer.State.MISSED | offer.State.DECLINED | offer.State.ACCEPTED:
            raise Expired
        case _:
            assert_never(state)


def accepted(row: RequestRow, mine: OfferRow) -> OfferAccepted:
    """The event that opens the call, with the price of the ring and the customer's consent."""
    assert row.call_id is not None
    return OfferAccepted(
        request_id=RequestId(row.id),
        offer_id=OfferId(mine.id),
        question_id=QuestionId(row.question_id),
        call_id=CallId(row.call_id),
        customer_id=UserId(row.customer_id),
        consultant_id=UserId(mine.consultant_id),
        rate_minor_per_hour=mine.rate_minor_per_hour,
        max_rate_minor_per_hour=row.max_rate_minor_per_hour,
        currency=mine.currency,
        cap_minor=row.cap_minor,
        terms_version=row.terms_version,
        consented_at_iso=row.consented_at.isoformat(),
    )
