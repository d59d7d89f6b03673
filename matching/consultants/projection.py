"""The consultant projection: one row per consultant, written by events, mirrored in memory by every process."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core.db import Tx
from core.ids import UserId
from matching import changes
from matching.consultants import consultant_store
from matching.dispatch import store, wish_store
from matching.facts import PresenceFact
from matching.language.words import terms
from matching.learning import outcomes, reached
from matching.learning.models_store import ModelBook
from matching.learning.outcomes import Outcome
from matching.models import ConsultantRow
from matching.ranking.explanation import mean_stars, seconds
from matching.ranking.index.chances import Reached
from matching.ranking.index.consultant_facts import ConsultantFacts
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.encoder import Encoder
from matching.ranking.index.memory import Past, day_of, weight_of
from matching.ranking.ranker import Query
from people.events import ConsultantProfileChanged, RatingGiven, UserBlocked
from people.profiles import ConsultantProfile

CHANNEL = "consultant"
CHUNK = 200


ReadProfile = Callable[[Tx, UserId], Awaitable[ConsultantProfile | None]]
Names = Callable[[Tx, Iterable[UserId]], Awaitable[Mapping[UserId, str]]]


@dataclass(frozen=True, slots=True)
class Unencoded:
    """Texts of an index that have no vector yet: of consultants, and of past questions."""

    index: ConsultantIndex
    profiles: Sequence[ConsultantFacts]
    questions: Mapping[UUID, str]

    def __bool__(self) -> bool:
        return bool(self.profiles or self.questions)


class ConsultantProjection:
    """Writes the projection and keeps this process's index of it; a NOTIFY says whose row is worth a look."""

    def __init__(
        self,
        read_profile: ReadProfile,
        names: Names,
        *,
        encoder: Encoder | None = None,
        models: ModelBook | None = None,
    ) -> None:
        self._read_profile = read_profile
        self._names = names
        self._encoder = encoder
        self._models = models
        self.index = ConsultantIndex(encoder)

    async def refresh(self, tx: Tx) -> None:
        """Read what was committed since the last time; called on NOTIFY and before every ranking, so none is stale.

        Processes that have read the same commits hold the same index: nothing in it depends on the order of reading.
        """
        index = ConsultantIndex(self._encoder) if self.index.worn else self.index
        news = await changes.news(tx, consultants=index.seen, outcomes=index.seen_outcomes)
        if news.consultants:
            await self._refresh_consultants(tx, index)
        if news.outcomes:
            await self._refresh_memory(tx, index)
        index.seen, index.seen_outcomes = max(index.seen, news.here), max(index.seen_outcomes, news.here)
        index.day = day_of(tx.now.timestamp())
        self.index = index
        if self._models is not None:
            await self._models.refresh(tx)

    async def _refresh_consultants(self, tx: Tx, index: ConsultantIndex) -> None:
        if index.seen:
            seen, changed = await consultant_store.changed_since(tx, index.seen)
            await _apply(index, changed)
            index.seen = max(index.seen, seen)
            return
        begin = 0
        async for here, part in consultant_store.everybody(tx, chunk=CHUNK):
            await _apply(index, part)
            begin = here
        index.seen = max(index.seen, begin)

    async def _refresh_memory(self, tx: Tx, index: ConsultantIndex) -> None:
        seen, changed = await outcomes.changed_since(tx, index.seen_outcomes)
        ended = [outcome for outcome in changed if outcome.ended_at is not None]  # before that nothing is known yet
        for begin in range(0, len(ended), CHUNK):
            part = ended[begin : begin + CHUNK]
            rung = await reached.by_call(tx, [outcome.call_id for outcome in part])
            for outcome in part:
                index.learn(past_of(outcome, index.person(outcome.consultant_id)))
                people = [
                    Reached(
                        index.person(user), chance, earned=float(outcome.succeeded and user == outcome.consultant_id)
                    )
                    for user, chance in rung.get(outcome.call_id, {}).items()
                ]
                index.chances.learn(outcome.call_id, day_of(outcome.asked_at.timestamp()), people)
            await asyncio.sleep(0)
        index.seen_outcomes = max(index.seen_outcomes, seen)

    async def unencoded_texts(self, tx: Tx, limit: int = CHUNK) -> Unencoded:
        """Some of the texts that wait for a vector; whoever is not in the database any more waits no longer."""
        index = self.index
        people = list(itertools.islice(index.unencoded_people, limit))
        questions = list(itertools.islice(index.unencoded_questions, limit))
        rows = await consultant_store.find_many(tx, people) if people else {}
        texts = await outcomes.texts_of(tx, questions) if questions else {}
        for user in set(people) - rows.keys():
            del index.unencoded_people[user]
        for question in set(questions) - texts.keys():
            del index.unencoded_questions[question]
        return Unencoded(index, [consultant_store.facts_of(row) for row in rows.values()], texts)

    async def encode(self, some: Unencoded) -> None:
        """Give these texts their vectors, the encoder in a thread of its own.

        Until then a profile is found by its words: no ranking ever waits for this.
        """
        assert self._encoder is not None, "nothing waits for a vector without an encoder"
        for facts in some.profiles:
            some.index.take_meaning(facts, await asyncio.to_thread(self._encoder.encode, facts.text))
        for question, text in some.questions.items():
            some.index.take_question(question, await asyncio.to_thread(self._encoder.encode, text))

    async def on_profile_changed(self, tx: Tx, event: ConsultantProfileChanged) -> None:
        """Copy the profile's searchable part."""
        profile = await self._read_profile(tx, event.user_id)
        if profile is None:  # no consultant, or not any more: whatever we know, nobody rings here
            await consultant_store.retire(tx, event.user_id)
            tx.signal(CHANNEL, str(event.user_id))
            return
        await consultant_store.put(
            tx,
            event.user_id,
            headline=profile.headline,
            biography=profile.biography,
            tags=list(profile.tags),
            languages=list(profile.languages),
            time_zone=profile.time_zone,
            rate_minor_per_hour=profile.rate_minor_per_hour,
            currency=profile.currency,
            can_receive=profile.can_receive,
        )
        await self._changed(tx, event.user_id)

    async def on_presence(self, tx: Tx, event: PresenceFact) -> None:
        """Copy the status; somebody who became available may be the one a waiting customer needs."""
        if event.status == "available":
            await consultant_store.forgive_misses(tx, event.user_id)
        await consultant_store.put(tx, event.user_id, status=event.status)
        await self._changed(tx, event.user_id)
        if event.status in ("offline", "in_meeting"):
            await store.wake_rung_at(tx, event.user_id)

    async def on_rating(self, tx: Tx, event: RatingGiven) -> None:
        """Add the stars to the side that was rated; a consultant's are read before the outcome takes the new ones."""
        if await store.customer_of_call(tx, event.call_id) == event.ratee_id:
            if event.stars is not None:
                await consultant_store.rate_customer(tx, event.ratee_id, event.stars)
            return
        before = await outcomes.stars_of(tx, event.call_id)
        await consultant_store.rate_consultant(tx, event.ratee_id, before=before, after=event.stars)
        await self._changed(tx, event.ratee_id)

    async def on_blocked(self, tx: Tx, event: UserBlocked) -> None:
        """Keep the two apart from now on, whoever blocked whom; a ring between them is looked at now."""
        await consultant_store.block(tx, event.blocker_id, event.blocked_id)
        for user in (event.blocker_id, event.blocked_id):
            await store.wake_rung_at(tx, user)

    async def _changed(self, tx: Tx, user: UserId) -> None:
        tx.signal(CHANNEL, str(user))
        row = await consultant_store.find(tx, user)
        if row is not None and row.status == "available":
            await store.wake_waiting(tx)
            await wish_store.wake(tx)

    async def card(self, tx: Tx, user: UserId) -> dict[str, Any] | None:
        """One consultant as customers see them, or None when there is nobody to show."""
        row = await consultant_store.find(tx, user)
        if row is None or row.rate_minor_per_hour is None:
            return None
        return (await self.cards(tx, [row]))[user]

    async def cards(self, tx: Tx, rows: Sequence[ConsultantRow]) -> dict[UUID, dict[str, Any]]:
        """These consultants as customers see them, by id."""
        names = await self._names(tx, [UserId(row.user_id) for row in rows])
        return {row.user_id: card_of(row, names.get(UserId(row.user_id), "")) for row in rows}

    async def some(self, tx: Tx, users: Sequence[UserId]) -> list[dict[str, Any]]:
        """Those of these users whom the directory shows, in this order: who cannot be paid is not in it."""
        rows = await consultant_store.find_many(tx, users)
        shown = [rows[user] for user in users if user in rows and _is_shown(rows[user])]
        return list((await self.cards(tx, shown)).values())

    async def search(
        self, tx: Tx, *, text: str = "", online: bool = False, offset: int = 0, limit: int = 20
    ) -> tuple[list[dict[str, Any]], bool]:
        """A page of consultants, best text match first when there is a text; and whether more follow."""
        if text.strip():
            rows = await self._found(tx, text, online=online, offset=offset, limit=limit + 1)
        else:
            rows = list(await consultant_store.page(tx, online=online, offset=offset, limit=limit + 1))
        cards = await self.cards(tx, rows[:limit])
        return list(cards.values()), len(rows) > limit

    async def _found(self, tx: Tx, text: str, *, online: bool, offset: int, limit: int) -> list[ConsultantRow]:
        await self.refresh(tx)
        vocabulary = self.index.vocabulary
        query = Query(terms=tuple(terms(text)), tags=vocabulary.extract(text).tags, language="")
        users = self.index.search(query, online=online)[offset : offset + limit]
        rows = await consultant_store.find_many(tx, users)
        return [rows[user] for user in users if user in rows]

    async def online_count(self, tx: Tx) -> int:
        """How many consultants can be rung now."""
        return await consultant_store.online_count(tx)


