"""The promise of two minutes: what is recorded, and owed, when nobody has answered within it."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import QuestionId, RequestId, UserId
from core.money import price_minor
from matching.events import PromiseMissed
from matching.models import PromiseCreditRow, RequestRow

RULE = "five-minutes-3"
CREDIT_MS = 300_000  # five minutes at the highest rate the customer consented to, within the cap
MOST_MINOR = 1_000  # whoever rings at a rate that nobody asks for is owed no more than an ordinary call's five minutes
ONCE_IN = timedelta(days=1)  # whoever rings and cancels all night at the highest rate is owed no fortune


async def missed(tx: Tx, row: RequestRow) -> None:
    """Record the credit of this request, unless the customer has had one within a day.

    Nobody has two requests at once, so there is no second one to count at the same time.
    """
    amount = min(price_minor(row.max_rate_minor_per_hour, CREDIT_MS), row.cap_minor, MOST_MINOR)
    if amount <= 0 or await _had_one(tx, row.customer_id):
        return
    credit = PromiseCreditRow
    new = (
        insert(credit)
        .values(
            request_id=row.id,
            customer_id=row.customer_id,
            amount_minor=amount,
            currency=row.currency,
            rule=RULE,
            missed_at=tx.now,
        )
        .on_conflict_do_nothing()
        .returning(credit.request_id)
    )
    if await tx.session.scalar(new) is not None:
        await tx.publish(
            PromiseMissed(
                request_id=RequestId(row.id),
                question_id=QuestionId(row.question_id),
                customer_id=UserId(row.customer_id),
                amount_minor=amount,
                currency=row.currency,
            )
        )


async def _had_one(tx: Tx, customer: UUID) -> bool:
    credit = PromiseCreditRow
    query = exists().where(credit.customer_id == customer, credit.missed_at > tx.now - ONCE_IN)
    return bool(await tx.session.scalar(select(query)))


async def credit_of(tx: Tx, request: RequestId) -> PromiseCreditRow | None:
    """What is owed for this request."""
    query = select(PromiseCreditRow).where(PromiseCreditRow.request_id == request)
    found: PromiseCreditRow | None = await tx.session.scalar(query)
    return found
