"""The outcome log: writes down what becomes of accepted rings, in the transactions in which it happens.

Every handler sets a fact and none adds to one, so events that come twice, late or in another order end in the same
row; the consultant's counters move by the difference the row has made. A customer and a consultant count there once,
however often they talk: who plays together cannot buy a record.
"""

from typing import Any

from core.db import Tx
from core.ids import CallId, UserId
from matching.consultants import consultant_store
from matching.consultants.projection import CHANNEL
from matching.events import OfferAccepted, OfferMissed
from matching.facts import CallEndFact, CallFact, RefundFact, SettledFact, stood_up
from matching.learning import outcomes
from matching.questions import question_store
from people.events import RatingGiven


class OutcomeLog:
    """Handlers of the events that make an outcome."""

    async def on_offer_accepted(self, tx: Tx, event: OfferAccepted) -> None:
        """Somebody accepted: the row begins, with the question as it was asked."""
        question = await question_store.get(tx, event.question_id)
        await outcomes.begin(tx, question, consultant=event.consultant_id, call=event.call_id)

    async def on_call_went_live(self, tx: Tx, event: CallFact) -> None:
        """Both sides were seen: the consultant has had this contact."""
        await self._learn(tx, event.call_id, connected=True)

    async def on_call_ended(self, tx: Tx, event: CallEndFact) -> None:
        """The call is over."""
        row = await outcomes.locked(tx, event.call_id)
        if row is not None and row.ended_at is None:
            await self._learn(tx, event.call_id, ended_at=tx.now, connected=row.connected or event.went_live)
            if stood_up(event):
                await self._never_came(tx, UserId(row.consultant_id))

    async def _never_came(self, tx: Tx, consultant: UserId) -> None:
        """Nobody was there for a whole minute, so it counts as two rings in silence: they are away until they click."""
        before = await consultant_store.missed_in_a_row(tx, consultant)
        await tx.publish(OfferMissed(consultant_id=consultant, consecutive=before + 2))
        await consultant_store.never_came(tx, consultant)

    async def on_charge_settled(self, tx: Tx, event: SettledFact) -> None:
        """The connected time is known for good."""
        await self._learn(tx, event.call_id, connected_ms=event.connected_ms, completed=event.threshold_passed)

    async def on_charge_refunded(self, tx: Tx, event: RefundFact) -> None:
        """Money went back, or the refund failed and nothing did."""
        await self._learn(tx, event.call_id, refunded=event.refunded_minor > 0)

    async def on_rating(self, tx: Tx, event: RatingGiven) -> None:
        """The customer's stars; what the consultant thinks of the customer says nothing about the advice."""
        row = await outcomes.locked(tx, event.call_id)
        if row is not None and row.consultant_id == event.ratee_id:
            await self._learn(tx, event.call_id, stars=event.stars)

    async def _learn(self, tx: Tx, call: CallId, **facts: Any) -> None:
        """Set these facts and move the counters by what they change; a call nobody accepted here is not ours."""
        row = await outcomes.locked(tx, call)
        if row is None or all(getattr(row, name) == value for name, value in facts.items()):
            return
        before = outcomes.outcome_of(row)
        for name, value in facts.items():
            setattr(row, name, value)
        await tx.session.flush()
        after = outcomes.outcome_of(row)
        consultant = UserId(row.consultant_id)
        contacts, successes = after.connected - before.connected, after.succeeded - before.succeeded
        if contacts or successes:
            met, helped = await outcomes.others_of_pair(tx, row)
            contacts, successes = contacts * (not met), successes * (not helped)
            await consultant_store.count(tx, consultant, contacts=contacts, successes=successes)
        tx.signal(CHANNEL, str(consultant))
