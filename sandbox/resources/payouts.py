"""Payouts: from a connected account's balance to its bank (docs.stripe.com/payouts)."""

from sandbox.errors import ApiError, invalid, missing
from sandbox.form import Params, integer, metadata
from sandbox.money import currency
from sandbox.resources import accounts, balance
from sandbox.store import Obj
from sandbox.world import Request, World

TRAVELS_S = 2 * 24 * 3600
_FAILURES = {
    "account_closed": "The bank account has been closed.",
    "account_frozen": "The bank account has been frozen.",
    "could_not_process": "The bank could not process this payout.",
    "declined": "The bank has declined this payout.",
    "incorrect_account_holder_name": "The account holder's name on file does not match.",
    "invalid_account_number": "The account number is not correct.",
    "no_account": "The bank account could not be located.",
}


def pay(world: World, account: Obj) -> list[Obj]:
    """Send the whole balance of every currency to the bank; a balance that is not positive stays."""
    amounts = balance.sums(world, account["id"])
    automatic = accounts.schedule(account)["interval"] != "manual"
    return [_pay(world, account, amount, code, automatic=automatic) for code, amount in amounts.items() if amount > 0]


def create(world: World, request: Request) -> Obj:
    """POST /v1/payouts, for a connected account: never more than is available."""
    params = request.params
    if request.account is None:
        raise invalid("The sandbox pays out connected accounts only: send Stripe-Account.")
    account = accounts.ours(world.need("account", request.account))
    amount, code = _positive(params), currency(params["currency"])
    labels = metadata(params)
    if not account["payouts_enabled"]:
        raise ApiError(400, "Payouts are not enabled for this account.", code="payouts_not_allowed")
    if not balance.suffices(world, account["id"], amount, code):
        raise ApiError(
            400, "You have insufficient funds in your Stripe account for this payout.", code="balance_insufficient"
        )
    return _pay(world, account, amount, code, automatic=False, labels=labels)


def settle(world: World, payout: Obj) -> Obj:
    """The bank has it."""
    payout["status"] = "paid"
    world.store.save(payout)
    world.publish("payout.paid", payout, account=payout["_account"])
    return payout


def fail(world: World, payout: Obj, code: str) -> Obj:
    """The bank sent it back, perhaps after it was called paid; payouts rest until the bank account is put right."""
    _back(world, payout, "payout_failure")
    payout.update(
        status="failed", failure_code=code, failure_message=_FAILURES.get(code, "The payout could not be made.")
    )
    world.store.save(payout)
    world.publish("payout.failed", payout, account=payout["_account"])
    accounts.bank_failed(world, world.need("account", payout["_account"]))
    return payout


def cancel(world: World, payout: Obj) -> Obj:
    """It never left."""
    _back(world, payout, "payout_cancel")
    payout["status"] = "canceled"
    world.store.save(payout)
    world.publish("payout.canceled", payout, account=payout["_account"])
    return payout


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/payouts/:id; another account's is not found."""
    payout = world.store.find("payout", request.path["id"])
    if payout is None or payout["_account"] != request.account:
        raise missing("payout", request.path["id"], "payout")
    return payout


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/payouts."""
    status = request.params.get("status")
    return [
        one
        for one in world.store.all("payout")
        if one["_account"] == request.account and status in {None, one["status"]}
    ]


def _positive(params: Params) -> int:
    amount = integer(params, "amount")
    if amount is None or amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    return amount


def _pay(
    world: World, account: Obj, amount: int, code: str, *, automatic: bool, labels: dict[str, str] | None = None
) -> Obj:
    payout_id, now = world.new_id("po"), world.now()
    whole = balance.sums(world, account["id"])[code] == amount
    own = balance.lines_of(world, account["id"])
    line = balance.record(world, "payout", -amount, code, payout_id, account=account["id"], description="STRIPE PAYOUT")
    # Every line not yet paid out is paid out by this one: earlier payouts took theirs, so these sum to the balance.
    # A payout of a part takes none: its own line is among those that sum to what is left.
    for paid in [*own, line] if whole else []:
        if paid["_payout"] is None and paid["currency"] == code:
            paid["_payout"] = payout_id
            world.store.save(paid)
    payout = world.store.save(
        {
            "id": payout_id,
            "object": "payout",
            "amount": amount,
            "arrival_date": now + TRAVELS_S,
            "automatic": automatic,
            "balance_transaction": line["id"],
            "created": now,
            "currency": code,
            "description": "STRIPE PAYOUT",
            "destination": world.new_id("ba"),
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": labels or {},
            "method": "standard",
            "original_payout": None,
            "reconciliation_status": "completed",
            "reversed_by": None,
            "source_type": "card",
            "statement_descriptor": None,
            "status": "in_transit",
            "type": "bank_account",
            "_account": account["id"],
        }
    )
    world.publish("payout.created", payout, account=account["id"])
    return payout


def _back(world: World, payout: Obj, kind: str) -> None:
    line = balance.record(world, kind, payout["amount"], payout["currency"], payout["id"], account=payout["_account"])
    payout["failure_balance_transaction"] = line["id"]
