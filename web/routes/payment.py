"""The customer's card: shown, saved through hosted fields, forgotten."""

from pydantic import Field

from web.routing import Access, Call, route
from web.schemas import Empty, Output


class CardOut(Output):
    """What may be shown of a card."""

    brand: str
    last4: str = Field(pattern=r"^[0-9]{4}$")
    exp_month: int
    exp_year: int


class SavedCardOut(Output):
    """The card used for the next hold, if there is one."""

    card: CardOut | None


class SetupOut(Output):
    """A card about to be saved; ``form_url`` is the sandbox's form, null where Stripe's own fields are used."""

    setup_intent_id: str
    client_secret: str
    form_url: str | None


@route("GET", "/api/payment/card", access=Access.CUSTOMER, reply=SavedCardOut)
async def get_card(call: Call) -> SavedCardOut:
    """The saved card."""
    async with call.house.db.begin() as tx:
        card = await call.house.cards.card(tx, call.user)
    return SavedCardOut(card=None if card is None else CardOut.model_validate(card))


@route("DELETE", "/api/payment/card", access=Access.CUSTOMER)
async def delete_card(call: Call) -> None:
    """Forget the saved card; holds that stand are not touched."""
    await call.house.cards.forget(call.user)


@route("POST", "/api/payment/setup", access=Access.CUSTOMER, body=Empty, reply=SetupOut)
async def post_setup(call: Call) -> SetupOut:
    """Begin saving a card."""
    return SetupOut.model_validate(await call.house.cards.begin(call.user))


@route(
    "POST",
    "/api/payment/setup/{setup_intent_id}/complete",
    access=Access.CUSTOMER,
    body=Empty,
    reply=SavedCardOut,
    owned="setup",
)
async def post_setup_complete(call: Call) -> SavedCardOut:
    """Ask the provider how saving the card went."""
    card = await call.house.cards.complete(call.user, call.path["setup_intent_id"])
    return SavedCardOut(card=CardOut.model_validate(card))
