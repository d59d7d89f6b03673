"""Requests: ring, keep waiting, cancel, and what the rest of the house tells about the call that came of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from core.db import Database, Tx
from core.errors import Conflict, Invalid, NotFound, Refused
from core.ids import CallId, OfferId, QuestionId, RequestId, UserId, new_id
from core.money import MINIMUM_CHARGE_MINOR, Currency, price_minor
from matching.consultants import consultant_store
from matching.consultants.projection import Names
from matching.dispatch import request, store, wish_store
from matching.dispatch.answers import Answers
from matching.dispatch.dispatch import TOGETHER, Dispatcher
from matching.dispatch.request import RingTimes
from matching.dispatch.views import Views
from matching.facts import CallEndFact, CallFact, RequestedFact
from matching.models import QuestionRow, RequestRow
from matching.questions import question as questions
from matching.questions import question_store
from matching.questions.ranking import RankingService

HasCard = Callable[[Tx, UserId], Awaitable[bool]]

COMMISSION_BPS = 1_500
RATE_MAX = 100_000  # 1,000.00 an hour
CAP_MAX_MS = 8 * 3_600_000  # nobody reserves more than a working day
CLOSED_SHOWN = timedelta(minutes=10)
MOST_PER_TICK = 100


class CardMissing(Refused):
    """Add a card first; nothing is charged for adding it."""

    code = "card_missing"


class AlreadyActive(Conflict):
    """You are already ringing or in a call; finish that one first."""

    code = "already_active"


class AlreadyMatched(Conflict):
    """A consultant has accepted; leave the call instead."""

    code = "already_matched"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a customer asks for and consents to; ``language`` and ``min_stars`` narrow down who is rung."""

    question_id: QuestionId
    consultant_id: UserId | None
    max_rate_minor_per_hour: int
    currency: Currency
    cap_minor: int
    terms_version: str
    consent: bool
    idempotency_key: UUID
    language: str | None = None
    min_stars: int | None = None


class PaymentDue(Refused):
    """An earlier call is not paid yet. Pay it in Settings, then ring."""

    code = "payment_due"


