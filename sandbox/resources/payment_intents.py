"""PaymentIntents: create, confirm, capture, cancel (docs.stripe.com/payments/paymentintents/lifecycle)."""

from typing import Any

from sandbox.cards import Refusal, authenticates_payment, refusal, refuses_charge
from sandbox.errors import ApiError, invalid
from sandbox.form import Params, boolean, choice, integer, metadata
from sandbox.money import chargeable, currency
from sandbox.resources import charges, payment_methods, transfers
from sandbox.store import Obj
from sandbox.world import Request, World

AUTHENTICATION_FAILED = Refusal(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)
_CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}
_CANCELABLE = _CONFIRMABLE | {"requires_capture", "processing"}
_REASONS = {"duplicate", "fraudulent", "requested_by_customer", "abandoned"}


def create(world: World, request: Request) -> Obj:
    """POST /v1/payment_intents."""
    params = request.params
    code = currency(params["currency"])
    amount = chargeable(integer(params, "amount"), code, "amount")
    customer = params.get("customer")
    if customer is not None:
        world.need("customer", customer, "customer")
    destination = _destination(world, params)
    fee = _fee(params, amount, destination)
    method = _method(world, params, customer)
    intent_id = world.new_id("pi")
    intent: Obj = {
        "id": intent_id,
        "object": "payment_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "application_fee_amount": fee,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": choice(params, "capture_method", {"automatic", "automatic_async", "manual"}, "automatic"),
        "client_secret": world.new_id(f"{intent_id}_secret"),
        "confirmation_method": "automatic",
        "created": world.now(),
        "currency": code,
        "customer": customer,
        "description": params.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata(params),
        "next_action": None,
        "on_behalf_of": params.get("on_behalf_of"),
        "payment_method": method,
        "payment_method_options": _options(params),
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": {"destination": destination} if destination else None,
        "transfer_group": params.get("transfer_group"),
    }
    world.store.save(intent)
    world.publish("payment_intent.created", intent, request=request)
    return confirm_with(world, intent, request) if boolean(params, "confirm") else intent


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/payment_intents/:id."""
    return world.need("payment_intent", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/payment_intents."""
    customer = request.params.get("customer")
    return [intent for intent in world.store.all("payment_intent") if customer in {None, intent["customer"]}]


def confirm(world: World, request: Request) -> Obj:
    """POST /v1/payment_intents/:id/confirm."""
    return confirm_with(world, world.need("payment_intent", request.path["id"]), request)


def confirm_with(world: World, intent: Obj, request: Request) -> Obj:
    """Ask the bank: the hold stands, the customer must authenticate, or the bank says no (402)."""
    if intent["status"] not in _CONFIRMABLE:
        raise unexpected(intent, "confirmed")
    if request.params.get("payment_method"):
        intent["payment_method"] = _method(world, request.params, intent["customer"])
    if intent["payment_method"] is None:
        raise unexpected(intent, "confirmed", " It has no payment method; provide one.")
    method = world.need("payment_method", intent["payment_method"])
    if method.get("_detached"):
        raise invalid("The provided PaymentMethod was detached from its customer.", "payment_method")
    intent.update(last_payment_error=None, next_action=None)
    away = boolean(request.params, "off_session")
    authenticate = request.forced == "authenticate" or authenticates_payment(
        payment_methods.behaviour(method), away=away, set_up=method.get("_set_up", False)
    )
    if request.forced not in {None, "authenticate"}:
        raise _refused(world, intent, refusal(str(request.forced)), request)
    if authenticate and away:
        raise _refused(world, intent, refusal("authentication_required"), request)
    if authenticate:
        return _ask_to_authenticate(world, intent, request)
    return authorize(world, intent, request)


def authorize(world: World, intent: Obj, request: Request | None) -> Obj:
    """The customer is who they say: the bank answers. Raises the 402 when it says no."""
    method = world.need("payment_method", intent["payment_method"])
    refused = refuses_charge(payment_methods.behaviour(method))
    if refused is not None:
        raise _refused(world, intent, refused, request)
    charge = charges.authorize(world, intent, request)
    intent.update(latest_charge=charge["id"], next_action=None, last_payment_error=None)
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        world.store.save(intent)
        world.publish("payment_intent.amount_capturable_updated", intent, request=request)
        return intent
    return _take(world, intent, intent["amount"], intent["application_fee_amount"] or 0, request)


def fail(world: World, intent: Obj, refused: Refusal, request: Request | None, charge: Obj | None = None) -> None:
    """The attempt failed: the intent forgets the card and waits for another one."""
    error: dict[str, Any] = {"type": "card_error", "code": refused.code, "message": refused.message}
    if refused.decline_code:
        error["decline_code"] = refused.decline_code
    if charge is not None:
        error["charge"] = charge["id"]
        intent["latest_charge"] = charge["id"]
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_payment_error=error)
    world.store.save(intent)
    world.publish("payment_intent.payment_failed", intent, request=request)


