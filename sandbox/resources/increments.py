"""Incremental authorization: a larger hold on the same intent (docs.stripe.com/payments/incremental-authorization)."""

from sandbox.cards import refusal
from sandbox.errors import ApiError, invalid
from sandbox.form import integer
from sandbox.money import chargeable
from sandbox.resources import payment_intents
from sandbox.store import Obj
from sandbox.world import Request, World

MOST_ATTEMPTS = 10


def increment(world: World, request: Request) -> Obj:
    """POST /v1/payment_intents/:id/increment_authorization; declined, nothing changes but the count of attempts."""
    intent = world.need("payment_intent", request.path["id"])
    if intent["status"] != "requires_capture":
        raise payment_intents.unexpected(intent, "incremented")
    charge = world.need("charge", intent["latest_charge"])
    card = charge["payment_method_details"]["card"]
    if card["incremental_authorization"]["status"] != "available":
        raise invalid("This PaymentIntent is not eligible for incremental authorization.")
    amount = chargeable(integer(request.params, "amount"), intent["currency"], "amount")
    if amount <= intent["amount"]:
        raise invalid(f"The amount must be greater than the authorized amount ({intent['amount']}).", "amount")
    attempts = intent.get("_increments", 0) + 1
    if attempts > MOST_ATTEMPTS:
        raise invalid(f"A PaymentIntent can be incremented at most {MOST_ATTEMPTS} times.")
    intent["_increments"] = attempts
    world.store.save(intent)
    if request.forced is not None:
        raise _declined(intent, charge, request.forced)
    charge["amount"] = card["amount_authorized"] = amount
    world.store.save(charge)
    intent.update(amount=amount, amount_capturable=amount)
    world.store.save(intent)
    world.publish("charge.updated", charge, request=request)
    world.publish("payment_intent.amount_capturable_updated", intent, request=request)
    return intent


def _declined(intent: Obj, charge: Obj, decline_code: str) -> ApiError:
    refused = refusal(decline_code)
    return ApiError(
        402,
        refused.message,
        kind="card_error",
        code=refused.code,
        decline_code=refused.decline_code,
        charge=charge["id"],
        payment_intent=intent,
    )
