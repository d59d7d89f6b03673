"""Payouts: from a connected account's balance to its bank (docs.stripe.com/payouts)."""

from sandbox.errors import missing
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
    return [_pay(world, account, amount, code) for code, amount in amounts.items() if amount > 0]


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


def _pay(world: World, account: Obj, amount: int, code: str) -> Obj:
    payout_id, now = world.new_id("po"), world.now()
    own = balance.lines_of(world, account["id"])
    line = balance.record(world, "payout", -amount, code, payout_id, account=account["id"], description="STRIPE PAYOUT")
    # Every line not yet paid out is paid out by this one: earlier payouts took theirs, so these sum to the balance.
    for paid in [*own, line]:
        if paid["_payout"] is None and paid["currency"] == code:
            paid["_payout"] = payout_id
            world.store.save(paid)
    payout = world.store.save(
        {
            "id": payout_id,
            "object": "payout",
            "amount": amount,
            "arrival_date": now + TRAVELS_S,
            "automatic": accounts.schedule(account)["interval"] != "manual",
            "balance_transaction": line["id"],
            "created": now,
            "currency": code,
            "description": "STRIPE PAYOUT",
            "destination": world.new_id("ba"),
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": {},
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
