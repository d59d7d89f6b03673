"""CardNews: what becomes of cards without our page being open, as Stripe tells it. Nothing told is believed."""

from uuid import UUID

from sqlalchemy import or_, select

from billing import card_velocity, saved_cards
from billing.models import CardSetupRow, SavedCardRow
from billing.provider.gateway import StripeGateway
from billing.provider.objects import PaymentMethod, SetupIntent, SetupStatus
from core import logs
from core.db import Database, Tx

log = logs.get(__name__)


class CardNews:
    """Follows events of cards: each fetches what it speaks of, and opens its own transactions around that."""

    def __init__(self, *, db: Database, gateway: StripeGateway) -> None:
        self._db = db
        self._gateway = gateway

    async def take_in_form(self, setup_intent_id: str) -> bool:
        """A form was finished, perhaps with nobody left to say so: remember its card, once. False: not our form.

        It becomes the default where there is no valid one. The fourth card in an hour is not remembered: the browser
        is refused it too.
        """
        intent = await self._gateway.retrieve_setup_intent(setup_intent_id)
        async with self._db.begin() as tx:
            form = await _form(tx, intent)
            if form is None:
                return False
            user, done = form.user_id, form.completed_at is not None
        if done or intent.status is not SetupStatus.SUCCEEDED or intent.payment_method_id is None:
            return True
        method = await self._gateway.retrieve_payment_method(intent.payment_method_id)
        if method.card is None or method.customer_id is None:  # no card, or taken away again meanwhile
            return True
        async with self._db.begin() as tx:
            await self._remember(tx, user, intent, method)
        return True

    async def take_in_card(self, payment_method_id: str) -> bool:
        """A card has another number or a later end, or is gone. False: not a card of ours."""
        async with self._db.begin() as tx:
            known = await tx.session.get(SavedCardRow, payment_method_id)
            if known is None:
                return False
            user, asked_at = known.user_id, tx.now
        method = await self._gateway.retrieve_payment_method(payment_method_id)
        async with self._db.begin() as tx:
            customer = await saved_cards.lock_customer(tx, user)
            card = await tx.session.get(SavedCardRow, payment_method_id, with_for_update=True, populate_existing=True)
            assert card is not None
            if method.customer_id is None:  # for good: Stripe attaches no card a second time
                card.detached_at = card.detached_at or tx.now
                if card.removed_at is None:
                    await saved_cards.forget(tx, customer, card)
            elif method.card is not None and (card.looked_at is None or card.looked_at <= asked_at):
                card.looked_at = asked_at
                saved_cards.renew(tx, card, method.card)
        return True

    @staticmethod
    async def _remember(tx: Tx, user: UUID, intent: SetupIntent, method: PaymentMethod) -> None:
        customer = await saved_cards.lock_customer(tx, user)
        form = await _form(tx, intent)
        assert form is not None
        if form.completed_at is not None:  # the browser was here meanwhile
            return
        if await card_velocity.wait_s(tx, user):
            log.info("card.too_many", user_id=str(user))
            return
        form.setup_intent_id, form.completed_at = intent.id, tx.now
        await saved_cards.remember(tx, customer, method, make_default=False)


async def _form(tx: Tx, intent: SetupIntent) -> CardSetupRow | None:
    """The form this is, locked; by our own id in its metadata where its id was never written down."""
    named = CardSetupRow.setup_intent_id == intent.id
    try:
        ours = UUID(intent.metadata.get("setup_id", ""))
    except ValueError:
        pass
    else:
        named = or_(named, (CardSetupRow.id == ours) & CardSetupRow.setup_intent_id.is_(None))
    query = select(CardSetupRow).where(named).with_for_update().execution_options(populate_existing=True)
    return (await tx.session.scalars(query)).one_or_none()
