"""The rule of trust, PURE: what the record of a customer must be for their hold to be placed during the call.

| what is looked at | trusted when |
|---|---|
| a verified card that has not expired | there is one to place holds with |
| calls that were paid and not given back in full | three or more |
| what is owed | nothing |
| 180 days: holds refused or not confirmed, disputes, payments collected, money given back for the asking | none |
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

PAID_CALLS = 3
CLEAN_FOR = timedelta(days=180)


class Doubt(StrEnum):
    """Why somebody is not trusted (yet)."""

    NO_CARD = "no_card"
    FEW_PAID_CALLS = "few_paid_calls"
    OWES = "owes"
    DECLINED = "declined"
    HOLD_MISSED = "hold_missed"
    DISPUTED = "disputed"
    COLLECTED = "collected"
    GIVEN_BACK = "given_back"


@dataclass(frozen=True, slots=True)
class Record:
    """What is stored of a customer; the counts from ``declined`` on are those of the last ``CLEAN_FOR``."""

    card: bool
    paid_calls: int
    owes: bool
    declined: int
    hold_missed: int
    disputed: int
    collected: int
    given_back: int


def doubts(record: Record) -> tuple[Doubt, ...]:
    """Everything that speaks against trust; nothing means trusted."""
    against = {
        Doubt.NO_CARD: not record.card,
        Doubt.FEW_PAID_CALLS: record.paid_calls < PAID_CALLS,
        Doubt.OWES: record.owes,
        Doubt.DECLINED: record.declined > 0,
        Doubt.HOLD_MISSED: record.hold_missed > 0,
        Doubt.DISPUTED: record.disputed > 0,
        Doubt.COLLECTED: record.collected > 0,
        Doubt.GIVEN_BACK: record.given_back > 0,
    }
    return tuple(doubt for doubt, holds in against.items() if holds)
