"""The promise of two minutes: what is recorded, and owed, when nobody has answered within it."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.db import Tx
from core.ids import QuestionId, RequestId, UserId
from core.money import price_minor
from matching.events import PromiseMissed
from matching.models import PromiseCreditRow, RequestRow

RULE = "five-minutes-1"
CREDIT_MS = 300_000  # five minutes at the highest rate the customer consented to


async def missed(tx: Tx, row: RequestRow) -> None:
    """Record the credit of this request; keeping on waiting and missing again does not add another."""
    amount = price_minor(row.max_rate_minor_per_hour, CREDIT_MS)
    if amount <= 0:
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


async def credit_of(tx: Tx, request: RequestId) -> PromiseCreditRow | None:
    """What is owed for this request."""
    query = select(PromiseCreditRow).where(PromiseCreditRow.request_id == request)
    found: PromiseCreditRow | None = await tx.session.scalar(query)
    return found
