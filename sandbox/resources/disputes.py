"""Disputes: a bank takes a payment back, or only asks about it (docs.stripe.com/disputes/how-disputes-work)."""

from sandbox.errors import ApiError, invalid
from sandbox.form import boolean, metadata
from sandbox.resources import balance
from sandbox.store import Obj
from sandbox.world import Request, World

FEE = 1_500  # the 'dispute received' fee; it is not given back when the dispute is won
ANSWER_S = 9 * 24 * 3600
REASONS = {
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
}
_OPEN = {"needs_response", "under_review"}
_INQUIRY = {"warning_needs_response", "warning_under_review"}
_ANSWERABLE = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
_MOST_TEXT = 150_000


def start(world: World, charge: Obj, *, reason: str, amount: int, inquiry: bool) -> Obj:
    """The bank disputes a captured payment; only an inquiry leaves the money where it is."""
    dispute = world.store.save(
        {
            "id": world.new_id("du"),
            "object": "dispute",
            "amount": amount,
            "balance_transactions": [],
            "charge": charge["id"],
            "created": world.now(),
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {},
            "evidence_details": {
                "due_by": world.now() + ANSWER_S,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "network_reason_code": None,
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": charge["payment_method_details"]["card"]["brand"],
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network_reason_code": None,
                },
            },
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        }
    )
    charge["disputed"] = True
    world.store.save(charge)
    world.publish("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def by_itself(world: World, charge: Obj, *, inquiry: bool) -> None:
    """What a disputing test card does after its capture, unless the money went back meanwhile."""
    left = charge["amount_captured"] - charge["amount_refunded"]
    if left > 0 and not charge["disputed"]:
        start(world, charge, reason="fraudulent", amount=left, inquiry=inquiry)


def decide(world: World, dispute: Obj, outcome: str) -> Obj:
    """The bank decides: ``won``, ``lost``, or ``escalated`` (an inquiry becomes a dispute).

    A decision turns after an appeal: one that was lost may be ``won``, and the other way round.
    An inquiry that is ``won`` ends as ``warning_closed``; one that is ``lost`` is escalated and lost at once.
    Raises ValueError when the dispute is closed already, or cannot go this way.
    """
    if (dispute["status"], outcome) == ("won", "lost"):
        _withdraw(world, dispute, 0)
        return _close(world, dispute, outcome)
    if (dispute["status"], outcome) == ("lost", "won"):
        _reinstate(world, dispute)
        return _close(world, dispute, outcome)
    if dispute["status"] not in _OPEN | _INQUIRY or (outcome == "escalated" and dispute["status"] not in _INQUIRY):
        raise ValueError(f"A dispute that is {dispute['status']} cannot be {outcome}.")
    if dispute["status"] in _INQUIRY:
        if outcome == "won":
            return _close(world, dispute, "warning_closed")
        _escalate(world, dispute)
        if outcome == "escalated":
            return dispute
    if outcome == "won":
        _reinstate(world, dispute)
    return _close(world, dispute, outcome)


def charged_back(world: World, charge: Obj) -> bool:
    """Whether a dispute holds, or has taken, this charge's money, so that it cannot be refunded."""
    taken = _OPEN | {"lost"}
    return any(one["charge"] == charge["id"] and one["status"] in taken for one in world.store.all("dispute"))


def end_inquiry(world: World, charge: Obj) -> None:
    """A full refund answers the bank's question."""
    for dispute in world.store.all("dispute"):
        if dispute["charge"] == charge["id"] and dispute["status"] in _INQUIRY:
            _close(world, dispute, "warning_closed")


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/disputes/:id."""
    return world.need("dispute", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/disputes."""
    wanted = {name: request.params[name] for name in ("charge", "payment_intent") if name in request.params}
    return [one for one in world.store.all("dispute") if all(one[name] == value for name, value in wanted.items())]


def update(world: World, request: Request) -> Obj:
    """POST /v1/disputes/:id: keep evidence, and hand it to the bank with ``submit`` (by default).

    As in Stripe's test mode, the text ``winning_evidence`` or ``losing_evidence`` decides the dispute a moment later
    (docs.stripe.com/testing#evidence).
    """
    dispute = world.need("dispute", request.path["id"])
    if dispute["status"] not in _ANSWERABLE:
        raise _closed(dispute)
    given = request.params.get("evidence") or {}
    if not all(isinstance(value, str) for value in given.values()):
        raise invalid("The sandbox keeps evidence as text only.", "evidence")
    evidence = {**dispute["evidence"], **given}
    if sum(map(len, evidence.values())) > _MOST_TEXT:
        raise invalid(f"The combined character count of all evidence is at most {_MOST_TEXT}.", "evidence")
    dispute.update(evidence=evidence, metadata={**dispute["metadata"], **metadata(request.params)})
    details = dispute["evidence_details"]
    details["has_evidence"] = any(evidence.values())
    if boolean(request.params, "submit", default=True):
        details.update(
            submission_count=details["submission_count"] + 1,
            submission_method="manual",
            past_due=world.now() > details["due_by"],
        )
        dispute["status"] = _ANSWERABLE[dispute["status"]]
        outcome = {"winning_evidence": "won", "losing_evidence": "lost"}.get(evidence.get("uncategorized_text", ""))
        if outcome is not None:
            world.afterwards(lambda: _decide_once(world, dispute, outcome))
    world.store.save(dispute)
    world.publish("charge.dispute.updated", dispute, request=request)
    return dispute


def close(world: World, request: Request) -> Obj:
    """POST /v1/disputes/:id/close: accepted, so lost; only an unanswered dispute (not an inquiry) can be."""
    dispute = world.need("dispute", request.path["id"])
    if dispute["status"] != "needs_response":
        raise _closed(dispute)
    return _close(world, dispute, "lost", request)


def _decide_once(world: World, dispute: Obj, outcome: str) -> None:
    if dispute["status"] in _OPEN | _INQUIRY:
        decide(world, dispute, outcome)


def _closed(dispute: Obj) -> ApiError:
    return ApiError(400, f"This dispute cannot be changed any more: it is {dispute['status']}.", dispute=dispute)


def _withdraw(world: World, dispute: Obj, fee: int = FEE) -> None:
    _move(world, dispute, -dispute["amount"], fee, "dispute", "Chargeback withdrawal for")
    world.publish("charge.dispute.funds_withdrawn", dispute)


def _reinstate(world: World, dispute: Obj) -> None:
    _move(world, dispute, dispute["amount"], 0, "dispute_reversal", "Chargeback reversal for")
    world.publish("charge.dispute.funds_reinstated", dispute)


def _move(world: World, dispute: Obj, amount: int, fee: int, category: str, words: str) -> None:
    line = balance.record(
        world,
        "adjustment",
        amount,
        dispute["currency"],
        dispute["id"],
        fee=fee,
        fee_description="Dispute fee",
        category=category,
        description=f"{words} {dispute['charge']}",
    )
    dispute["balance_transactions"] = [*dispute["balance_transactions"], line]
    world.store.save(dispute)


def _escalate(world: World, dispute: Obj) -> None:
    dispute.update(status="needs_response", is_charge_refundable=False)
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    charge = world.need("charge", dispute["charge"])
    dispute["amount"] = min(dispute["amount"], charge["amount_captured"] - charge["amount_refunded"])
    world.publish("charge.dispute.updated", dispute)
    _withdraw(world, dispute)


def _close(world: World, dispute: Obj, status: str, request: Request | None = None) -> Obj:
    dispute.update(status=status, is_charge_refundable=status in {"won", "warning_closed"})
    world.store.save(dispute)
    world.publish("charge.dispute.closed", dispute, request=request)
    return dispute
