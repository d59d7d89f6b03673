"""One consultant as the ranking reads them, and their past as an explanation names it (PURE)."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ConsultantFacts:
    """One consultant as the projection has them; ``changed_in`` tells versions of the row apart."""

    user_id: UUID
    headline: str
    biography: str
    tags: tuple[str, ...]
    languages: tuple[str, ...]
    rate_minor_per_hour: int | None
    currency: str | None
    can_receive: bool
    status: str
    rating_sum: int
    rating_count: int
    response_ms: int | None
    changed_in: int

    @property
    def text(self) -> str:
        """What BM25 reads."""
        return " ".join((self.headline, *self.tags, self.biography))


@dataclass(frozen=True, slots=True)
class Record:
    """What stored outcomes and texts say of one consultant about one question.

    ``similar`` and ``lately`` count questions they answered well: those like this one, and those of the last days (see
    ``memory``). ``meaning`` is the cosine between their profile and the question, 0 without an encoder.
    """

    similar: int = 0
    lately: int = 0
    meaning: float = 0.0
