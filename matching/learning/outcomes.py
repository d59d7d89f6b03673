"""Outcomes: what became of every accepted ring, as rows a ranker can learn from.

One row for each accepted call; a question that leads to a second call with the same consultant has a second row.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import CallId
from matching import changes
from matching.models import OutcomeRow, QuestionRow

CONTENT: Final = 4  # stars from which a customer is content


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one accepted ring; ``text`` is the question's title and details as they were when accepted.

    ``connected``: both sides saw one another; ``completed``: the connected time passed the threshold from which a
    call costs money. ``connected_ms`` is 0 until the call's books are closed. ``stars`` are the customer's, None
    while there are none. ``nth`` is 1 for the first accepted ring of this customer at this consultant, 2 for the next.
    ``changed_in`` tells versions of the row apart.
    """

    question_id: UUID
    consultant_id: UUID
    nth: int
    call_id: UUID
    text: str
    tags: tuple[str, ...]
    language: str
    asked_at: datetime
    accepted_at: datetime
    connected: bool
    completed: bool
    connected_ms: int
    stars: int | None
    refunded: bool
    ended_at: datetime | None
    changed_in: int

    @property
    def succeeded(self) -> bool:
        """Whether this was good advice as far as is known; see ``succeeded``."""
        return succeeded(completed=self.completed, refunded=self.refunded, stars=self.stars)


def succeeded(*, completed: bool, refunded: bool, stars: int | None) -> bool:
    """Talked about past the threshold, nothing given back, and no customer who was not content.

    The column ``outcome.succeeded`` is the same rule for SQL.
    """
    return completed and not refunded and (stars is None or stars >= CONTENT)


async def changed_since(tx: Tx, seen: int) -> tuple[int, list[Outcome]]:
    """Outcomes written since ``seen``, and the number to ask with next time; see ``changes``."""
    seen, rows = await changes.since(tx, OutcomeRow, seen)
    return seen, [outcome_of(row) for row in rows]


async def texts_of(tx: Tx, questions: Collection[Hashable]) -> dict[UUID, str]:
    """What these questions said when they were answered; those that nobody answered are left out."""
    query = select(OutcomeRow.question_id, OutcomeRow.text).where(OutcomeRow.question_id.in_(questions))
    rows = await tx.session.execute(query.order_by(OutcomeRow.accepted_at.desc()))
    return {row.question_id: row.text for row in rows}


async def begin(tx: Tx, question: QuestionRow, *, consultant: UUID, call: CallId) -> None:
    """Write down that this consultant accepted; a second time changes nothing."""
    row = OutcomeRow
    before = select(func.count()).where(
        row.customer_id == question.customer_id, row.consultant_id == consultant, row.call_id != call
    )
    values = {
        "call_id": call,
        "question_id": question.id,
        "customer_id": question.customer_id,
        "consultant_id": consultant,
        "nth": before.scalar_subquery() + 1,
        "text": f"{question.title}\n{question.details}",
        "tags": question.tags,
        "language": question.language,
        "asked_at": question.created_at,
        "accepted_at": tx.now,
        "connected": False,
        "completed": False,
        "connected_ms": 0,
        "refunded": False,
        "changed_in": 0,  # the trigger knows better
    }
    await tx.session.execute(insert(row).values(**values).on_conflict_do_nothing())


async def locked(tx: Tx, call: UUID) -> OutcomeRow | None:
    """Lock what is known of this call's outcome."""
    query = select(OutcomeRow).where(OutcomeRow.call_id == call).with_for_update()
    return await tx.session.scalar(query.execution_options(populate_existing=True))


async def others_of_pair(tx: Tx, mine: OutcomeRow) -> tuple[bool, bool]:
    """Whether this customer and this consultant have connected in another call, and whether one was a success."""
    row = OutcomeRow
    query = select(
        func.coalesce(func.bool_or(row.connected), False), func.coalesce(func.bool_or(row.succeeded), False)
    ).where(row.customer_id == mine.customer_id, row.consultant_id == mine.consultant_id, row.call_id != mine.call_id)
    connected, found = (await tx.session.execute(query)).one()
    return bool(connected), bool(found)


async def stars_of(tx: Tx, call: UUID) -> int | None:
    """The customer's stars for this call as they stand; nobody changes them before this transaction ends."""
    row = await locked(tx, call)
    return None if row is None else row.stars


def outcome_of(row: OutcomeRow) -> Outcome:
    """The row as a plain value."""
    return Outcome(
        question_id=row.question_id,
        consultant_id=row.consultant_id,
        nth=row.nth,
        call_id=row.call_id,
        text=row.text,
        tags=tuple(row.tags),
        language=row.language,
        asked_at=row.asked_at,
        accepted_at=row.accepted_at,
        connected=row.connected,
        completed=row.completed,
        connected_ms=row.connected_ms,
        stars=row.stars,
        refunded=row.refunded,
        ended_at=row.ended_at,
        changed_in=row.changed_in,
    )
