"""Whether two questions ask the same: by the stems they share, in English and German (no I/O)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from matching.language.words import terms

ALIKE_PERCENT = 60  # of the stems of both together; measured on the examples in tests/unit/matching/test_duplicates.py
LOOKED_INTO = 600  # characters of the details: what a question is about is said by then, and stemming has its price
FEWEST_STEMS = 2  # two questions that share their only word are not the same yet


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked before."""

    id: UUID
    title: str
    details: str


def alike_percent(one: Iterable[str], other: Iterable[str]) -> int:
    """How many of the stems of both are in both, in whole percent (Jaccard)."""
    here, there = set(one), set(other)
    if len(here) < FEWEST_STEMS or len(there) < FEWEST_STEMS:
        return 0
    return 100 * len(here & there) // len(here | there)


def duplicate_of(title: str, details: str, before: Sequence[Asked]) -> Asked | None:
    """The most similar earlier question, if one asks the same: by its title alone or with the details."""
    heading, whole = _stems(title, details)
    best, best_percent = None, ALIKE_PERCENT - 1
    for asked in before:
        their_heading, their_whole = _stems(asked.title, asked.details)
        by_title, by_whole = alike_percent(heading, their_heading), alike_percent(whole, their_whole)
        if max(by_title, by_whole) > best_percent:
            best, best_percent = asked, max(by_title, by_whole)
    return best


def _stems(title: str, details: str) -> tuple[set[str], set[str]]:
    """The stems of the title, and those of the title and the beginning of the details."""
    heading = set(terms(title))
    return heading, heading.union(terms(details[:LOOKED_INTO]))
