"""Disputes: a bank takes a payment back until it is decided (docs.stripe.com/disputes/how-disputes-work)."""

from typing import Any

from sandbox.errors import ApiError
from sandbox.form import boolean, metadata
from sandbox.resources import balance
from sandbox.store import Obj
from sandbox.world import Request, World

ANSWER_S = 7 * 24 * 3600
FEE = 2_000  # docs.stripe.com: the dispute fee of European accounts, 20.00
OPEN = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
OUTCOMES = {"won", "lost", "warning_closed"}


def open_one(world: World, charge: Obj, reason: str, amount: int | None = None, *, inquiry: bool = False) -> Obj:
    """The bank asks: an inquiry moves nothing, a dispute takes the money and costs a fee."""
    now, dispute_id = world.now(), world.new_id("du")
    dispute: Obj = {
        "id": dispute_id,
        "object": "dispute",
        "amount": charge["amount_captured"] - charge["amount_refunded"] if amount is None else amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": now + ANSWER_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    charge["disputed"] = True
    world.store.save(charge)
    world.store.save(dispute)
    world.publish("charge.dispute.created", dispute)
    if not inquiry:
        _line(world, dispute, -dispute["amount"], FEE)
        world.publish("charge.dispute.funds_withdrawn", dispute)
    return dispute


def decide(world: World, dispute: Obj, outcome: str) -> Obj:
    """The bank decides; money that was taken comes back when we win."""
    taken = bool(dispute["balance_transactions"])
    dispute.update(status=outcome if taken else "warning_closed", is_charge_refundable=False)
    if outcome == "won" and taken:
        _line(world, dispute, dispute["amount"], 0)
        world.publish("charge.dispute.funds_reinstated", dispute)
    world.store.save(dispute)
    world.publish("charge.dispute.closed", dispute)
    return dispute


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/disputes/:id."""
    return world.need("dispute", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/disputes."""
    wanted = {name: request.params[name] for name in ("charge", "payment_intent") if name in request.params}
    return [one for one in world.store.all("dispute") if all(one[name] == value for name, value in wanted.items())]


def update(world: World, request: Request) -> Obj:
    """POST /v1/disputes/:id: evidence, staged or (with ``submit``) handed to the bank for good."""
    dispute = world.need("dispute", request.path["id"])
    if dispute["status"] not in OPEN:
        raise ApiError(400, f"This dispute is already {dispute['status']}.", code="dispute_closed")
    details = dispute["evidence_details"]
    given: dict[str, Any] = request.params.get("evidence") or {}
    if given and details["submission_count"]:
        raise ApiError(400, "Evidence for this dispute was already submitted.", code="evidence_already_submitted")
    dispute["evidence"].update(given)
    dispute["metadata"].update(metadata(request.params))
    details["has_evidence"] = bool(dispute["evidence"])
    if boolean(request.params, "submit", default=True) and given:
        details["submission_count"] += 1
        dispute["status"] = "warning_under_review" if "warning" in dispute["status"] else "under_review"
    world.store.save(dispute)
    world.publish("charge.dispute.updated", dispute, request=request)
    return dispute


def close(world: World, request: Request) -> Obj:
    """POST /v1/disputes/:id/close: we accept it, which is to lose it."""
    dispute = world.need("dispute", request.path["id"])
    if dispute["status"] not in OPEN:
        raise ApiError(400, f"This dispute is already {dispute['status']}.", code="dispute_closed")
    return decide(world, dispute, "lost")


def _line(world: World, dispute: Obj, amount: int, fee: int) -> None:
    line_id = balance.record(
        world, "adjustment", amount, dispute["currency"], dispute["id"], fee=fee, fee_type="stripe_fee"
    )
    dispute["balance_transactions"].append(world.need("balance_transaction", line_id))
    world.store.save(dispute)