class RequestService:
    """The use cases around a ring. Every change of a request happens under its row lock."""

    def __init__(
        self,
        ranking: RankingService,
        has_card: HasCard,
        names: Names,
        times: RingTimes | None = None,
        commission_bps: int = COMMISSION_BPS,
        owes: HasCard | None = None,
    ) -> None:
        self._has_card, self._owes = has_card, owes
        self._times = times or RingTimes()
        self._dispatcher = Dispatcher(ranking, self._times)
        self._answers = Answers(self._dispatcher)
        self._views = Views(names, commission_bps)

    async def create(self, tx: Tx, user: UserId, wish: Wish) -> dict[str, Any]:
        """Ring for a question; a repeated key gives the same request, whatever became of it."""
        before = await store.by_key(tx, user, wish.idempotency_key)
        if before is not None:
            return await self._same(tx, before, wish)
        question = await question_store.own(tx, user, wish.question_id, lock=True)
        check(wish, question)
        await self._check_chosen(tx, user, wish)
        if not await self._has_card(tx, user):
            raise CardMissing
        if self._owes is not None and await self._owes(tx, user):
            raise PaymentDue
        row = await store.add_request(tx, **self._values(tx, user, wish))
        if row is None:
            before = await store.by_key(tx, user, wish.idempotency_key)
            if before is None:
                raise AlreadyActive
            return await self._same(tx, before, wish)
        store.add_stage(tx, row.id, "requested")
        await wish_store.drop(tx, question.id)  # whoever rings need not be told any more
        tx.touch([user])
        await self._dispatcher.move_on(tx, row)
        tx.signal("due", "requests")
        return await self._views.request(tx, row)

    async def _same(self, tx: Tx, before: RequestRow, wish: Wish) -> dict[str, Any]:
        if before.question_id != wish.question_id:
            raise Conflict("This idempotency key was used for another question.", code="idempotency_mismatch")
        return await self._views.request(tx, before)

    async def _check_chosen(self, tx: Tx, user: UserId, wish: Wish) -> None:
        """A chosen consultant must exist and be affordable; the best match rings instead if they are busy."""
        if wish.consultant_id is None:
            return
        chosen = await consultant_store.find(tx, wish.consultant_id)
        apart = await consultant_store.blocked_with(tx, user)
        if chosen is None or chosen.rate_minor_per_hour is None or chosen.user_id in {user, *apart}:
            raise NotFound("This consultant cannot be rung; choose somebody else.")
        if chosen.currency != wish.currency or chosen.rate_minor_per_hour > wish.max_rate_minor_per_hour:
            raise Invalid("This consultant asks more than your maximum rate; raise it or choose somebody else.")

    def _values(self, tx: Tx, user: UserId, wish: Wish) -> dict[str, Any]:
        return {
            "id": new_id(),
            "customer_id": user,
            "question_id": wish.question_id,
            "chosen_id": wish.consultant_id,
            "idempotency_key": wish.idempotency_key,
            "max_rate_minor_per_hour": wish.max_rate_minor_per_hour,
            "currency": wish.currency,
            "language": wish.language,
            "min_stars": wish.min_stars,
            "cap_minor": wish.cap_minor,
            "terms_version": wish.terms_version,
            "consented_at": tx.now,
            "state": request.State.RINGING,
            "created_at": tx.now,
            "promise_at": tx.now + self._times.promise,
            "give_up_at": tx.now + self._times.patience,
            "waiting_over": False,
            "due_at": tx.now,
        }

    async def get(self, tx: Tx, user: UserId, request_id: RequestId) -> dict[str, Any]:
        """The customer's own request."""
        return await self._views.request(tx, await store.own(tx, user, request_id))

    async def cancel(self, tx: Tx, user: UserId, request_id: RequestId) -> dict[str, Any]:
        """Stop ringing; cancelling twice changes nothing."""
        row = await store.own(tx, user, request_id, lock=True)
        if row.state == request.State.MATCHED:
            raise AlreadyMatched
        if row.state not in {request.State.CANCELLED, request.State.EXHAUSTED}:
            await self._dispatcher.close(tx, row, request.Move.CANCEL, "cancelled")
        return await self._views.request(tx, row)

    async def keep_waiting(self, tx: Tx, user: UserId, request_id: RequestId) -> dict[str, Any]:
        """Go on looking after the promise passed: the promise and our patience start anew."""
        row = await store.own(tx, user, request_id, lock=True)
        if row.state != request.State.RINGING:
            raise Conflict("This request is over; ring again.", code="request_over")
        if row.waiting_over:
            row.waiting_over = False
            row.promise_at = tx.now + self._times.promise
            row.give_up_at = tx.now + self._times.patience
            tx.touch([user])
            await self._dispatcher.move_on(tx, row)
        return await self._views.request(tx, row)

    async def accept(self, tx: Tx, user: UserId, offer_id: OfferId) -> CallId:
        """A consultant accepts; see Answers.accept."""
        return await self._answers.accept(tx, user, offer_id)

    async def decline(self, tx: Tx, user: UserId, offer_id: OfferId, *, reason: str, note: str | None = None) -> None:
        """A consultant declines; see Answers.decline."""
        await self._answers.decline(tx, user, offer_id, reason=reason, note=note)

    async def request_view(self, tx: Tx, user: UserId) -> dict[str, Any] | None:
        """The snapshot's ``request``: what rings or runs, or what was given up a moment ago."""
        row = await store.latest(tx, user)
        if row is None or not _is_shown(tx, row):
            return None
        return await self._views.request(tx, row)

    async def offers_view(self, tx: Tx, user: UserId) -> list[dict[str, Any]]:
        """The snapshot's ``offers``: what rings at this consultant."""
        return await self._views.offers(tx, user)

    async def run_due(self, db: Database) -> int:
        """Move on every request whose time has come, those that are due together by one plan; returns how many."""
        done = 0
        while done < MOST_PER_TICK:
            async with db.begin() as tx:
                rows = await store.claim_due(tx, TOGETHER)
                await self._dispatcher.move_all(tx, rows)
            done += len(rows)
            if len(rows) < TOGETHER:
                break
        return done

    async def on_hold_placed(self, tx: Tx, event: CallFact) -> None:
        """The reserve stands: one more stage on the way to the call, written once however often it is announced."""
        row = await store.locked_by_call(tx, event.call_id)
        if row is not None and all(one.stage != "hold" for one in await store.stages(tx, row.id)):
            store.add_stage(tx, row.id, "hold")
            tx.touch([row.customer_id])

    async def on_call_went_live(self, tx: Tx, event: CallFact) -> None:
        """Both sides are seen: the promise is kept, and the time of it is written down."""
        row = await store.locked_by_call(tx, event.call_id)
        if row is None:
            return
        store.add_stage(tx, row.id, "connected")
        tx.touch([row.customer_id])

    async def on_call_continued(self, tx: Tx, event: RequestedFact) -> None:
        """Somebody came back to the lost call of this request: it is taken up again, unless its customer has another.

        Raises AlreadyActive then. A ring at the consultant ends when they are seen to be in a meeting.
        """
        row = await store.locked_by_call(tx, event.call_id, event.request_id)
        if row is not None and not await store.take_up(tx, row):
            raise AlreadyActive

    async def on_call_ended(self, tx: Tx, event: CallEndFact) -> None:
        """The request is over. A question that was talked about is answered; otherwise it may ring anew."""
        # The question is locked before the request, here as when a request is made.
        question = await question_store.get(tx, event.question_id, lock=True)
        row = await store.locked_by_call(tx, event.call_id, event.request_id)
        if row is None or row.call_ended_at is not None:
            return
        row.call_ended_at = row.closed_at = tx.now
        tx.touch([row.customer_id])
        if event.went_live:
            question.state = questions.advance(questions.State(question.state), questions.Move.ANSWER)


def _is_shown(tx: Tx, row: RequestRow) -> bool:
    match request.State(row.state):
        case request.State.RINGING:
            return True
        case request.State.MATCHED:
            return row.call_ended_at is None
        case request.State.EXHAUSTED:
            return row.closed_at is not None and tx.now - row.closed_at < CLOSED_SHOWN
        case request.State.CANCELLED:
            return False


def check(wish: Wish, question: QuestionRow) -> None:
    """Whether this may ring at all; raises with what to do about it."""
    if question.state == questions.State.WITHDRAWN:
        raise Conflict("This question was withdrawn; post it again to ring for it.", code="question_withdrawn")
    if not wish.consent:
        raise Invalid("Confirm the price and the reserve before we ring.", field="consent")
    if not 0 < wish.max_rate_minor_per_hour <= RATE_MAX:
        raise Invalid("The maximum rate must be above zero and not beyond 1,000.00 an hour.", field="max_rate")
    least = MINIMUM_CHARGE_MINOR[wish.currency]
    most = price_minor(wish.max_rate_minor_per_hour, CAP_MAX_MS)
    if not least <= wish.cap_minor <= max(most, least):
        raise Invalid("The cap must be at least the smallest charge and at most eight hours.", field="cap_minor")
