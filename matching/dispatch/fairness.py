"""What a consultant may know of their own rings: how many, how they ended, and what each kind did to their rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import numpy as np
from sqlalchemy import select

from core.db import Tx
from core.ids import UserId
from core.money import BPS
from matching.consultants import consultant_store
from matching.consultants.projection import ConsultantProjection
from matching.dispatch import ring_order
from matching.models import OfferRow
from matching.ranking.ranker import Candidates, Query, Ranker

Kind = Literal["accepted", "declined", "missed"]
KINDS: tuple[Kind, ...] = ("accepted", "declined", "missed")
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Ring:
    """One ring that this consultant answered or let pass, in the order in which they ended."""

    state: str
    created_at: datetime
    ended_at: datetime
    response_ms: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What the rings of one kind did: the figures that would stand without them, and what lies between.

    ``score_change_centi``: hundredths of a point of the score. ``ring_change_bps``: ten-thousandths of the value by
    which ``ring_order`` decides who is rung first, at the best fit and without a draw.
    """

    count: int
    response_ms_without: int | None
    p_accept_without_bps: int
    score_change_centi: int
    ring_change_bps: int


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings that began in a period. ``withdrawn`` counts those that ended before an answer was possible."""

    received: int
    withdrawn: int
    response_ms: int | None
    p_accept_bps: int
    effects: Mapping[Kind, Effect]


class FairnessService:
    """Recomputes from the rings themselves; the counters of the projection are not asked."""

    def __init__(self, consultants: ConsultantProjection, ranker: Ranker) -> None:
        self._consultants = consultants
        self._ranker = ranker

    async def rings(self, tx: Tx, user: UserId, since: datetime) -> Rings:
        """The consultant's own rings since ``since`` and what they changed."""
        offers = await _offers(tx, user)
        answered = [ring_of(each) for each in offers if each.state in KINDS]
        here = [each for each in offers if each.created_at >= since]
        measure = await self._measure(tx, user)
        return Rings(
            received=len(here),
            withdrawn=sum(each.state in {"withdrawn", "taken"} for each in here),
            response_ms=smoothed(answered),
            p_accept_bps=bps(ring_order.p_accept(standing_of(answered))),
            effects={kind: _effect(kind, answered, since, measure) for kind in KINDS},
        )

    async def _measure(self, tx: Tx, user: UserId) -> "Measure":
        row = await consultant_store.find(tx, user)
        if row is None:
            return Measure(self._ranker, None, 0, 0)
        await self._consultants.refresh(tx)
        candidate = self._consultants.index.one(_NO_QUESTION, user)
        return Measure(self._ranker, candidate, row.contacts, row.successes)


@dataclass(frozen=True, slots=True)
class Measure:
    """A consultant as the two orders see them, were their rings others; what came of their calls stays as it is."""

    ranker: Ranker
    candidate: Candidates | None
    contacts: int
    successes: int

    def score_centi(self, rings: Sequence[Ring]) -> int:
        """Their score for a question about nothing: what is left of it is theirs whatever is asked."""
        if self.candidate is None:
            return 0
        response_ms = smoothed(rings)
        told = np.array([-1 if response_ms is None else response_ms], dtype=np.int64)
        return self.ranker.rank(_NO_QUESTION, replace(self.candidate, response_ms=told), 1)[0].score_centi

    def ring_bps(self, rings: Sequence[Ring]) -> int:
        """What ringing them is worth by ``ring_order``, at the best fit."""
        standing = replace(standing_of(rings), contacts=self.contacts, successes=self.successes)
        who = ring_order.Candidate(UUID(int=0), 1.0, standing)
        waiting = ring_order.Waiting(UUID(int=0), waited_s=0, wanted=1, candidates=[who], best_fit=1.0)
        return bps(ring_order.choice(waiting, who, explore=False).value)


def _effect(kind: Kind, answered: Sequence[Ring], since: datetime, measure: Measure) -> Effect:
    without = [each for each in answered if each.state != kind or each.created_at < since]
    return Effect(
        count=len(answered) - len(without),
        response_ms_without=smoothed(without),
        p_accept_without_bps=bps(ring_order.p_accept(standing_of(without))),
        score_change_centi=measure.score_centi(answered) - measure.score_centi(without),
        ring_change_bps=measure.ring_bps(answered) - measure.ring_bps(without),
    )


def standing_of(rings: Sequence[Ring]) -> ring_order.Standing:
    """These rings as ``ring_order`` counts them."""
    accepted = sum(each.state == "accepted" for each in rings)
    return ring_order.Standing(rings=len(rings), accepted=accepted, response_ms=smoothed(rings))


def bps(share: float) -> int:
    """A share in whole ten-thousandths, half to even."""
    return round(share * BPS)


_NO_QUESTION = Query(terms=(), tags=(), language="")


async def _offers(tx: Tx, user: UUID) -> Sequence[OfferRow]:
    query = select(OfferRow).where(OfferRow.consultant_id == user)
    return (await tx.session.scalars(query.order_by(OfferRow.answered_at, OfferRow.created_at, OfferRow.id))).all()


def ring_of(offer: OfferRow) -> Ring:
    """An ended ring: how long it took is counted to the answer, or to the end of the ring when none came."""
    assert offer.answered_at is not None
    until = offer.rings_until if offer.state == "missed" else offer.answered_at
    return Ring(offer.state, offer.created_at, offer.answered_at, (until - offer.created_at) // _MS)


def smoothed(rings: Sequence[Ring]) -> int | None:
    """The running mean of answer times as ``consultant_store`` keeps it: the newest weighs a quarter, half up."""
    mean: int | None = None
    for ring in rings:
        mean = ring.response_ms if mean is None else (3 * mean + ring.response_ms + 2) // 4
    return mean
