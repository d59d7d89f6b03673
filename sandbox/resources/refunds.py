"""Refunds, with the reversal of the transfer and of the application fee, pro rata."""

from sandbox.errors import ApiError, invalid
from sandbox.form import boolean, integer, metadata
from sandbox.money import part
from sandbox.resources import balance, transfers
from sandbox.store import Obj
from sandbox.world import Request, World


def create(world: World, request: Request) -> Obj:
    """POST /v1/refunds."""
    params = request.params
    charge = _charge(world, request)
    left = charge["amount_captured"] - charge["amount_refunded"]
    if any(one["charge"] == charge["id"] and not one["is_charge_refundable"] for one in world.store.all("dispute")):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", None, "charge_disputed")
    if not charge["captured"] or left <= 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    asked = integer(params, "amount")
    amount = left if asked is None else asked
    if not 1 <= amount <= left:
        raise invalid(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", "amount")
    reverse, give_fee = boolean(params, "reverse_transfer"), boolean(params, "refund_application_fee")
    if (reverse and charge["transfer"] is None) or (give_fee and charge["application_fee"] is None):
        raise invalid(f"Charge {charge['id']} has no transfer or no application fee to give back.", "reverse_transfer")
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
    refund_id = world.new_id("re")
    refund = world.store.save(
        {
            "id": refund_id,
            "object": "refund",
            "amount": amount,
            "balance_transaction": balance.record(world, "refund", -amount, charge["currency"], refund_id),
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "metadata": metadata(params),
            "payment_intent": charge["payment_intent"],
            "reason": params.get("reason"),
            "source_transfer_reversal": None,
            "failure_balance_transaction": None,
            "failure_reason": None,
            "status": "succeeded",
            "transfer_reversal": _reversed(world, charge, amount, request) if reverse else None,
        }
    )
    if give_fee:
        _return_fee(world, charge, request)
    world.store.save(charge)
    world.publish("refund.created", refund, request=request)
    world.publish("charge.refunded", charge, request=request)
    return refund


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/refunds/:id."""
    return world.need("refund", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/refunds."""
    wanted = {name: request.params[name] for name in ("charge", "payment_intent") if name in request.params}
    return [one for one in world.store.all("refund") if all(one[name] == value for name, value in wanted.items())]


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


def fail(world: World, refund: Obj, reason: str) -> Obj:
    """The bank could not give it to the customer: it returns to the platform's balance (a transfer stays reversed)."""
    charge = world.need("charge", refund["charge"])
    back = balance.record(world, "refund_failure", refund["amount"], refund["currency"], refund["id"])
    refund.update(status="failed", failure_reason=reason, failure_balance_transaction=back)
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    world.store.save(charge)
    world.store.save(refund)
    world.publish("refund.failed", refund)
    world.publish("charge.refund.updated", refund)
    return refund


def _reversed(world: World, charge: Obj, amount: int, request: Request) -> str:
    transfer = world.need("transfer", charge["transfer"])
    return str(transfers.reverse(world, transfer, amount, request=request)["id"])


def _return_fee(world: World, charge: Obj, request: Request) -> None:
    """Give the commission back in proportion; computed on the running total, so that the parts sum."""
    fee = world.need("application_fee", charge["application_fee"])
    due = part(fee["amount"], charge["amount_refunded"], charge["amount_captured"]) - fee["amount_refunded"]
    if due <= 0:
        return
    fee["amount_refunded"] += due
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    world.store.save(fee)
    source, currency = world.new_id("fr"), charge["currency"]
    world.store.save(
        {
            "id": source,
            "object": "fee_refund",
            "amount": due,
            "balance_transaction": balance.record(world, "application_fee_refund", -due, currency, source),
            "created": world.now(),
            "currency": currency,
            "fee": fee["id"],
            "metadata": {},
        }
    )
    balance.record(world, "application_fee_refund", due, currency, source, account=fee["account"])
    world.publish("application_fee.refunded", fee, request=request)
