"""CardService: saves and shows a customer's card. The number stays between the browser and Stripe."""

from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.models import CardSetupRow, CustomerPaymentRow
from billing.provider.gateway import StripeGateway
from billing.provider.objects import PaymentMethod, SetupStatus
from core.db import Database, Tx
from core.errors import NotFound, Refused
from core.ids import UserId, new_id
from core.settings import Settings


@dataclass(frozen=True, slots=True)
class SavedCard:
    """What may be shown of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


@dataclass(frozen=True, slots=True)
class CardForm:
    """A card about to be saved: ``form_url`` is the sandbox's form, None where Stripe's own fields are used."""

    setup_intent_id: str
    client_secret: str
    form_url: str | None


class CardService:
    """Use cases of the saved card. Methods that talk to Stripe open their own transactions around it."""

    def __init__(self, *, db: Database, gateway: StripeGateway, settings: Settings) -> None:
        self._db = db
        self._gateway = gateway
        self._form_base = settings.stripe_public_base

    async def card(self, tx: Tx, user: UserId) -> SavedCard | None:
        """The card that would be used for the next hold."""
        row = await tx.session.get(CustomerPaymentRow, user)
        if row is None or row.payment_method_id is None:
            return None
        return _shown(row)

    async def begin(self, user: UserId) -> CardForm:
        """Start saving a card; the browser finishes it at Stripe (or the sandbox)."""
        customer_id = await self._customer(user)
        setup_id = new_id()
        async with self._db.begin() as tx:  # the key is stored before the call
            tx.session.add(
                CardSetupRow(id=setup_id, user_id=user, setup_intent_id=None, created_at=tx.now, completed_at=None)
            )
        intent = await self._gateway.create_setup_intent(
            customer_id, idempotency_key=f"seti:{setup_id}", metadata={"setup_id": str(setup_id)}
        )
        async with self._db.begin() as tx:
            row = await tx.session.get(CardSetupRow, setup_id)
            assert row is not None
            row.setup_intent_id = intent.id
        return CardForm(intent.id, intent.client_secret, self._form_url(intent.id, intent.client_secret))

    async def complete(self, user: UserId, setup_intent_id: str) -> SavedCard:
        """Ask Stripe how it went and remember the card; asking twice gives the same answer."""
        async with self._db.begin() as tx:
            if await _setup(tx, user, setup_intent_id) is None:
                raise NotFound
        intent = await self._gateway.retrieve_setup_intent(setup_intent_id)
        if intent.status is not SetupStatus.SUCCEEDED or intent.payment_method_id is None:
            message = intent.decline.message if intent.decline else "The card is not saved yet; finish the form first."
            raise Refused(message, code="card_not_saved")
        method = await self._gateway.retrieve_payment_method(intent.payment_method_id)
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            setup = await _setup(tx, user, setup_intent_id)
            assert setup is not None
            if setup.completed_at is None:  # an older form sent twice must not bring back an older card
                setup.completed_at = tx.now
                _remember(tx, row, method)
                tx.touch([user])
            return _shown(row)

    async def forget(self, user: UserId) -> None:
        """Forget the card, here first and then at Stripe; holds that stand are not touched."""
        async with self._db.begin() as tx:
            row = await tx.session.get(CustomerPaymentRow, user, with_for_update=True)
            if row is None or row.payment_method_id is None:
                return
            method_id = row.payment_method_id
            row.payment_method_id = row.brand = row.last4 = None
            row.exp_month = row.exp_year = None
            row.updated_at = tx.now
            tx.touch([user])
        await self._gateway.detach(method_id, idempotency_key=f"detach:{method_id}")

    async def _customer(self, user: UserId) -> str:
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            if row.provider_customer_id is not None:
                return row.provider_customer_id
        made = await self._gateway.ensure_customer(metadata={"user_id": str(user)}, idempotency_key=f"cus:{user}")
        async with self._db.begin() as tx:
            row = await _lock(tx, user)
            row.provider_customer_id = row.provider_customer_id or made
            return row.provider_customer_id

    def _form_url(self, setup_intent_id: str, client_secret: str) -> str | None:
        if not self._form_base:
            return None
        query = urlencode({"setup_intent": setup_intent_id, "client_secret": client_secret})
        return f"{self._form_base}/_sandbox/card-form?{query}"


async def _lock(tx: Tx, user: UUID) -> CustomerPaymentRow:
    """The user's row, made if need be, locked."""
    await tx.session.execute(
        insert(CustomerPaymentRow).values(user_id=user, updated_at=tx.now).on_conflict_do_nothing()
    )
    row = await tx.session.get(CustomerPaymentRow, user, with_for_update=True, populate_existing=True)
    assert row is not None
    return row


async def _setup(tx: Tx, user: UUID, setup_intent_id: str) -> CardSetupRow | None:
    query = select(CardSetupRow).where(CardSetupRow.setup_intent_id == setup_intent_id, CardSetupRow.user_id == user)
    return (await tx.session.scalars(query.with_for_update())).one_or_none()


def _remember(tx: Tx, row: CustomerPaymentRow, method: PaymentMethod) -> None:
    if method.card is None:
        raise Refused("Only cards can be saved here.", code="not_a_card")
    row.payment_method_id = method.id
    row.brand, row.last4 = method.card.brand, method.card.last4
    row.exp_month, row.exp_year = method.card.exp_month, method.card.exp_year
    row.updated_at = tx.now


def _shown(row: CustomerPaymentRow) -> SavedCard:
    return SavedCard(row.brand or "", row.last4 or "", row.exp_month or 0, row.exp_year or 0)
