"""CollectionService: tries failed payments again by plan, and lets the customer pay whenever they like."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from billing.charges import holds, settlement, store
from billing.charges.hold import FINAL
from billing.collection import steps
from billing.collection.models import CollectionRow
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import UserId
from core.settings import Settings

NO_CARD = "There is no card to take the payment from; save one first."


class CollectionService:
    """What is owed, by whom, and the attempts to take it."""

    def __init__(self, settings: Settings) -> None:
        self._window = timedelta(seconds=settings.authenticate_s)

    async def owed(self, tx: Tx, customer: UserId) -> list[CollectionRow]:
        """What this customer still owes."""
        return await steps.of_customer(tx, customer)

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
