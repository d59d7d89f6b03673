"""CardService: saves, shows, prefers and removes a customer's cards. Numbers stay between browser and Stripe."""

from dataclasses import dataclass
from urllib.parse import urlencode

import procrastinate

from billing import card_velocity, saved_cards
from billing.models import CardSetupRow, CustomerPaymentRow, SavedCardRow
from billing.provider.errors import ProviderBusy, ProviderRejected, ProviderUnknown
from billing.provider.gateway import StripeGateway
from billing.provider.objects import SetupStatus
from core import logs
from core.db import Database, Tx
from core.errors import Conflict, NotFound, Refused
from core.ids import UserId, new_id
from core.jobs import Jobs
from core.settings import Settings

log = logs.get(__name__)

DETACH = "billing.detach_card"
# Each pause is half a minute longer than the one before it: four days in all.
_RETRY = procrastinate.RetryStrategy(max_attempts=150, linear_wait=30, retry_exceptions=(ProviderUnknown, ProviderBusy))


class CardInUse(Conflict):
    """This card holds, or will hold, the reserve of a call that is not settled yet. Remove it once the call is."""

    code = "card_in_use"


@dataclass(frozen=True, slots=True)
class SavedCard:
    """What may be shown of a card; ``default`` is the one holds are placed with, unless it is ``expired``."""

    payment_method_id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    default: bool
    expired: bool


@dataclass(frozen=True, slots=True)
class CardForm:
    """A card about to be saved: in the sandbox's form at ``form_url``, or in Stripe's own fields under the key."""

    setup_intent_id: str
    client_secret: str
    form_url: str | None
    publishable_key: str | None