def capture(world: World, request: Request) -> Obj:
    """POST /v1/payment_intents/:id/capture."""
    intent = world.need("payment_intent", request.path["id"])
    if intent["status"] != "requires_capture":
        raise unexpected(intent, "captured")
    if not boolean(request.params, "final_capture", default=True):
        raise invalid("Multicapture is not available for this PaymentIntent.", "final_capture")
    charge = world.need("charge", intent["latest_charge"])
    expired = world.now() >= charge["payment_method_details"]["card"]["capture_before"]
    if expired or request.forced == "capture_expires":
        lapse(world, intent)
        raise ApiError(400, "The charge has expired and cannot be captured.", code="charge_expired_for_capture")
    if request.forced == "capture_refused":
        raise ApiError(400, "The sandbox was asked to refuse this capture.", code="capture_refused")
    asked = integer(request.params, "amount_to_capture")
    amount = intent["amount_capturable"] if asked is None else asked
    if amount > intent["amount_capturable"]:
        raise invalid(
            f"The remaining capturable amount for this PaymentIntent is {intent['amount_capturable']}, "
            f"but you tried to capture {amount}.",
            "amount_to_capture",
            "amount_too_large",
        )
    chargeable(amount, intent["currency"], "amount_to_capture")
    destination = (intent["transfer_data"] or {}).get("destination")
    given = _fee(request.params, None, destination)
    fee = (intent["application_fee_amount"] or 0) if given is None else given
    return _take(world, intent, amount, min(fee, amount), request)  # "capped at the total amount captured"


def cancel(world: World, request: Request) -> Obj:
    """POST /v1/payment_intents/:id/cancel."""
    intent = world.need("payment_intent", request.path["id"])
    if intent["status"] not in _CANCELABLE:
        raise unexpected(intent, "canceled")
    reason = request.params.get("cancellation_reason")
    if reason not in {None, *_REASONS}:
        raise invalid(
            f"Invalid cancellation_reason: must be one of {', '.join(sorted(_REASONS))}", "cancellation_reason"
        )
    return _close(world, intent, reason, request)


def lapse(world: World, intent: Obj) -> Obj:
    """The bank lets an uncaptured authorization go; Stripe cancels the intent by itself."""
    charge = world.need("charge", intent["latest_charge"])
    world.publish("charge.expired", charge)
    return _close(world, intent, "automatic", None)


def _close(world: World, intent: Obj, reason: str | None, request: Request | None) -> Obj:
    intent.update(
        status="canceled",
        canceled_at=world.now(),
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    world.store.save(intent)
    world.publish("payment_intent.canceled", intent, request=request)
    return intent


def _take(world: World, intent: Obj, amount: int, fee: int, request: Request | None) -> Obj:
    charges.capture(world, world.need("charge", intent["latest_charge"]), amount, fee, request)
    intent.update(status="succeeded", amount_received=amount, amount_capturable=0, application_fee_amount=fee or None)
    world.store.save(intent)
    world.publish("payment_intent.succeeded", intent, request=request)
    return intent


def _ask_to_authenticate(world: World, intent: Obj, request: Request) -> Obj:
    url = f"{world.public_url}/_sandbox/authenticate/{intent['id']}"
    intent.update(
        status="requires_action",
        next_action={
            "type": "redirect_to_url",
            "redirect_to_url": {"url": url, "return_url": request.params.get("return_url")},
        },
    )
    world.store.save(intent)
    world.publish("payment_intent.requires_action", intent, request=request)
    return intent


def _refused(world: World, intent: Obj, refused: Refusal, request: Request | None) -> ApiError:
    charge = charges.authorize(world, intent, request, refused=refused)
    fail(world, intent, refused, request, charge)
    return ApiError(
        402,
        refused.message,
        kind="card_error",
        code=refused.code,
        decline_code=refused.decline_code,
        charge=charge["id"],
        payment_intent=intent,
    )


def unexpected(intent: Obj, verb: str, more: str = "") -> ApiError:
    """The error for a step that the intent's status does not allow."""
    return ApiError(
        400,
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}.{more}",
        code="payment_intent_unexpected_state",
        payment_intent=intent,
    )


def _destination(world: World, params: Params) -> str | None:
    given = (params.get("transfer_data") or {}).get("destination")
    if given is None:
        return None
    transfers.payable(world.need("account", given, "transfer_data[destination]"), "transfer_data[destination]")
    return str(given)


def _options(params: Params) -> dict[str, Any]:
    given = params.get("payment_method_options") or {}
    card = given.get("card") or {}
    choice(card, "request_incremental_authorization", {"if_available", "never"}, "never")
    return given


def _fee(params: Params, most: int | None, destination: str | None) -> int | None:
    fee = integer(params, "application_fee_amount")
    if fee is None:
        return None
    if destination is None:
        raise invalid("Can only apply an application_fee_amount with a connected account.", "application_fee_amount")
    if fee < 0 or (most is not None and fee > most):
        raise invalid("Your application fee cannot be larger than the charge amount.", "application_fee_amount")
    return fee


def _method(world: World, params: Params, customer: str | None) -> str | None:
    if not params.get("payment_method"):
        return None
    method = payment_methods.chosen(world, params["payment_method"])
    if method["customer"] != customer and method["customer"] is not None:
        raise invalid(f"The provided PaymentMethod ({method['id']}) does not belong to the Customer.", "payment_method")
    return str(method["id"])
