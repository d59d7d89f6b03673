"""Questions: posting, editing and withdrawing them, and what they are about."""

from collections.abc import Iterable
from typing import Any

from core.db import Tx
from core.errors import Conflict, Invalid
from core.ids import QuestionId, UserId, new_id
from matching.attachments import attachment_store
from matching.consultants.projection import ConsultantProjection
from matching.dispatch import store
from matching.language.keywords import Keywords
from matching.language.words import normal_tag
from matching.models import QuestionRow
from matching.questions import question_store, refusals
from matching.questions.question import Move, State, advance
from people.text import clean

TITLE_MIN, TITLE_MAX = 8, 140
DETAILS_MAX = 4_000
TAGS_MAX, TAG_MAX = 8, 40


class QuestionService:
    """What a customer may do with a question. Tags that are not given are read out of the text."""

    def __init__(self, consultants: ConsultantProjection) -> None:
        self._consultants = consultants

    async def post(
        self, tx: Tx, user: UserId, *, title: str, details: str, language: str, tags: Iterable[str] | None = None
    ) -> QuestionRow:
        """Store a question; it is open at once."""
        title, details = checked_text(title, details)
        row = QuestionRow(
            id=new_id(),
            customer_id=user,
            title=title,
            details=details,
            language=language,
            tags=await self._tags(tx, tags, title, details),
            state=State.OPEN,
            created_at=tx.now,
            changed_at=tx.now,
        )
        tx.session.add(row)
        await tx.session.flush()
        return row

    async def edit(
        self,
        tx: Tx,
        user: UserId,
        question: QuestionId,
        *,
        title: str | None = None,
        details: str | None = None,
        language: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> QuestionRow:
        """Change an open question that nobody is being rung for."""
        row = await self._unrung(tx, user, question)
        row.state = advance(State(row.state), Move.EDIT)
        row.title, row.details = checked_text(
            row.title if title is None else title, row.details if details is None else details
        )
        row.language = row.language if language is None else language
        if tags is not None:
            row.tags = await self._tags(tx, tags, row.title, row.details)
        row.changed_at = tx.now
        return row

    async def withdraw(self, tx: Tx, user: UserId, question: QuestionId) -> QuestionRow:
        """Take an open question back; what is attached to it is deleted."""
        row = await self._unrung(tx, user, question)
        if row.state != State.WITHDRAWN:
            row.state = advance(State(row.state), Move.WITHDRAW)
            row.changed_at = tx.now
            await attachment_store.delete_all_of(tx, question)
        return row

    async def _unrung(self, tx: Tx, user: UserId, question: QuestionId) -> QuestionRow:
        row = await question_store.own(tx, user, question, lock=True)
        if await store.active_for_question(tx, question) is not None:
            raise Conflict("Stop ringing before you change this question.", code="ringing")
        return row

    async def get(self, tx: Tx, user: UserId, question: QuestionId) -> QuestionRow:
        """One of the customer's own questions."""
        return await question_store.own(tx, user, question)

    async def of_customer(self, tx: Tx, user: UserId) -> list[QuestionRow]:
        """The customer's questions, newest first."""
        return list(await question_store.of_customer(tx, user))

    async def keywords(self, tx: Tx, text: str) -> Keywords:
        """What a text is about, in the words consultants use for themselves."""
        await self._consultants.refresh(tx)
        return self._consultants.index.vocabulary.extract(text)

    async def suggest_tags(self, tx: Tx, prefix: str) -> list[str]:
        """Tags that begin as typed."""
        await self._consultants.refresh(tx)
        return self._consultants.index.vocabulary.suggest(prefix)

    async def _tags(self, tx: Tx, tags: Iterable[str] | None, title: str, details: str) -> list[str]:
        if tags is None:
            return list((await self.keywords(tx, f"{title}\n{details}")).tags)
        return checked_tags(tags)


def checked_text(title: str, details: str) -> tuple[str, str]:
    """Title and details, trimmed and inside their limits; raises Invalid, also for what ``refusals`` names."""
    title, details = clean(title), clean(details)
    if not TITLE_MIN <= len(title) <= TITLE_MAX:
        raise Invalid(f"Describe your question in {TITLE_MIN} to {TITLE_MAX} characters.", field="title")
    if len(details) > DETAILS_MAX:
        raise Invalid(f"Keep the details under {DETAILS_MAX:,} characters.", field="details")
    refusals.check(title, details)
    return title, details


def checked_tags(tags: Iterable[str]) -> list[str]:
    """Tags in their normal form, each once; raises Invalid."""
    normal = list(dict.fromkeys(tag for tag in map(normal_tag, tags) if tag))
    if len(normal) > TAGS_MAX or any(len(tag) > TAG_MAX for tag in normal):
        raise Invalid(f"Give at most {TAGS_MAX} tags of at most {TAG_MAX} characters.", field="tags")
    return normal


def question_view(row: QuestionRow) -> dict[str, Any]:
    """A question as its owner sees it."""
    return {
        "id": row.id,
        "title": row.title,
        "details": row.details,
        "tags": row.tags,
        "language": row.language,
        "state": row.state,
        "created_at": row.created_at,
    }
