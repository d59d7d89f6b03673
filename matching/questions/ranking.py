"""Ranking: from a question to matches with their factors and reasons, each ranking stored with its inputs."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.db import Tx
from core.ids import QuestionId, UserId
from matching.consultants import consultant_store
from matching.consultants.projection import ConsultantProjection
from matching.dispatch.ring_order import bar
from matching.language.words import terms
from matching.models import ConsultantRow, QuestionRow, RequestRow
from matching.questions import question_store
from matching.questions.match_views import match_view, result_of
from matching.questions.service import checked_tags
from matching.ranking import why_not
from matching.ranking.explanation import concerns, dearest_of, reasons
from matching.ranking.filters import NO_FILTERS, Filters, fitting
from matching.ranking.index.consultant_facts import Record
from matching.ranking.ranker import Candidates, Query, Ranked, Ranker
from matching.ranking.why_not import WhyNot

TOP = 5
RING_LIST = 20


@dataclass(frozen=True, slots=True)
class RingList:
    """Who could be rung for a request, with what dispatch decides by; ``best_fit`` counts those in a call as well."""

    query: Query
    text: str
    ranked: tuple[Ranked, ...]
    rows: Mapping[UUID, ConsultantRow]
    records: Mapping[UUID, Record]
    best_fit: float

    def reasons_for(self, user: UUID) -> list[dict[str, Any]]:
        """What the consultant is told about why it rings."""
        return reasons(self.query, self.text, consultant_store.facts_of(self.rows[user]), self.records[user])

    def score_of(self, user: UUID) -> int:
        """The shown score, in hundredths of a point."""
        return next(one.score_centi for one in self.ranked if one.user_id == user)


def fit_of(ranked: Ranked) -> float:
    """How likely this consultant helps with the question; only the ratios of one question's candidates count."""
    return ranked.p_success


