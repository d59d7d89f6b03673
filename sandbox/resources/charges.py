"""Charges: the authorization a bank gives, and what its capture moves."""

from sandbox.cards import Refusal
from sandbox.money import processing_fee
from sandbox.resources import balance, transfers
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


def _incremental(intent: Obj, method: Obj) -> str:
    """Mastercard offers it here, as some networks do; it must have been asked for."""
    asked = (intent["payment_method_options"].get("card") or {}).get("request_incremental_authorization")
    return "available" if asked == "if_available" and method["card"]["brand"] == "mastercard" else "unavailable"


def capture(world: World, charge: Obj, amount: int, fee: int, request: Request | None) -> Obj:
    """Take the money: Stripe's fee, the transfer of the whole amount, and our application fee back from it.

    docs.stripe.com/connect/destination-charges, 'application_fee_amount'.
    """
    charge.update(captured=True, amount_captured=amount)
    charge["balance_transaction"] = balance.record(
        world, "charge", amount, charge["currency"], charge["id"], fee=processing_fee(amount)
    )
    destination = (charge["transfer_data"] or {}).get("destination")
    if destination is not None:
        _transfer(world, charge, amount, fee, destination, request)
    world.store.save(charge)
    world.publish("charge.captured", charge, request=request)
    return charge


def _transfer(world: World, charge: Obj, amount: int, fee: int, destination: str, request: Request | None) -> None:
    currency = charge["currency"]
    transfer = transfers.move(
        world,
        destination,
        amount,
        currency,
        fee=fee,
        group=charge["transfer_group"],
        source=charge["id"],
        request=request,
    )
    payment_id = transfer["destination_payment"]
    charge["transfer"] = transfer["id"]
    if fee:
        fee_id = world.new_id("fee")
        application_fee = world.store.save(
            {
                "id": fee_id,
                "object": "application_fee",
                "account": destination,
                "amount": fee,
                "amount_refunded": 0,
                "balance_transaction": balance.record(world, "application_fee", fee, currency, fee_id),
                "charge": payment_id,
                "created": world.now(),
                "currency": currency,
                "livemode": False,
                "originating_transaction": charge["id"],
                "refunded": False,
            }
        )
        charge.update(application_fee=fee_id, application_fee_amount=fee)
        world.publish("application_fee.created", application_fee, request=request)


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/charges/:id."""
    return world.need("charge", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/charges."""
    wanted = {name: request.params[name] for name in ("customer", "payment_intent") if name in request.params}
    return [
        charge for charge in world.store.all("charge") if all(charge[name] == value for name, value in wanted.items())
    ]
