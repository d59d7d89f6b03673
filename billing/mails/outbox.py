"""The outbox: a note that somebody is to be written to, made in the transaction of the fact itself."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from billing.mails.models import MailRow
from core.db import Tx


class Kind(StrEnum):
    """What is written about, and so which words. All are owed by contract or by law: nobody can opt out of them."""

    RECEIPT = "receipt"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_GIVEN_UP = "payment_given_up"
    REFUND = "refund"
    CREDIT = "credit"
    PAYOUT_FAILED = "payout_failed"


# A failed payment is tried again at once, and most often goes through: only what is left is written about.
_PATIENCE = {Kind.PAYMENT_FAILED: timedelta(minutes=3)}


async def note(tx: Tx, kind: Kind, subject_id: UUID | str, user: UUID) -> None:
    """Have a letter sent once this transaction stands; the same fact told again changes nothing."""
    row = {
        "key": f"{kind}:{subject_id}",
        "kind": kind,
        "subject_id": str(subject_id),
        "user_id": user,
        "noted_at": tx.now,
        "due_at": tx.now + _PATIENCE.get(kind, timedelta()),
        "attempts": 0,
    }
    await tx.session.execute(insert(MailRow).values(row).on_conflict_do_nothing(index_elements=["key"]))