def _is_shown(row: ConsultantRow) -> bool:
    return row.can_receive and row.rate_minor_per_hour is not None


async def _apply(index: ConsultantIndex, changed: Sequence[ConsultantFacts]) -> None:
    for n, facts in enumerate(changed, 1):
        index.apply(facts)
        if n % CHUNK == 0:
            await asyncio.sleep(0)  # the first load of a large market must not hold up calls


def past_of(outcome: Outcome, person: int) -> Past:
    """An outcome as the memory keeps it."""
    return Past(
        key=outcome.call_id,
        question=outcome.question_id,
        text=outcome.text,
        person=person,
        day=day_of(outcome.asked_at.timestamp()),
        weight=weight_of(succeeded=outcome.succeeded, stars=outcome.stars),
        good=outcome.succeeded,
        share=1 / outcome.nth,
    )


def card_of(row: ConsultantRow, name: str) -> dict[str, Any]:
    """A ConsultantCard."""
    return {
        "user_id": row.user_id,
        "display_name": name,
        "headline": row.headline,
        "biography": row.biography,
        "tags": row.tags,
        "languages": row.languages,
        "time_zone": row.time_zone,
        "rate_minor_per_hour": row.rate_minor_per_hour,
        "currency": row.currency,
        "rating": mean_stars(row.rating_sum, row.rating_count),
        "rating_count": row.rating_count,
        "response_s": None if row.response_ms is None else seconds(row.response_ms),
        "status": row.status,
    }
