"""Help while a question is typed: tags, one refining question, and the customer's own question that says the same."""

from dataclasses import dataclass
from typing import Any

from core.db import Tx
from core.ids import UserId
from matching.consultants import consultant_store
from matching.consultants.projection import ConsultantProjection
from matching.questions import question_store
from matching.questions.duplicates import Asked, duplicate_of
from matching.questions.ranking import query_of
from matching.ranking.ranker import Ranker
from matching.ranking.refinement import Refining, refining

LOOKED_AT = 40  # the best so many candidates decide what would part them
COMPARED = 20  # the newest open questions: whoever has hundreds is not made to wait, nor anybody else with them


@dataclass(frozen=True, slots=True)
class Aid:
    """Tags the text names and its telling words, and what to ask back, if anything."""

    tags: tuple[str, ...]
    keywords: tuple[str, ...]
    refining: Refining | None


class TypingAid:
    """Answers within the time in which people go on typing; nothing of it is stored."""

    def __init__(self, consultants: ConsultantProjection, ranker: Ranker) -> None:
        self._consultants = consultants
        self._ranker = ranker

    async def suggest(self, tx: Tx, text: str, *, language: str, tags: tuple[str, ...] = ()) -> Aid:
        """What the text is about, in the words of those who are online; ``tags`` were chosen already."""
        await self._consultants.refresh(tx)
        index = self._consultants.index
        found = index.vocabulary.extract(text)
        asked = tuple(dict.fromkeys((*tags, *found.tags)))
        query = query_of(text, asked, language, None, None)
        ranked = self._ranker.rank(query, index.ringable(query), LOOKED_AT)
        rows = await consultant_store.find_many(tx, [one.user_id for one in ranked])
        return Aid(found.tags, found.keywords, refining(asked, [row.tags for row in rows.values()]))

    async def similar(self, tx: Tx, user: UserId, title: str, details: str) -> dict[str, Any] | None:
        """The customer's own open question that asks the same, or None."""
        rows = await question_store.open_of(tx, user, limit=COMPARED)
        found = duplicate_of(title, details, [Asked(row.id, row.title, row.details) for row in rows])
        return None if found is None else {"id": found.id, "title": found.title}
