"""Charges: the authorization a bank gives, and what its capture moves."""

from sandbox.cards import INCREMENTABLE_BRANDS, Behaviour, Refusal
from sandbox.money import processing_fee
from sandbox.resources import balance, disputes, fees, payment_methods, transfers
from sandbox.store import Obj
from sandbox.world import Request, World

AUTHORIZATION_S = 7 * 24 * 3600  # online card holds lapse after seven days


def authorize(world: World, intent: Obj, request: Request | None, *, refused: Refusal | None = None) -> Obj:
    """The bank's answer to a confirmation: an uncaptured charge, or a failed one."""
    method = world.need("payment_method", intent["payment_method"])
    now = world.now()
    card = {
        "amount_authorized": intent["amount"],
        "brand": method["card"]["brand"],
        "capture_before": now + AUTHORIZATION_S,
        "country": method["card"]["country"],
        "exp_month": method["card"]["exp_month"],
        "exp_year": method["card"]["exp_year"],
        "funding": method["card"]["funding"],
        "incremental_authorization": {"status": _incremental(intent, method)},
        "last4": method["card"]["last4"],
        "network": method["card"]["brand"],
    }
    if refused is not None or intent["capture_method"] != "manual":
        del card["capture_before"]
    charge = world.store.save(
        {
            "id": world.new_id("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "captured": False,
            "created": now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": refused.code if refused else None,
            "failure_message": refused.message if refused else None,
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": intent["on_behalf_of"],
            "outcome": {"type": "issuer_declined" if refused else "authorized"},
            "paid": refused is None,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": "card", "card": card},
            "refunded": False,
            "status": "failed" if refused else "succeeded",
            "transfer": None,
            "transfer_data": intent["transfer_data"],
            "transfer_group": intent["transfer_group"],
        }
    )
    world.publish("charge.failed" if refused else "charge.succeeded", charge, request=request)
    return charge


def capture(world: World, charge: Obj, amount: int, fee: int, request: Request | None) -> Obj:
    """Take the money: Stripe's fee, the transfer of the whole amount, and our application fee back from it.

    docs.stripe.com/connect/destination-charges, 'application_fee_amount'.
    """
    charge.update(captured=True, amount_captured=amount)
    charge["balance_transaction"] = balance.record(
        world,
        "charge",
        amount,
        charge["currency"],
        charge["id"],
        fee=processing_fee(amount),
        description=charge["description"],
    )["id"]
    destination = (charge["transfer_data"] or {}).get("destination")
    if destination is not None:
        _split(world, charge, amount, fee, destination, request)
    world.store.save(charge)
    world.publish("charge.captured", charge, request=request)
    _disputed_later(world, charge)
    return charge


def _split(world: World, charge: Obj, amount: int, fee: int, destination: str, request: Request | None) -> None:
    transfer = transfers.make(
        world, amount, charge["currency"], destination, request, charge=charge, group=charge["transfer_group"]
    )
    charge["transfer"] = transfer["id"]
    balance.record(
        world,
        "payment",
        amount,
        charge["currency"],
        transfer["destination_payment"],
        fee=fee,
        fee_type="application_fee",
        account=destination,
    )
    if fee:
        taken = fees.take(world, charge, fee, transfer, request)
        charge.update(application_fee=taken["id"], application_fee_amount=fee)


def _disputed_later(world: World, charge: Obj) -> None:
    """Some test cards dispute by themselves, a moment after the capture."""
    behaviour = payment_methods.behaviour(world.need("payment_method", charge["payment_method"]))
    if behaviour in {Behaviour.DISPUTED, Behaviour.INQUIRED}:
        inquiry = behaviour is Behaviour.INQUIRED
        world.afterwards(lambda: disputes.by_itself(world, charge, inquiry=inquiry))


def _incremental(intent: Obj, method: Obj) -> str:
    asked = intent["payment_method_options"].get("card", {}).get("request_incremental_authorization")
    offered = asked == "if_available" and method["card"]["brand"] in INCREMENTABLE_BRANDS
    return "available" if offered and intent["capture_method"] == "manual" else "unavailable"


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/charges/:id."""
    return world.need("charge", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/charges."""
    wanted = {name: request.params[name] for name in ("customer", "payment_intent") if name in request.params}
    return [
        charge for charge in world.store.all("charge") if all(charge[name] == value for name, value in wanted.items())
    ]
