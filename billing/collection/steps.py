"""The steps of a collection, each in the caller's transaction with the charge locked."""

from uuid import UUID

from sqlalchemy import select, text

from billing import timeline
from billing.collection.models import CollectionRow
from billing.collection.plan import next_attempt
from billing.models import ChargeRow
from core.db import Tx
from core.ids import UserId

TRYING, PAID, GIVEN_UP, WAIVED = "trying", "paid", "given_up", "waived"


async def of_charge(tx: Tx, charge_id: UUID) -> CollectionRow | None:
    """The collection of a charge, read anew."""
    return await tx.session.get(CollectionRow, charge_id, populate_existing=True)


async def of_customer(tx: Tx, customer: UserId) -> list[CollectionRow]:
    """What a customer still owes, oldest first."""
    query = select(CollectionRow).where(CollectionRow.customer_id == customer, CollectionRow.state == TRYING)
    return list(await tx.session.scalars(query.order_by(CollectionRow.opened_at)))


async def limits(tx: Tx, customer: UserId) -> bool:
    """Whether a customer may not ring anybody: something is owed, or was given up and finance still looks at it."""
    found = await tx.session.scalar(
        text(
            "SELECT EXISTS (SELECT 1 FROM collection c WHERE c.customer_id = :customer AND (c.state = 'trying' OR "
            "c.state = 'given_up' AND EXISTS (SELECT 1 FROM billing_case b WHERE b.charge_id = c.charge_id "
            "AND b.kind = 'uncollectable' AND b.closed_at IS NULL)))"
        ),
        {"customer": customer},
    )
    return bool(found)


def begin(tx: Tx, charge: ChargeRow, *, amount_minor: int, fee_minor: int) -> None:
    """What was due could not be taken: the first attempt to collect it is due at once."""
    tx.session.add(
        CollectionRow(
            charge_id=charge.id,
            customer_id=charge.customer_id,
            amount_minor=amount_minor,
            fee_minor=fee_minor,
            currency=charge.currency,
            state=TRYING,
            attempts=0,
            opened_at=tx.now,
            next_at=next_attempt(tx.now, 0),
            closed_at=None,
            last_message=None,
        )
    )
    timeline.record(tx, charge.id, "collection_opened", amount_minor=amount_minor)
    tx.touch([charge.customer_id])


def attempted(tx: Tx, collection: CollectionRow, *, planned: bool) -> None:
    """A hold for the missing amount was asked for: by the plan, or by the customer's own click."""
    collection.next_at = None
    if planned:
        collection.attempts += 1
    timeline.record(tx, collection.charge_id, "collection_attempted", attempt=collection.attempts, planned=planned)


def failed(tx: Tx, collection: CollectionRow, message: str) -> None:
    """An attempt came to nothing: wait for the next one, or give up."""
    collection.last_message = message
    collection.next_at = next_attempt(collection.opened_at, collection.attempts)
    if collection.next_at is not None:
        # A customer's own attempt may come late: what the plan had meant for earlier is not done twice in a row.
        collection.next_at = max(collection.next_at, tx.now)
        timeline.record(tx, collection.charge_id, "collection_failed", next_at=collection.next_at.isoformat())
    else:
        collection.state, collection.closed_at = GIVEN_UP, tx.now
        timeline.record(tx, collection.charge_id, "collection_given_up")
    tx.touch([collection.customer_id])


def waive(tx: Tx, collection: CollectionRow) -> None:
    """Nobody is asked for it any more, and nothing stands against the customer."""
    collection.state, collection.closed_at, collection.next_at = WAIVED, tx.now, None
    tx.touch([collection.customer_id])


def paid(tx: Tx, collection: CollectionRow) -> None:
    """Everything due was taken after all."""
    if collection.state == TRYING:
        collection.state, collection.closed_at, collection.next_at = PAID, tx.now, None
        timeline.record(tx, collection.charge_id, "collected", amount_minor=collection.amount_minor)
        tx.touch([collection.customer_id])