class RankingService:
    """Asks the ranker, explains its answer and keeps the record. Which ranker it is, wiring decides."""

    def __init__(self, consultants: ConsultantProjection, ranker: Ranker) -> None:
        self._consultants = consultants
        self._ranker = ranker

    @property
    def version(self) -> str:
        """The model's name."""
        return self._ranker.version

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
        return await self._answer(tx, query, text, self._rank(query, frozenset(), limit, NO_FILTERS), limit)

    async def for_question(
        self, tx: Tx, user: UserId, question: QuestionId, *, limit: int = TOP, filters: Filters = NO_FILTERS
    ) -> dict[str, Any]:
        """The top ``limit`` and the alternatives after them, for the customer's own question."""
        row = await question_store.own(tx, user, question)
        await self._consultants.refresh(tx)
        query = query_for(row, filters)
        exclude = await self._kept_apart(tx, user)
        ranked = self._rank(query, exclude, limit, filters)
        await self._keep(tx, row.id, "shown", query, ranked)
        return await self._answer(tx, query, text_of(row), ranked, limit)

    async def why_not(
        self,
        tx: Tx,
        user: UserId,
        question: QuestionId,
        consultant: UUID,
        *,
        limit: int = TOP,
        filters: Filters = NO_FILTERS,
    ) -> WhyNot:
        """Why this consultant is not among the top ``limit`` of the customer's own question."""
        row = await question_store.own(tx, user, question)
        await self._consultants.refresh(tx)
        query = query_for(row, filters)
        apart = await self._kept_apart(tx, user)
        found = await consultant_store.find(tx, UserId(consultant))
        facts = None if found is None else consultant_store.facts_of(found)
        obstacle = why_not.obstacle(facts, filters, apart=consultant in apart)
        if obstacle is not None:
            return obstacle
        candidates = fitting(self._consultants.index.ringable, query, apart, filters)
        shown = self._ranker.rank(query, candidates, limit)
        place = next((n for n, one in enumerate(shown, 1) if one.user_id == consultant), None)
        if place is not None:
            return WhyNot(why_not.Outcome.SHOWN, place=place, score_centi=shown[place - 1].score_centi)
        chosen = self._ranker.rank(query, candidates.only(consultant), 1)
        return why_not.behind(chosen[0], shown[-1]) if chosen and shown else why_not.NOT_AVAILABLE

    async def ring_list(
        self,
        tx: Tx,
        question: QuestionRow,
        request: RequestRow,
        *,
        exclude: AbstractSet[UUID],
        limit: int = RING_LIST,
    ) -> RingList:
        """Who could be rung now, the chosen one among them; nobody dearer, blocked or busy as far as we know.

        Whoever does not speak the question's language comes when no speaker is left to ring, and not before the fit
        bar is gone while one is in a call. A language the customer asked for takes its place, and is never given up.
        """
        await self._consultants.refresh(tx)
        text = text_of(question)
        query = query_of(text, question.tags, question.language, request.currency, request.max_rate_minor_per_hour)
        apart = exclude | await self._kept_apart(tx, UserId(request.customer_id))
        index = self._consultants.index
        filters = Filters(language=request.language, min_stars=request.min_stars)
        here, busy = (fitting(select, query, apart, filters) for select in (index.ringable, index.busy))
        if not len(here):
            return RingList(query, text, (), {}, {}, 0.0)

        def best(of: Candidates, most: int = limit) -> list[Ranked]:
            return self._ranker.rank(query, of, most)

        # All are ranked before anything is waited for: the index may change then.
        ranked, in_calls = (best(some if filters.language else some.speaking()) for some in (here, busy))
        others, others_in_calls = ([], []) if ranked else (best(here), best(busy))
        chosen = [] if request.chosen_id is None else best(here.only(request.chosen_id), 1)
        listed = {one.user_id for one in (*ranked, *in_calls, *others, *others_in_calls, *chosen)}
        rows = await consultant_store.find_many(tx, listed)
        soon = _free_soon(in_calls, rows, request)
        if not ranked and not (soon and bar((tx.now - request.created_at).total_seconds())):
            ranked, soon = others, _free_soon(others_in_calls, rows, request)
        ranked += [one for one in chosen if all(other.user_id != one.user_id for other in ranked)]
        known = tuple(one for one in ranked if one.user_id in rows)
        records = {one.user_id: index.record(query, one.user_id) for one in known}
        best_fit = max((fit_of(one) for one in (*known, *soon)), default=0.0)
        return RingList(query, text, known, rows, records, best_fit)

    async def keep_ring(
        self, tx: Tx, question: UUID, listed: RingList, decided: Mapping[str, Any], figures: Mapping[UUID, Any]
    ) -> int:
        """Store a ring's match: the ranking, the ring order's version and wait, and each one's figures and draw."""
        return await question_store.keep_match(
            tx,
            question=question,
            purpose="ring",
            model_version=self._ranker.version,
            inputs={**listed.query.inputs(), "ring": dict(decided)},
            results=[{**result_of(one), "ring": figures.get(one.user_id)} for one in listed.ranked],
        )

    async def _kept_apart(self, tx: Tx, user: UserId) -> set[UUID]:
        return {user, *await consultant_store.blocked_with(tx, user)}

    def _rank(self, query: Query, exclude: AbstractSet[UUID], limit: int, filters: Filters) -> list[Ranked]:
        """Twice the limit: those who could answer now, then, if they are few, those who are online but busy."""
        index = self._consultants.index
        ready = self._ranker.rank(query, fitting(index.ringable, query, exclude, filters), 2 * limit)
        if len(ready) == 2 * limit:
            return ready
        return ready + self._ranker.rank(query, fitting(index.busy, query, exclude, filters), 2 * limit - len(ready))

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
        records = {one.user_id: self._consultants.index.record(query, one.user_id) for one in ranked}
        rows = await consultant_store.find_many(tx, [one.user_id for one in ranked])
        cards = await self._consultants.cards(tx, list(rows.values()))
        facts = {user: consultant_store.facts_of(row) for user, row in rows.items()}
        dearest = dearest_of(facts.values())
        matches = [
            match_view(
                one,
                cards[one.user_id],
                reasons(query, text, facts[one.user_id], records[one.user_id]),
                concerns(query, text, facts[one.user_id], records[one.user_id], dearest=one.user_id == dearest),
            )
            for one in ranked
            if one.user_id in rows
        ]
        ready = [match for match in matches if match["consultant"]["status"] == "available"][:limit]
        others = [match for match in matches if match not in ready]
        return {"matches": ready, "alternatives": others[:limit], "model_version": self._ranker.version}


def _free_soon(ranked: Sequence[Ranked], rows: Mapping[UUID, ConsultantRow], request: RequestRow) -> list[Ranked]:
    """Those who cannot be rung now but are worth a moment: in a call, and within the customer's price."""

    def worth(row: ConsultantRow) -> bool:
        affordable = row.rate_minor_per_hour is not None and row.rate_minor_per_hour <= request.max_rate_minor_per_hour
        return row.status == "in_meeting" and row.can_receive and row.currency == request.currency and affordable

    return [one for one in ranked if one.user_id in rows and worth(rows[one.user_id])]


def text_of(question: QuestionRow) -> str:
    """What a question says."""
    return f"{question.title}\n{question.details}"


def query_for(question: QuestionRow, filters: Filters) -> Query:
    """A stored question as the ranker sees it; a highest rate to filter by is a budget to rank by, too."""
    most = filters.max_rate_minor_per_hour
    return query_of(text_of(question), question.tags, question.language, filters.currency if most else None, most)


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
