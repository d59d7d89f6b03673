"""Charges: the authorization a bank gives, and what its capture moves."""

from sandbox.cards import Refusal
from sandbox.money import processing_fee
from sandbox.resources import balance
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
        world, "charge", amount, charge["currency"], charge["id"], fee=processing_fee(amount)
    )
    destination = (charge["transfer_data"] or {}).get("destination")
    if destination is not None:
        _transfer(world, charge, amount, fee, destination, request)
    world.store.save(charge)
    world.publish("charge.captured", charge, request=request)
    return charge


def _transfer(world: World, charge: Obj, amount: int, fee: int, destination: str, request: Request | None) -> None:
    currency, transfer_id, payment_id = charge["currency"], world.new_id("tr"), world.new_id("py")
    transfer = world.store.save(
        {
            "id": transfer_id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": balance.record(world, "transfer", -amount, currency, transfer_id),
            "created": world.now(),
            "currency": currency,
            "destination": destination,
            "destination_payment": payment_id,
            "livemode": False,
            "metadata": {},
            "reversed": False,
            "source_transaction": charge["id"],
            "source_type": "card",
            "transfer_group": charge["transfer_group"],
        }
    )
    balance.record(
        world, "payment", amount, currency, payment_id, fee=fee, fee_type="application_fee", account=destination
    )
    charge["transfer"] = transfer_id
    world.publish("transfer.created", transfer, request=request)
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
