"""*Tell me when somebody is online*: one stored wish a question, told once, when a consultant who fits is available."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.db import Database, Tx
from core.errors import Conflict
from core.ids import QuestionId, UserId
from matching.consultants import consultant_store
from matching.consultants.projection import ConsultantProjection, Names
from matching.dispatch import store, wish_store
from matching.models import ConsultantRow, OnlineWishRow, QuestionRow
from matching.questions import question_store
from matching.questions.question import State
from matching.questions.ranking import query_of, text_of

KEPT = timedelta(days=1)
MOST_PER_TICK = 100
MOST_OF_ONE = 10  # whoever comes online is held against every wish: one customer must not fill the day with theirs


class TooManyWishes(Conflict):
    """You are waiting to be told about ten questions; take one wish back first."""

    code = "wish_count"


class WishService:
    """Keeps the wishes. A consultant fits whose profile shares a tag or a word with the question, as in the search."""

    def __init__(self, consultants: ConsultantProjection, names: Names) -> None:
        self._consultants = consultants
        self._names = names

    async def make(self, tx: Tx, user: UserId, question: QuestionId) -> None:
        """Wish to be told; wishing again starts the day anew. Somebody who is there already is told of at once."""
        row = await question_store.own(tx, user, question)
        if row.state == State.WITHDRAWN:
            raise Conflict("This question was withdrawn; post it again.", code="question_withdrawn")
        if await wish_store.others_of(tx, user, row.id) >= MOST_OF_ONE:
            raise TooManyWishes
        await wish_store.put(tx, row.id, user, expires_at=tx.now + KEPT)
        tx.touch([user])
        tx.signal("due", "wishes")

    async def forget(self, tx: Tx, user: UserId, question: QuestionId) -> None:
        """Take the wish back, or put its notice away; without one nothing happens."""
        row = await question_store.own(tx, user, question)
        if await wish_store.drop(tx, row.id):
            tx.touch([user])

    async def view(self, tx: Tx, user: UserId) -> list[dict[str, Any]]:
        """The snapshot's ``wishes``: what the customer waits to be told, and what they were told."""
        rows = await wish_store.of_customer(tx, user)
        names = await self._names(tx, [UserId(wish.consultant_id) for wish, _ in rows if wish.consultant_id])
        return [
            {
                "question_id": wish.question_id,
                "question_title": question.title,
                "expires_at": wish.expires_at,
                "told_at": wish.told_at,
                "consultant_id": wish.consultant_id,
                "consultant_name": None if wish.consultant_id is None else names.get(UserId(wish.consultant_id), ""),
            }
            for wish, question in rows
        ]

    async def run_due(self, db: Database) -> int:
        """Look at the wishes for which somebody may have come; returns how many were looked at."""
        done = 0
        while done < MOST_PER_TICK:
            async with db.begin() as tx:
                wish = await wish_store.claim_due(tx)
                if wish is None:
                    break
                await self._look(tx, wish)
            done += 1
        return done

    async def _look(self, tx: Tx, wish: OnlineWishRow) -> None:
        wish.due_at = None
        question = await question_store.get(tx, wish.question_id)
        if question.state != State.OPEN:
            return
        found = await self._somebody(tx, question)
        if found is not None:
            wish.told_at, wish.consultant_id = tx.now, found
            tx.touch([wish.customer_id])

    async def _somebody(self, tx: Tx, question: QuestionRow) -> UUID | None:
        """The best text match who could be rung this moment."""
        await self._consultants.refresh(tx)
        query = query_of(text_of(question), question.tags, question.language, None, None)
        users = self._consultants.index.search(query, online=True)
        customer = UserId(question.customer_id)
        apart = {customer, *await consultant_store.blocked_with(tx, customer), *await store.being_rung(tx)}
        rows = await consultant_store.find_many(tx, users)
        return next((user for user in users if user not in apart and user in rows and _ready(rows[user])), None)


def _ready(row: ConsultantRow) -> bool:
    return row.status == "available" and row.can_receive and row.rate_minor_per_hour is not None
