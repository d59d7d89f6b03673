"""CollectionService: tries failed payments again by plan, and lets the customer pay whenever they like."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from billing.charges import holds, settlement, store
from billing.charges.hold import FINAL, State
from billing.collection import steps
from billing.collection.models import CollectionRow
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import UserId
from core.settings import Settings

NEEDS_ACTION = State.NEEDS_ACTION
NO_CARD = "There is no card to take the payment from; save one first."


@dataclass(frozen=True, slots=True)
class Owed:
    """A payment that did not go through; ``authenticate_url`` is where the bank wants to see the customer."""

    charge_id: UUID
    call_id: UUID
    reference: str
    amount_minor: int
    currency: str
    opened_at: datetime
    next_at: datetime | None
    attempts: int
    last_message: str | None
    authenticate_url: str | None


class CollectionService:
    """What is owed, by whom, and the attempts to take it."""

    def __init__(self, settings: Settings) -> None:
        self._window = timedelta(seconds=settings.authenticate_s)

    async def owed(self, tx: Tx, customer: UserId) -> list[Owed]:
        """What this customer still owes."""
        found: list[Owed] = []
        for row in await steps.of_customer(tx, customer):
            charge = await store.charge(tx, row.charge_id)
            assert charge is not None
            asked = [hold.authenticate_url for hold in await store.holds(tx, charge.id) if hold.state == NEEDS_ACTION]
            found.append(
                Owed(
                    charge_id=row.charge_id,
                    call_id=charge.call_id,
                    reference=charge.reference,
                    amount_minor=row.amount_minor,
                    currency=row.currency,
                    opened_at=row.opened_at,
                    next_at=row.next_at,
                    attempts=row.attempts,
                    last_message=row.last_message,
                    authenticate_url=asked[-1] if asked else None,
                )
            )
        return found

    async def limits(self, tx: Tx, customer: UserId) -> bool:
        """Whether this customer may not ring anybody until something is paid."""
        return await steps.limits(tx, customer)

    async def pay(self, tx: Tx, customer: UserId, charge_id: UUID, client_key: UUID) -> None:
        """The customer pays now, with their present card; the bank may want to see them (3-D Secure).

        Raises NotFound, Conflict while an attempt is under way, Refused without a card. The same key asks once.
        """
        looked = await store.charge(tx, charge_id)
        if looked is None or looked.customer_id != customer:
            raise NotFound
        charge = await store.lock(tx, charge_id)
        collection = await steps.of_charge(tx, charge_id)
        everything = await store.holds(tx, charge_id)
        if any(hold.client_key == str(client_key) for hold in everything):
            return
        if collection is None or collection.state != steps.TRYING:
            raise Conflict("Nothing is owed for this call.", code="nothing_owed")
        if any(hold.state not in FINAL for hold in everything):
            raise Conflict("A payment is already under way.", code="payment_pending")
        placed = await holds.place(
            tx,
            charge,
            amount_minor=collection.amount_minor,
            within=self._window,
            client_key=str(client_key),
            purpose=holds.COLLECTION,
        )
        if placed is None:
            raise Refused(NO_CARD, code="no_card")
        steps.attempted(tx, collection, planned=False)
        tx.touch([customer])

    async def run_due(self, db: Database) -> int:
        """Make every attempt that is due, one charge to a transaction."""
        done = 0
        while True:
            async with db.begin() as tx:
                query = select(CollectionRow.charge_id).where(CollectionRow.next_at <= tx.now).limit(1)
                charge_id = await tx.session.scalar(query)
                if charge_id is None:
                    return done
                charge = await store.lock(tx, charge_id)
                collection = await steps.of_charge(tx, charge_id)
                if collection is not None and collection.next_at is not None and collection.next_at <= tx.now:
                    steps.attempted(tx, collection, planned=True)
                    amount = collection.amount_minor
                    if (
                        await holds.place(
                            tx, charge, amount_minor=amount, within=self._window, purpose=holds.COLLECTION
                        )
                        is None
                    ):
                        steps.failed(tx, collection, NO_CARD)
                        await settlement.conclude(tx, charge)
            done += 1
