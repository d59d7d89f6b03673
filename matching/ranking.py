"""Ranking: from a question to matches with their factors and reasons, each ranking stored with its inputs."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.db import Tx
from core.ids import QuestionId, UserId
from core.money import price_minor
from matching import consultant_store, question_store
from matching.explanation import reasons
from matching.models import ConsultantRow, QuestionRow, RequestRow
from matching.projection import ConsultantProjection
from matching.questions import checked_tags
from matching.ranker import Query, Ranked, Ranker
from matching.words import terms

TOP = 5
ESTIMATE_MINUTES = (10, 20, 30)
MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """One consultant to ring, in ring order, with what was stored about why."""

    user_id: UUID
    score_centi: int
    reasons: list[dict[str, Any]]
    match_id: int


class RankingService:
    """Asks the ranker, explains its answer and keeps the record. Which ranker it is, wiring decides."""

    def __init__(self, consultants: ConsultantProjection, ranker: Ranker) -> None:
        self._consultants = consultants
        self._ranker = ranker

    async def preview(
        self,
        tx: Tx,
        *,
        title: str,
        details: str,
        language: str,
        tags: Sequence[str] | None = None,
        currency: str | None = None,
        max_rate_minor_per_hour: int | None = None,
        limit: int = TOP,
    ) -> dict[str, Any]:
        """Matches of a question nobody has posted yet; nothing is stored."""
        text = f"{title}\n{details}"
        await self._consultants.refresh(tx)
        found = self._consultants.index.vocabulary.extract(text).tags if tags is None else checked_tags(tags)
        query = query_of(text, found, language, currency, max_rate_minor_per_hour)
        return await self._answer(tx, query, text, self._rank(query, frozenset(), limit), limit)

    async def for_question(self, tx: Tx, user: UserId, question: QuestionId, *, limit: int = TOP) -> dict[str, Any]:
        """The top ``limit`` and the alternatives after them, for the customer's own question."""
        row = await question_store.own(tx, user, question)
        await self._consultants.refresh(tx)
        query = query_of(text_of(row), row.tags, row.language, None, None)
        exclude = await self._kept_apart(tx, user)
        ranked = self._rank(query, exclude, limit)
        await self._keep(tx, row.id, "shown", query, ranked)
        return await self._answer(tx, query, text_of(row), ranked, limit)

    async def proposals(
        self,
        tx: Tx,
        question: QuestionRow,
        request: RequestRow,
        *,
        exclude: AbstractSet[UUID],
        first: UUID | None = None,
        limit: int = 20,
    ) -> list[Proposal]:
        """Whom to ring, best first (``first`` before all others); nobody dearer, blocked or busy as far as we know."""
        await self._consultants.refresh(tx)
        text = text_of(question)
        query = query_of(text, question.tags, question.language, request.currency, request.max_rate_minor_per_hour)
        apart = exclude | await self._kept_apart(tx, UserId(request.customer_id))
        candidates = self._consultants.index.ringable(query, exclude=apart)
        ranked = self._ranker.rank(query, candidates, limit)
        if first is not None and first not in apart:
            chosen = self._ranker.rank(query, candidates.only(first), 1)
            ranked = chosen + [one for one in ranked if one.user_id != first]
        if not ranked:
            return []
        match = await self._keep(tx, question.id, "ring", query, ranked)
        rows = await consultant_store.find_many(tx, [one.user_id for one in ranked])
        return [
            Proposal(one.user_id, one.score_centi, _reasons(query, text, rows[one.user_id]), match)
            for one in ranked
            if one.user_id in rows
        ]

    async def _kept_apart(self, tx: Tx, user: UserId) -> set[UUID]:
        return {user, *await consultant_store.blocked_with(tx, user)}

    def _rank(self, query: Query, exclude: AbstractSet[UUID], limit: int) -> list[Ranked]:
        """Twice the limit: those who could answer now, then, if they are few, those who are online but busy."""
        index = self._consultants.index
        ready = self._ranker.rank(query, index.ringable(query, exclude=exclude), 2 * limit)
        if len(ready) == 2 * limit:
            return ready
        return ready + self._ranker.rank(query, index.busy(query, exclude=exclude), 2 * limit - len(ready))

    async def _keep(self, tx: Tx, question: UUID, purpose: str, query: Query, ranked: Sequence[Ranked]) -> int:
        return await question_store.keep_match(
            tx,
            question=question,
            purpose=purpose,
            model_version=self._ranker.version,
            inputs=query.inputs(),
            results=[result_of(one) for one in ranked],
        )

    async def _answer(self, tx: Tx, query: Query, text: str, ranked: Sequence[Ranked], limit: int) -> dict[str, Any]:
        rows = await consultant_store.find_many(tx, [one.user_id for one in ranked])
        cards = await self._consultants.cards(tx, list(rows.values()))
        matches = [
            match_view(one, cards[one.user_id], _reasons(query, text, rows[one.user_id]))
            for one in ranked
            if one.user_id in rows
        ]
        ready = [match for match in matches if match["consultant"]["status"] == "available"][:limit]
        others = [match for match in matches if match not in ready]
        return {"matches": ready, "alternatives": others[:limit], "model_version": self._ranker.version}


def text_of(question: QuestionRow) -> str:
    """What a question says."""
    return f"{question.title}\n{question.details}"


def query_of(text: str, tags: Sequence[str], language: str, currency: str | None, budget: int | None) -> Query:
    """A question as the ranker sees it."""
    return Query(
        terms=tuple(sorted(set(terms(text)))),
        tags=tuple(tags),
        language=language,
        currency=currency,
        max_rate_minor_per_hour=budget,
        text=text,
    )


def _reasons(query: Query, text: str, row: ConsultantRow) -> list[dict[str, Any]]:
    return reasons(query, text, consultant_store.facts_of(row))


def result_of(ranked: Ranked) -> dict[str, Any]:
    """A ranked candidate as it is stored."""
    return {
        "user_id": str(ranked.user_id),
        "score_centi": ranked.score_centi,
        "p_success": round(ranked.p_success, 6),
        "factors": factors_view(ranked),
        "inputs": dict(ranked.inputs),
    }


def factors_view(ranked: Ranked) -> list[dict[str, Any]]:
    """The factors; their contributions add up to the score exactly."""
    return [
        {
            "factor": factor.factor,
            "value": factor.value,
            "weight": factor.weight,
            "contribution_centi": factor.contribution_centi,
        }
        for factor in ranked.factors
    ]


def match_view(ranked: Ranked, card: dict[str, Any], why: list[dict[str, Any]]) -> dict[str, Any]:
    """A Match as a customer sees it."""
    rate = int(card["rate_minor_per_hour"])
    return {
        "consultant": card,
        "score": (ranked.score_centi + 50) // 100,
        "score_centi": ranked.score_centi,
        "factors": factors_view(ranked),
        "reasons": why,
        "price": {
            "per_minute_minor": per_minute(rate),
            "estimates": [
                {"minutes": minutes, "minor": price_minor(rate, minutes * MS_PER_MINUTE)}
                for minutes in ESTIMATE_MINUTES
            ],
        },
    }


def per_minute(rate_minor_per_hour: int) -> str:
    """An hourly rate per minute, as a decimal number of minor units; for reading only."""
    exact = (Decimal(rate_minor_per_hour) / 60).quantize(Decimal("0.01"))
    return format(exact.normalize(), "f")
