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
from matching import consultant_store
from matching.models import OfferRow
from matching.projection import ConsultantProjection
from matching.ranker import Candidates, Query, Ranker

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
    """What the rings of one kind did: the answer time with and without them, and the points of score between."""

    count: int
    response_ms_without: int | None
    score_change_centi: int


@dataclass(frozen=True, slots=True)
class Rings:
    """The rings that began in a period. ``withdrawn`` counts those that ended before an answer was possible."""

    received: int
    withdrawn: int
    response_ms: int | None
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
        candidate = await self._candidate(tx, user)
        now_ms = smoothed(answered)
        return Rings(
            received=len(here),
            withdrawn=sum(each.state in {"withdrawn", "taken"} for each in here),
            response_ms=now_ms,
            effects={kind: self._effect(kind, answered, since, candidate) for kind in KINDS},
        )

    def _effect(self, kind: Kind, answered: Sequence[Ring], since: datetime, candidate: Candidates | None) -> Effect:
        without = [each for each in answered if each.state != kind or each.created_at < since]
        with_ms, without_ms = smoothed(answered), smoothed(without)
        change = 0 if candidate is None else self._score(candidate, with_ms) - self._score(candidate, without_ms)
        return Effect(len(answered) - len(without), without_ms, change)

    def _score(self, candidate: Candidates, response_ms: int | None) -> int:
        """The consultant's score for a question about nothing, were this their answer time."""
        told = np.array([-1 if response_ms is None else response_ms], dtype=np.int64)
        return self._ranker.rank(_NO_QUESTION, replace(candidate, response_ms=told), 1)[0].score_centi

    async def _candidate(self, tx: Tx, user: UserId) -> Candidates | None:
        if await consultant_store.find(tx, user) is None:
            return None
        await self._consultants.refresh(tx)
        return self._consultants.index.one(_NO_QUESTION, user)


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
