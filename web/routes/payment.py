"""The customer's cards: listed, saved through hosted fields, preferred, removed; and when a hold is placed."""

from collections.abc import Iterable

from pydantic import Field

from billing.cards import SavedCard
from web.routing import Access, Call, route
from web.schemas import Empty, Input, Output


class CardOut(Output):
    """What may be shown of a card; ``default`` is the one holds are placed with, unless it is ``expired``."""

    payment_method_id: str
    brand: str
    last4: str = Field(pattern=r"^[0-9]{4}$")
    exp_month: int
    exp_year: int
    default: bool
    expired: bool


class CardsOut(Output):
    """Every saved card: the default first, then the newest."""

    items: list[CardOut]


class SetupOut(Output):
    """A card about to be saved: in the sandbox's form at ``form_url``, or in Stripe's own fields under the key."""

    setup_intent_id: str
    client_secret: str
    form_url: str | None
    publishable_key: str | None


class HoldOut(Output):
    """When the hold of a call is placed: at ``late_hold_ms`` of connected time; None: when somebody accepts."""

    late_hold_ms: int | None


class CompleteIn(Input):
    """Whether the new card is to be the one holds are placed with."""

    make_default: bool = False


@route("GET", "/api/payment/cards", access=Access.CUSTOMER, reply=CardsOut)
async def get_cards(call: Call) -> CardsOut:
    """The saved cards."""
    async with call.house.db.begin() as tx:
        return _cards(await call.house.cards.cards(tx, call.user))


@route(
    "DELETE", "/api/payment/cards/{payment_method_id}", access=Access.CUSTOMER, reply=CardsOut, owned="payment_method"
)
async def delete_card(call: Call) -> CardsOut:
    """Remove a card; refused while a call placed with it is not settled."""
    async with call.house.db.begin() as tx:
        return _cards(await call.house.cards.remove(tx, call.user, call.path["payment_method_id"]))


@route(
    "POST",
    "/api/payment/cards/{payment_method_id}/default",
    access=Access.CUSTOMER,
    body=Empty,
    reply=CardsOut,
    owned="payment_method",
)
async def post_card_default(call: Call) -> CardsOut:
    """Place holds with this card from now on."""
    async with call.house.db.begin() as tx:
        return _cards(await call.house.cards.make_default(tx, call.user, call.path["payment_method_id"]))


@route("GET", "/api/payment/hold", access=Access.CUSTOMER, reply=HoldOut)
async def get_hold(call: Call) -> HoldOut:
    """When this customer's hold would be placed, as things stand; the accept looks at it anew."""
    async with call.house.db.begin() as tx:
        return HoldOut(late_hold_ms=await call.house.charges.late_hold_ms(tx, call.user))


@route("POST", "/api/payment/setup", access=Access.CUSTOMER, body=Empty, reply=SetupOut)
async def post_setup(call: Call) -> SetupOut:
    """Begin saving a card."""
    return SetupOut.model_validate(await call.house.cards.begin(call.user))


@route(
    "POST",
    "/api/payment/setup/{setup_intent_id}/complete",
    access=Access.CUSTOMER,
    body=CompleteIn,
    reply=CardsOut,
    owned="setup",
)
async def post_setup_complete(call: Call) -> CardsOut:
    """Ask the provider how saving the card went."""
    body: CompleteIn = call.body
    setup_intent_id = call.path["setup_intent_id"]
    return _cards(await call.house.cards.complete(call.user, setup_intent_id, make_default=body.make_default))


def _cards(cards: Iterable[SavedCard]) -> CardsOut:
    return CardsOut(items=[CardOut.model_validate(card) for card in cards])
