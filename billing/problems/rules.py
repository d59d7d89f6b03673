"""The rules of a problem, PURE: what the evidence of a call decides by itself, and what a person must decide.

| what is said | what the evidence shows | decision |
|---|---|---|
| anything about money | nothing was charged | answered: nothing was charged |
| the consultant was not there | connected for under 10 s in all, and charged | everything is given back |
| no sound or picture | connected for under 10 s in all, and charged | everything is given back |
| charged twice | another charged call of the two overlaps this one by 10 s or more | the later one is given back |
| charged twice | more was taken than the bill says | what was too much is given back |
| anything else | nothing conclusive | a person decides, both sides are heard |
"""

from dataclasses import dataclass
from enum import StrEnum

CONCLUSIVE_MS = 10_000  # less than this is no conversation


class Category(StrEnum):
    """What somebody may say about a call."""

    CONSULTANT_ABSENT = "consultant_absent"
    NO_MEDIA = "no_media"
    CHARGED_TWICE = "charged_twice"
    AMOUNT = "amount"
    QUALITY = "quality"
    CONDUCT = "conduct"
    OTHER = "other"


class Finding(StrEnum):
    """What the evidence says."""

    NOT_CHARGED = "not_charged"
    NEVER_CONNECTED = "never_connected"
    OVERLAPPING_CALL = "overlapping_call"
    TAKEN_TOO_MUCH = "taken_too_much"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call, for the rules: captured and given back in minor units, connected in milliseconds.

    ``overlaps_ms`` is how long another charged call of the same two people ran at the same time and began earlier.
    """

    connected_ms: int
    gross_minor: int
    captured_minor: int
    refunded_minor: int
    overlaps_ms: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The decision; ``refund_minor`` is given back at once when it is not 0."""

    finding: Finding
    refund_minor: int = 0

    @property
    def conclusive(self) -> bool:
        """Whether nobody needs to decide any more."""
        return self.finding is not Finding.UNDECIDED


def decide(category: Category, facts: Facts) -> Answer:
    """What the evidence decides about what was said."""
    left = facts.captured_minor - facts.refunded_minor
    if left <= 0:
        conduct = category in {Category.CONDUCT, Category.QUALITY, Category.OTHER}
        return Answer(Finding.UNDECIDED if conduct else Finding.NOT_CHARGED)
    absent = category in {Category.CONSULTANT_ABSENT, Category.NO_MEDIA}
    if absent and facts.connected_ms < CONCLUSIVE_MS:
        return Answer(Finding.NEVER_CONNECTED, left)
    if category is Category.CHARGED_TWICE:
        if facts.captured_minor > facts.gross_minor:
            return Answer(Finding.TAKEN_TOO_MUCH, min(left, facts.captured_minor - facts.gross_minor))
        if facts.overlaps_ms >= CONCLUSIVE_MS:
            return Answer(Finding.OVERLAPPING_CALL, left)
    return Answer(Finding.UNDECIDED)
