"""Dispatch: who is rung for the waiting requests, when the next, and when to look again. The caller holds the locks."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.db import Tx
from core.ids import QuestionId, RequestId, UserId
from matching.consultants import consultant_store
from matching.dispatch import claims, offer, promise, request, ring_order, store
from matching.dispatch.request import RingTimes
from matching.dispatch.ring_order import Candidate, Choice, Standing, Waiting
from matching.events import OfferMissed, RequestClosed
from matching.models import ConsultantRow, OfferRow, QuestionRow, RequestRow
from matching.questions import question_store
from matching.questions.ranking import RankingService, RingList, fit_of

_MS = timedelta(milliseconds=1)
TRIES = 3  # a planned consultant may be somebody else's by now: so often we plan anew before the next look
TOGETHER = 16  # requests that are assigned in one go


@dataclass(slots=True)
class Look:
    """One request while it is being looked at."""

    row: RequestRow
    ringing: list[OfferRow]
    allowed: int
    question: QuestionRow | None = None
    lost: set[UUID] = field(default_factory=set)  # planned, and found to be taken

    @property
    def wanted(self) -> int:
        """How many more may ring."""
        return self.allowed - len(self.ringing)


class Dispatcher:
    """Moves requests on: silent rings end, the next ones start. Asked after every event, never by batches."""

    def __init__(self, ranking: RankingService, times: RingTimes) -> None:
        self._ranking = ranking
        self._times = times

    async def move_on(self, tx: Tx, row: RequestRow) -> None:
        """Do whatever is due for this ringing request; whoever else waits has the same chance of the same people."""
        await self.move_all(tx, [row, *await store.others_waiting(tx, row.id, TOGETHER - 1)])

    async def move_all(self, tx: Tx, rows: Sequence[RequestRow]) -> None:
        """Do whatever is due for these ringing requests, and set when to look at each again."""
        looks = [look for look in [await self._look(tx, row) for row in rows] if look is not None]
        await self._ring(tx, looks)
        for look in looks:
            await self._keep_promise(tx, look.row)
            look.row.due_at = self._next_look(tx, look)

    async def _look(self, tx: Tx, row: RequestRow) -> Look | None:
        """End what is over; None when the request is."""
        ringing = await self._end_silent(tx, row)
        if tx.now >= row.give_up_at:
            await self._keep_promise(tx, row)
            await self.close(tx, row, request.Move.EXHAUST, "exhausted")
            return None
        return Look(row, ringing, request.rings_wanted(row.created_at, tx.now, self._times))

    async def _keep_promise(self, tx: Tx, row: RequestRow) -> None:
        if row.waiting_over or tx.now < row.promise_at:
            return
        row.waiting_over = True
        if row.language is None and row.min_stars is None:  # whoever narrowed down who is rung waits by choice
            await promise.missed(tx, row)
        tx.touch([row.customer_id])

    def _next_look(self, tx: Tx, look: Look) -> datetime:
        row = look.row
        return request.next_look(
            now=tx.now,
            created_at=row.created_at,
            give_up_at=row.give_up_at,
            promise_at=None if row.waiting_over else row.promise_at,
            rings_until=[one.rings_until for one in look.ringing],
            satisfied=look.wanted <= 0,
            times=self._times,
        )

    async def close(self, tx: Tx, row: RequestRow, move: request.Move, reason: str) -> None:
        """End a request without a call: every ring stops at once, nothing was reserved."""
        row.state = request.advance(request.State(row.state), move)
        row.closed_at, row.close_reason, row.due_at = tx.now, reason, None
        stopped = [await self._withdraw(tx, one) for one in await store.ringing_of_request(tx, row.id)]
        if any(stopped):
            await tx.session.flush()  # this request waits no more
            await store.wake_waiting(tx)
        tx.touch([row.customer_id])
        await tx.publish(
            RequestClosed(request_id=RequestId(row.id), question_id=QuestionId(row.question_id), reason=reason)
        )

    async def _end_silent(self, tx: Tx, row: RequestRow) -> list[OfferRow]:
        """End the rings whose time is over or whose consultant is gone or blocked; returns those that still ring."""
        ringing = await store.ringing_of_request(tx, row.id)
        if not ringing:
            return []
        gone = await consultant_store.gone(tx, [one.consultant_id for one in ringing])
        gone |= await consultant_store.blocked_with(tx, UserId(row.customer_id))
        for silent in ringing:
            if silent.rings_until <= tx.now:
                await self._miss(tx, row, silent)
            elif silent.consultant_id in gone and await self._withdraw(tx, silent):
                store.add_stage(tx, row.id, "missed", silent.consultant_id)
                tx.touch([row.customer_id])
                await store.wake_waiting(tx)  # who was blocked is free for the others
        return [one for one in ringing if one.state == offer.State.RINGING]

    async def _withdraw(self, tx: Tx, ringing: OfferRow) -> bool:
        tx.touch([ringing.consultant_id])
        return await claims.settle(tx, ringing, offer.Move.WITHDRAW)

    async def _miss(self, tx: Tx, row: RequestRow, silent: OfferRow) -> None:
        if not await claims.settle(tx, silent, offer.Move.MISS):
            return
        consultant = UserId(silent.consultant_id)
        store.add_stage(tx, row.id, "missed", consultant)
        tx.touch([row.customer_id, consultant])
        # Published before the count is written: presence locks its row first and then ours, and so must we.
        before = await consultant_store.missed_in_a_row(tx, consultant)
        await tx.publish(OfferMissed(consultant_id=consultant, consecutive=before + 1))
        await store.wake_waiting(tx)  # free for the others who wait, unless away now
        await consultant_store.missed(tx, consultant, (silent.rings_until - silent.created_at) // _MS)
        tx.signal("consultant", str(consultant))

    async def _ring(self, tx: Tx, looks: Sequence[Look]) -> None:
        """Ring for all who want a ring, by one plan; plan anew where a consultant was somebody else's by now."""
        for _ in range(TRIES):
            seats = [look for look in looks if look.wanted > 0]
            if not seats:
                return
            busy = await store.being_rung(tx)
            listed = [await self._list(tx, look, busy) for look in seats]
            asked = [self._waiting(tx, look, one) for look, one in zip(seats, listed, strict=True)]
            planned = ring_order.plan(asked)
            failed = [
                await self._carry_out(tx, look, one, waiting, chosen)
                for look, one, waiting, chosen in zip(seats, listed, asked, planned, strict=True)
                if chosen
            ]
            if not any(failed):
                return

    async def _list(self, tx: Tx, look: Look, busy: AbstractSet[UUID]) -> RingList:
        if look.question is None:
            look.question = await question_store.get(tx, look.row.question_id)
        exclude = await store.rung(tx, look.row.id) | busy | look.lost
        return await self._ranking.ring_list(tx, look.question, look.row, exclude=exclude)

    def _waiting(self, tx: Tx, look: Look, listed: RingList) -> Waiting:
        return Waiting(
            request_id=look.row.id,
            waited_s=(tx.now - look.row.created_at).total_seconds(),
            wanted=look.wanted,
            candidates=[
                Candidate(one.user_id, fit_of(one), standing_of(listed.rows[one.user_id])) for one in listed.ranked
            ],
            best_fit=listed.best_fit,
            chosen=look.row.chosen_id,
        )

    async def _carry_out(
        self, tx: Tx, look: Look, listed: RingList, waiting: Waiting, chosen: Sequence[Choice]
    ) -> bool:
        """Claim whom the plan gives this request; True when one of them was taken meanwhile."""
        figures = {one.user_id: ring_order.choice(waiting, one).figures() for one in waiting.candidates}
        match = await self._ranking.keep_ring(tx, look.row.question_id, listed, ring_order.decided(waiting), figures)
        for one in chosen:
            ring = await claims.claim(
                tx,
                one.user_id,
                request_id=look.row.id,
                currency=look.row.currency,
                max_rate_minor_per_hour=look.row.max_rate_minor_per_hour,
                rings_until=tx.now + self._times.ring,
                match_id=match,
                score_centi=listed.score_of(one.user_id),
                reasons=listed.reasons_for(one.user_id),
            )
            if ring is None:
                look.lost.add(one.user_id)
                continue
            look.ringing.append(ring)
            store.add_stage(tx, look.row.id, "ringing", one.user_id)
            tx.touch([look.row.customer_id, one.user_id])
        return look.wanted > 0 and bool(look.lost.intersection(one.user_id for one in chosen))


def standing_of(row: ConsultantRow) -> Standing:
    """The record the ring order reads."""
    return Standing(
        rings=row.offers_accepted + row.offers_declined + row.offers_missed,
        accepted=row.offers_accepted,
        contacts=row.contacts,
        successes=row.successes,
        response_ms=row.response_ms,
    )
