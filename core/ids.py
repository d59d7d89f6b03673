"""Identifiers: one NewType per thing, so that a call id is never passed where a user id belongs."""

import secrets
from datetime import date
from typing import NewType
from uuid import UUID, uuid4

UserId = NewType("UserId", UUID)
QuestionId = NewType("QuestionId", UUID)
RequestId = NewType("RequestId", UUID)
OfferId = NewType("OfferId", UUID)
CallId = NewType("CallId", UUID)
ChargeId = NewType("ChargeId", UUID)
HoldId = NewType("HoldId", UUID)

# No vowels and no look-alikes: a reference is read aloud on the phone and must not spell a word.
_REFERENCE_ALPHABET = "23456789BCDFGHJKLMNPQRSTVWXZ"


def new_id() -> UUID:
    """A fresh random identifier; wrap it in the NewType of what it names."""
    return uuid4()


def new_reference(day: date, prefix: str = "CC") -> str:
    """A human reference such as ``CC-20261120-7KQ2``; uniqueness is the database's to enforce."""
    tail = "".join(secrets.choice(_REFERENCE_ALPHABET) for _ in range(4))
    return f"{prefix}-{day:%Y%m%d}-{tail}"
