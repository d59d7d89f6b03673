"""Dispatch: who is rung for a waiting request, when the next, and when to look again. The caller holds its lock."""

from datetime import timedelta
from uuid import UUID

from core.db import Tx
from core.ids import QuestionId, RequestId, UserId, new_id
from matching import consultant_store, offer, question_store, request, store
from matching.events import OfferMissed, RequestClosed
from matching.models import OfferRow, RequestRow
from matching.ranking import Proposal, RankingService
from matching.request import RingTimes

_MS = timedelta(milliseconds=1)


class Dispatcher:
    """Moves one request on: silent rings end, the next ones start. Asked after every event, never by batches."""

    def __init__(self, ranking: RankingService, times: RingTimes) -> None:
        self._ranking = ranking
        self._times = times

    async def move_on(self, tx: Tx, row: RequestRow) -> None:
        """Do whatever is due for this ringing request and set when to look again."""
        ringing = await self._end_silent(tx, row)
        if tx.now >= row.give_up_at:
            await self.close(tx, row, request.Move.EXHAUST, "exhausted")
            return
        wanted = request.rings_wanted(row.created_at, tx.now, self._times)
        if len(ringing) < wanted:
            ringing += await self._ring(tx, row, wanted - len(ringing))
        if not row.waiting_over and tx.now >= row.promise_at:
            row.waiting_over = True
            tx.touch([row.customer_id])
        row.due_at = request.next_look(
            now=tx.now,
            created_at=row.created_at,
            give_up_at=row.give_up_at,
            promise_at=None if row.waiting_over else row.promise_at,
            rings_until=[one.rings_until for one in ringing],
            satisfied=len(ringing) >= wanted,
            times=self._times,
        )

    async def close(self, tx: Tx, row: RequestRow, move: request.Move, reason: str) -> None:
        """End a request without a call: every ring stops at once, nothing was reserved."""
        row.state = request.advance(request.State(row.state), move)
        row.closed_at, row.close_reason, row.due_at = tx.now, reason, None
        for ringing in await store.ringing_of_request(tx, row.id):
            self._withdraw(tx, ringing)
        tx.touch([row.customer_id])
        await tx.publish(
            RequestClosed(request_id=RequestId(row.id), question_id=QuestionId(row.question_id), reason=reason)
        )

    async def _end_silent(self, tx: Tx, row: RequestRow) -> list[OfferRow]:
        """End the rings whose time is over or whose consultant is gone; returns those that still ring."""
        ringing = await store.ringing_of_request(tx, row.id)
        gone = await consultant_store.offline(tx, [one.consultant_id for one in ringing])
        for silent in ringing:
            if silent.rings_until <= tx.now:
                await self._miss(tx, row, silent)
            elif silent.consultant_id in gone:
                self._withdraw(tx, silent)
                store.add_stage(tx, row.id, "missed", silent.consultant_id)
                tx.touch([row.customer_id])
        return [one for one in ringing if one.state == offer.State.RINGING]

    def _withdraw(self, tx: Tx, ringing: OfferRow) -> None:
        ringing.state = offer.advance(offer.State(ringing.state), offer.Move.WITHDRAW)
        ringing.answered_at = tx.now
        tx.touch([ringing.consultant_id])

    async def _miss(self, tx: Tx, row: RequestRow, silent: OfferRow) -> None:
        silent.state = offer.advance(offer.State(silent.state), offer.Move.MISS)
        silent.answered_at = tx.now
        consultant = UserId(silent.consultant_id)
        store.add_stage(tx, row.id, "missed", consultant)
        tx.touch([row.customer_id, consultant])
        # Published before the count is written: presence locks its row first and then ours, and so must we.
        before = await consultant_store.missed_in_a_row(tx, consultant)
        await tx.publish(OfferMissed(consultant_id=consultant, consecutive=before + 1))
        await consultant_store.missed(tx, consultant, (silent.rings_until - silent.created_at) // _MS)
        tx.signal("consultant", str(consultant))

    async def _ring(self, tx: Tx, row: RequestRow, count: int) -> list[OfferRow]:
        """Ring up to ``count`` consultants who were not rung yet: the chosen one first, then the best match."""
        question = await question_store.get(tx, row.question_id)
        exclude = await store.rung(tx, row.id) | await store.being_rung(tx)
        proposals = await self._ranking.proposals(tx, question, row, exclude=exclude, first=row.chosen_id)
        rung: list[OfferRow] = []
        for proposal in proposals:
            if len(rung) == count:
                break
            started = await self._ring_one(tx, row, proposal)
            if started is not None:
                rung.append(started)
        return rung

    async def _ring_one(self, tx: Tx, row: RequestRow, proposal: Proposal) -> OfferRow | None:
        consultant = await consultant_store.lock_ringable(
            tx, proposal.user_id, currency=row.currency, max_rate_minor_per_hour=row.max_rate_minor_per_hour
        )
        if consultant is None:
            return None
        started = await store.add_offer(
            tx,
            id=new_id(),
            request_id=row.id,
            consultant_id=proposal.user_id,
            state=offer.State.RINGING,
            rate_minor_per_hour=consultant.rate_minor_per_hour,
            currency=consultant.currency,
            match_id=proposal.match_id,
            score_centi=proposal.score_centi,
            reasons=proposal.reasons,
            created_at=tx.now,
            rings_until=tx.now + self._times.ring,
        )
        if started is not None:
            await self._rung(tx, row, proposal.user_id)
        return started

    async def _rung(self, tx: Tx, row: RequestRow, consultant: UUID) -> None:
        await consultant_store.count(tx, UserId(consultant), offers_received=1)
        store.add_stage(tx, row.id, "ringing", consultant)
        tx.touch([row.customer_id, consultant])
