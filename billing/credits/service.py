"""CreditService: hears of missed promises, and says what a customer has left."""

from billing.credits import store
from billing.credits.store import OpenCredit
from billing.facts import PromiseBroken
from core.db import Tx
from core.ids import UserId


class CreditService:
    """Use cases of credits; they are used where a charge is captured (``redeem.py``)."""

    async def on_promise_missed(self, tx: Tx, event: PromiseBroken) -> None:
        """Owe the customer what the promise is worth."""
        await store.grant(
            tx, event.request_id, event.customer_id, amount_minor=event.amount_minor, currency=event.currency
        )

    async def open_of(self, tx: Tx, customer: UserId) -> list[OpenCredit]:
        """What a customer has left, by currency."""
        return await store.open_of(tx, customer)
