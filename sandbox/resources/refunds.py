"""Refunds, with the reversal of the transfer and of the application fee, pro rata; or, without the two, by us alone."""

from sandbox.cards import Behaviour
from sandbox.errors import ApiError, invalid
from sandbox.form import boolean, integer, metadata
from sandbox.resources import balance, disputes, fees, payment_methods, transfers
from sandbox.store import Obj
from sandbox.world import Request, World


def create(world: World, request: Request) -> Obj:
    """POST /v1/refunds."""
    params = request.params
    charge = _charge(world, request)
    if disputes.charged_back(world, charge):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", None, "charge_disputed")
    left = charge["amount_captured"] - charge["amount_refunded"]
    if not charge["captured"] or left <= 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    asked = integer(params, "amount")
    amount = left if asked is None else asked
    if not 1 <= amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
    reverse, give_fee = boolean(params, "reverse_transfer"), boolean(params, "refund_application_fee")
    if (reverse and charge["transfer"] is None) or (give_fee and charge["application_fee"] is None):
        raise invalid(f"Charge {charge['id']} has no transfer or no application fee to give back.", "reverse_transfer")
    if reverse:
        _reversible(world.need("transfer", charge["transfer"]), amount)
    labels = metadata(params)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    refund = _refund(world, charge, amount, labels, params.get("reason"))
    if reverse:
        transfer = world.need("transfer", charge["transfer"])
        refund["transfer_reversal"] = transfers.reverse(world, transfer, amount, request, refund=refund["id"])["id"]
    if give_fee:
        fee = world.need("application_fee", charge["application_fee"])
        refund["_gives_fee"] = True
        fees.give_back(world, fee, _with_fee(world, charge), charge["amount_captured"], request)
    world.store.save(charge)
    world.publish("refund.created", refund, request=request)
    world.publish("charge.refunded", charge, request=request)
    _and_then(world, charge, refund)
    return refund


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/refunds/:id."""
    return world.need("refund", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/refunds."""
    wanted = {name: request.params[name] for name in ("charge", "payment_intent") if name in request.params}
    return [one for one in world.store.all("refund") if all(one[name] == value for name, value in wanted.items())]


def fail(world: World, refund: Obj) -> Obj:
    """The customer's bank sent the money back: it is on the platform's balance again.

    The reversed transfer and the returned fee stay as they are; the platform transfers anew where it wants to
    (docs.stripe.com/refunds, 'Failed refunds').
    """
    line = balance.record(
        world, "refund_failure", refund["amount"], refund["currency"], refund["id"], description="REFUND FAILURE"
    )
    refund.update(status="failed", failure_reason="expired_or_canceled_card", failure_balance_transaction=line["id"])
    world.store.save(refund)
    charge = world.need("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    world.store.save(charge)
    for kind in ("refund.updated", "charge.refund.updated", "refund.failed"):
        world.publish(kind, refund)
    return refund


def _refund(world: World, charge: Obj, amount: int, labels: dict[str, str], reason: str | None) -> Obj:
    refund_id = world.new_id("re")
    line = balance.record(world, "refund", -amount, charge["currency"], refund_id, description="REFUND FOR CHARGE")
    return world.store.save(
        {
            "id": refund_id,
            "object": "refund",
            "amount": amount,
            "balance_transaction": line["id"],
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "failure_balance_transaction": None,
            "failure_reason": None,
            "metadata": labels,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "source_transfer_reversal": None,
            "status": "succeeded",
            "transfer_reversal": None,
        }
    )


def _with_fee(world: World, charge: Obj) -> int:
    """What refunds gave back together with its part of the fee; those that left the fee with us do not count."""
    made = [one for one in world.store.all("refund") if one["charge"] == charge["id"] and one.get("_gives_fee")]
    return sum(int(one["amount"]) for one in made if one["status"] != "failed")


def _and_then(world: World, charge: Obj, refund: Obj) -> None:
    """What follows by itself: an inquiry ends with a full refund, and some cards' refunds fail."""
    if charge["refunded"]:
        disputes.end_inquiry(world, charge)
    if payment_methods.behaviour(world.need("payment_method", charge["payment_method"])) is Behaviour.REFUND_FAILS:
        world.afterwards(lambda: _fail_once(world, refund))


def _fail_once(world: World, refund: Obj) -> None:
    if refund["status"] == "succeeded":
        fail(world, refund)


def _reversible(transfer: Obj, amount: int) -> None:
    left = transfer["amount"] - transfer["amount_reversed"]
    if amount > left:
        raise invalid(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount on transfer ({left})", "amount"
        )


def _charge(world: World, request: Request) -> Obj:
    params = request.params
    if "charge" in params:
        return world.need("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = world.need("payment_intent", params["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise ApiError(
            400,
            f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
            payment_intent=intent,
        )
    return world.need("charge", intent["latest_charge"])
