"""SetupIntents: saving a card and proving that it is the customer's."""

from typing import Any

from sandbox.cards import AUTHENTICATES_SETUP, Refusal, refuses_saving
from sandbox.errors import ApiError
from sandbox.form import boolean, choice, metadata
from sandbox.resources import payment_methods
from sandbox.store import Obj
from sandbox.world import Request, World

AUTHENTICATION_FAILED = Refusal(
    "setup_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)


def create(world: World, request: Request) -> Obj:
    """POST /v1/setup_intents."""
    params = request.params
    customer = params.get("customer")
    if customer is not None:
        world.need("customer", customer, "customer")
    method = params.get("payment_method")
    intent_id = world.new_id("seti")
    intent: Obj = {
        "id": intent_id,
        "object": "setup_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "cancellation_reason": None,
        "client_secret": world.new_id(f"{intent_id}_secret"),
        "created": world.now(),
        "customer": customer,
        "description": params.get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "metadata": metadata(params),
        "next_action": None,
        "payment_method": payment_methods.chosen(world, method)["id"] if method else None,
        "payment_method_types": ["card"],
        "status": "requires_confirmation" if method else "requires_payment_method",
        "usage": choice(params, "usage", {"off_session", "on_session"}, "off_session"),
    }
    world.store.save(intent)
    world.publish("setup_intent.created", intent, request=request)
    return confirm_with(world, intent, request) if boolean(params, "confirm") else intent


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/setup_intents/:id."""
    return world.need("setup_intent", request.path["id"])


def confirm(world: World, request: Request) -> Obj:
    """POST /v1/setup_intents/:id/confirm."""
    return confirm_with(world, world.need("setup_intent", request.path["id"]), request)


def confirm_with(world: World, intent: Obj, request: Request) -> Obj:
    """Try to save the card: it stands, the customer must authenticate, or the bank says no (402)."""
    if intent["status"] not in {"requires_payment_method", "requires_confirmation", "requires_action"}:
        raise _unexpected(intent, "confirm")
    if request.params.get("payment_method"):
        intent["payment_method"] = payment_methods.chosen(world, request.params["payment_method"])["id"]
    if intent["payment_method"] is None:
        raise _unexpected(intent, "confirm")
    behaviour = payment_methods.behaviour(world.need("payment_method", intent["payment_method"]))
    intent.update(last_setup_error=None, next_action=None)
    refused = refuses_saving(behaviour)
    if refused is not None:
        fail(world, intent, refused, request)
        raise ApiError(
            402,
            refused.message,
            kind="card_error",
            code=refused.code,
            decline_code=refused.decline_code,
            setup_intent=intent,
        )
    if behaviour in AUTHENTICATES_SETUP:
        intent.update(status="requires_action", next_action=_redirect(world, intent, request.params.get("return_url")))
        world.store.save(intent)
        world.publish("setup_intent.requires_action", intent, request=request)
        return intent
    return succeed(world, intent, request)


def succeed(world: World, intent: Obj, request: Request | None = None) -> Obj:
    """The card is saved, and attached to the customer."""
    method = world.need("payment_method", intent["payment_method"])
    if intent["usage"] == "off_session":
        method["_set_up"] = True
        world.store.save(method)
    if intent["customer"]:
        payment_methods.bind(world, method, intent["customer"], request)
    intent.update(status="succeeded", next_action=None, last_setup_error=None)
    world.store.save(intent)
    world.publish("setup_intent.succeeded", intent, request=request)
    return intent


def fail(world: World, intent: Obj, refused: Refusal, request: Request | None = None) -> Obj:
    """The card is not saved; the intent waits for another one."""
    error: dict[str, Any] = {"type": "card_error", "code": refused.code, "message": refused.message}
    if refused.decline_code:
        error["decline_code"] = refused.decline_code
    intent.update(status="requires_payment_method", payment_method=None, next_action=None, last_setup_error=error)
    world.store.save(intent)
    world.publish("setup_intent.setup_failed", intent, request=request)
    return intent


def _redirect(world: World, intent: Obj, return_url: str | None) -> dict[str, Any]:
    url = f"{world.public_url}/_sandbox/authenticate/{intent['id']}"
    return {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": return_url}}


def _unexpected(intent: Obj, verb: str) -> ApiError:
    return ApiError(
        400,
        f"You cannot {verb} this SetupIntent because it has a status of {intent['status']}"
        + ("" if intent["payment_method"] else " and no payment method."),
        code="setup_intent_unexpected_state",
        setup_intent=intent,
    )