class CardService:
    """Use cases of saved cards. Methods that talk to Stripe open their own transactions around it."""

    def __init__(self, *, db: Database, gateway: StripeGateway, settings: Settings) -> None:
        self._db = db
        self._gateway = gateway
        self._form_base = settings.stripe_public_base
        self._publishable_key = settings.stripe_publishable_key

    def register(self, jobs: Jobs) -> None:
        """Name the job that tells Stripe of removed cards."""
        jobs.register(DETACH, self.detach, retry=_RETRY)

    async def cards(self, tx: Tx, user: UserId) -> list[SavedCard]:
        """Every saved card: the default first, then the newest."""
        customer = await tx.session.get(CustomerPaymentRow, user)
        default = None if customer is None else customer.payment_method_id
        rows = await saved_cards.of_customer(tx, user)
        return sorted((_shown(tx, row, default) for row in rows), key=lambda card: not card.default)

    async def ready(self, tx: Tx, user: UserId) -> bool:
        """Whether a hold could be placed: there is a default card, and it is valid."""
        return await saved_cards.for_hold(tx, user) is not None

    async def begin(self, user: UserId) -> CardForm:
        """Start saving a card; the browser finishes it at Stripe (or the sandbox). TooMany at the 4th in an hour."""
        if not (self._form_base or self._publishable_key):
            raise Refused("Cards cannot be saved here: no publishable key is set.", code="cards_not_configured")
        async with self._db.begin() as tx:
            await card_velocity.check(tx, user)
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
        if self._form_base:
            return CardForm(intent.id, intent.client_secret, self._form_url(intent.id, intent.client_secret), None)
        return CardForm(intent.id, intent.client_secret, None, self._publishable_key)

    async def complete(self, user: UserId, setup_intent_id: str, *, make_default: bool = False) -> list[SavedCard]:
        """Ask Stripe how it went and remember the card; asking twice adds it once.

        The first card becomes the default, a later one when asked for or when the default has expired.
        Raises NotFound for another's form, Refused while it is not finished, TooMany at the 4th card in an hour.
        """
        async with self._db.begin() as tx:
            if await saved_cards.setup(tx, user, setup_intent_id) is None:
                raise NotFound
        intent = await self._gateway.retrieve_setup_intent(setup_intent_id)
        if intent.status is not SetupStatus.SUCCEEDED or intent.payment_method_id is None:
            message = intent.decline.message if intent.decline else "The card is not saved yet; finish the form first."
            raise Refused(message, code="card_not_saved")
        method = await self._gateway.retrieve_payment_method(intent.payment_method_id)
        if method.card is None:
            raise Refused("Only cards can be saved here.", code="not_a_card")
        async with self._db.begin() as tx:
            customer = await saved_cards.lock_customer(tx, user)
            form = await saved_cards.setup(tx, user, setup_intent_id)
            assert form is not None
            if form.completed_at is None:  # an older form sent twice must not bring back a removed card
                await card_velocity.check(tx, user)
                form.completed_at = tx.now
                await saved_cards.remember(tx, customer, method, make_default=make_default)
            elif make_default and await saved_cards.lock(tx, user, method.id) is not None:
                saved_cards.prefer(tx, customer, method.id)  # Stripe's event was here first, and knew no wish
            return await self.cards(tx, user)

    async def make_default(self, tx: Tx, user: UserId, payment_method_id: str) -> list[SavedCard]:
        """Place holds with this card from now on; Refused when it has expired."""
        customer = await saved_cards.lock_customer(tx, user)
        card = await saved_cards.lock(tx, user, payment_method_id)
        if card is None:
            raise NotFound
        if saved_cards.expired(card, tx.now):
            raise Refused("This card has expired. Please choose or add another one.", code="card_expired")
        saved_cards.prefer(tx, customer, payment_method_id)
        return await self.cards(tx, user)

    async def remove(self, tx: Tx, user: UserId, payment_method_id: str) -> list[SavedCard]:
        """Forget a card here, and leave the job that has Stripe forget it too.

        The newest other valid card becomes the default. Raises CardInUse while a call placed with it is not settled.
        """
        customer = await saved_cards.lock_customer(tx, user)
        card = await saved_cards.lock(tx, user, payment_method_id)
        if card is None:
            raise NotFound
        if await saved_cards.in_use(tx, card):
            raise CardInUse
        await saved_cards.forget(tx, customer, card)
        await tx.defer(DETACH, payment_method_id=payment_method_id)
        return await self.cards(tx, user)

    async def detach(self, payment_method_id: str) -> None:
        """The job: tell Stripe to forget a removed card. No answer: the job comes again, under the same key."""
        async with self._db.begin() as tx:
            card = await tx.session.get(SavedCardRow, payment_method_id)
            if card is None or card.detach_key is None or card.detached_at is not None:
                return
            key = card.detach_key
        try:
            await self._gateway.detach(payment_method_id, idempotency_key=key)
        except (ProviderRejected, ProviderUnknown) as error:  # it may be done already: look before asking again
            if (await self._gateway.retrieve_payment_method(payment_method_id)).customer_id is not None:
                await self._renew_key(payment_method_id, error)
                raise
        async with self._db.begin() as tx:
            card = await tx.session.get(SavedCardRow, payment_method_id, with_for_update=True)
            assert card is not None
            card.detached_at = card.detached_at or tx.now

    async def _renew_key(self, payment_method_id: str, error: ProviderRejected | ProviderUnknown) -> None:
        """A stored 500 is what its key will answer for ever; we looked, it had no effect, so the next key may ask."""
        log.warning("card.detach_failed", code=error.code)
        if isinstance(error, ProviderUnknown) and error.replayed:
            async with self._db.begin() as tx:
                card = await tx.session.get(SavedCardRow, payment_method_id, with_for_update=True)
                assert card is not None
                base, _, number = (card.detach_key or "").partition("~")
                card.detach_key = f"{base}~{int(number or 1) + 1}"

    async def _customer(self, user: UserId) -> str:
        async with self._db.begin() as tx:
            row = await saved_cards.lock_customer(tx, user)
            if row.provider_customer_id is not None:
                return row.provider_customer_id
        made = await self._gateway.ensure_customer(metadata={"user_id": str(user)}, idempotency_key=f"cus:{user}")
        async with self._db.begin() as tx:
            row = await saved_cards.lock_customer(tx, user)
            row.provider_customer_id = row.provider_customer_id or made
            return row.provider_customer_id

    def _form_url(self, setup_intent_id: str, client_secret: str) -> str:
        query = urlencode({"setup_intent": setup_intent_id, "client_secret": client_secret})
        return f"{self._form_base}/_sandbox/card-form?{query}"


def _shown(tx: Tx, row: SavedCardRow, default: str | None) -> SavedCard:
    return SavedCard(
        payment_method_id=row.payment_method_id,
        brand=row.brand,
        last4=row.last4,
        exp_month=row.exp_month,
        exp_year=row.exp_year,
        default=row.payment_method_id == default,
        expired=saved_cards.expired(row, tx.now),
    )
