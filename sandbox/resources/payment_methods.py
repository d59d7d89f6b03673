"""Payment methods: saved cards. Only what the test card *does* is kept, never its number."""

from sandbox.cards import BY_TOKEN, Behaviour, TestCard
from sandbox.errors import invalid, missing
from sandbox.form import integer, metadata
from sandbox.store import Obj
from sandbox.world import Request, World

_MONTHS = 12


def make(world: World, card: TestCard) -> Obj:
    """A fresh payment method of a test card."""
    return world.store.save(
        {
            "id": world.new_id("pm"),
            "object": "payment_method",
            "billing_details": {"address": None, "email": None, "name": None, "phone": None},
            "card": {
                "brand": card.brand,
                "country": "DE",
                "exp_month": 12,
                "exp_year": 2034,
                "fingerprint": f"sandbox{card.number[-4:]}",
                "funding": "credit",
                "last4": card.number[-4:],
            },
            "created": world.now(),
            "customer": None,
            "livemode": False,
            "metadata": {},
            "type": "card",
            "_behaviour": card.behaviour.value,
        }
    )


def chosen(world: World, given: object) -> Obj:
    """The payment method a parameter names: an id of ours, or one of Stripe's test tokens (``pm_card_visa``)."""
    if isinstance(given, str) and given in BY_TOKEN:
        return make(world, BY_TOKEN[given])
    return world.need("payment_method", given, "payment_method")


def behaviour(method: Obj) -> Behaviour:
    """What this card does."""
    return Behaviour(method["_behaviour"])


def bind(world: World, method: Obj, customer_id: str, request: Request | None) -> Obj:
    """Attach a card to a customer; once detached it can never be used again, as at Stripe."""
    if method.get("_detached"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again.",
            "payment_method",
        )
    if method["customer"] not in {None, customer_id}:
        raise invalid("The payment method you provided is already attached to another customer.", "payment_method")
    if method["customer"] is None:
        method["customer"] = customer_id
        world.store.save(method)
        world.publish("payment_method.attached", method, request=request)
    return method


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/payment_methods/:id."""
    return world.need("payment_method", request.path["id"])


def attach(world: World, request: Request) -> Obj:
    """POST /v1/payment_methods/:id/attach."""
    given = request.path["id"]
    method = make(world, BY_TOKEN[given]) if given in BY_TOKEN else world.need("payment_method", given)
    customer = world.need("customer", request.params.get("customer"), "customer")
    return bind(world, method, customer["id"], request)


def update(world: World, request: Request) -> Obj:
    """POST /v1/payment_methods/:id: expiry, billing details and metadata of an attached card."""
    params = request.params
    method = world.need("payment_method", request.path["id"])
    if method["customer"] is None:
        raise invalid("You must save this PaymentMethod to a customer before you can update it.")
    card, labels = params.get("card") or {}, {**method["metadata"], **metadata(params)}
    month, year = integer(card, "exp_month"), integer(card, "exp_year")
    if month is not None and not 1 <= month <= _MONTHS:
        raise invalid("Your card's expiration month is invalid.", "card[exp_month]", "invalid_expiry_month")
    method["card"] = {
        **method["card"],
        "exp_month": method["card"]["exp_month"] if month is None else month,
        "exp_year": method["card"]["exp_year"] if year is None else year,
    }
    method["billing_details"] = {**method["billing_details"], **(params.get("billing_details") or {})}
    method["metadata"] = {name: value for name, value in labels.items() if value}
    world.store.save(method)
    world.publish("payment_method.updated", method, request=request)
    return method


def renew(world: World, method: Obj, last4: str, month: int, year: int) -> Obj:
    """The bank issued the card anew, and its network told Stripe (docs.stripe.com/saving-cards#automatic-updates)."""
    method["card"] = {**method["card"], "last4": last4, "exp_month": month, "exp_year": year}
    world.store.save(method)
    world.publish("payment_method.automatically_updated", method)
    return method


def detach(world: World, request: Request) -> Obj:
    """POST /v1/payment_methods/:id/detach."""
    method = world.need("payment_method", request.path["id"])
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            "payment_method",
        )
    method["customer"], method["_detached"] = None, True
    world.store.save(method)
    world.publish("payment_method.detached", method, request=request)
    return method


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/payment_methods."""
    customer = request.params.get("customer")
    if customer is not None and world.store.find("customer", customer) is None:
        raise missing("customer", customer, "customer", status=400)
    if request.params.get("type", "card") != "card":  # the sandbox knows cards only
        return []
    return [method for method in world.store.all("payment_method") if customer and method["customer"] == customer]
