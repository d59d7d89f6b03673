"""Payouts of connected accounts to their banks (docs.stripe.com/payouts)."""

from sandbox.resources import balance
from sandbox.store import Obj
from sandbox.world import Request, World

ARRIVES_S = 2 * 24 * 3600
FAILURES = {
    "account_closed": "The bank account has been closed.",
    "could_not_process": "The bank could not process this payout.",
    "no_account": "The bank account details on file are probably incorrect. No bank account could be located.",
}


def pay_out(world: World, account: Obj) -> list[Obj]:
    """Send everything that lies on an account to its bank: one payout per currency, in transit."""
    made = []
    for code, amount in balance.sums(world, account["id"]).items():
        if amount > 0:
            made.append(_payout(world, account, code, amount))
    return made


def _payout(world: World, account: Obj, code: str, amount: int) -> Obj:
    payout_id, now = world.new_id("po"), world.now()
    for line in balance.lines(world, account["id"]):
        if line["currency"] == code and line.get("_payout") is None:
            line["_payout"] = payout_id
            world.store.save(line)
    own = balance.record(world, "payout", -amount, code, payout_id, account=account["id"])
    line = world.need("balance_transaction", own)
    line["_payout"] = payout_id
    world.store.save(line)
    payout = world.store.save(
        {
            "id": payout_id,
            "object": "payout",
            "amount": amount,
            "arrival_date": now + ARRIVES_S,
            "automatic": True,
            "balance_transaction": own,
            "created": now,
            "currency": code,
            "description": "STRIPE PAYOUT",
            "destination": "ba_sandbox",
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "livemode": False,
            "metadata": {},
            "method": "standard",
            "reconciliation_status": "completed",
            "status": "in_transit",
            "type": "bank_account",
            "_account": account["id"],
        }
    )
    world.publish("payout.created", payout, account=account["id"])
    return payout


def settle(world: World, payout: Obj) -> Obj:
    """The bank has it."""
    payout["status"] = "paid"
    world.store.save(payout)
    world.publish("payout.paid", payout, account=payout["_account"])
    return payout


def fail(world: World, payout: Obj, code: str) -> Obj:
    """The bank sent it back; Stripe pays this account out no more until its bank details are seen to."""
    account = world.need("account", payout["_account"])
    back = balance.record(
        world, "payout_failure", payout["amount"], payout["currency"], payout["id"], account=account["id"]
    )
    payout.update(status="failed", failure_code=code, failure_message=FAILURES[code], failure_balance_transaction=back)
    world.store.save(payout)
    account.update(payouts_enabled=False)
    account["requirements"] = {
        **account["requirements"],
        "currently_due": ["external_account"],
        "disabled_reason": "requirements.past_due",
    }
    world.store.save(account)
    world.publish("payout.failed", payout, account=account["id"])
    world.publish("account.updated", account, account=account["id"])
    return payout


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/payouts/:id, for the connected account named in the header."""
    found = world.need("payout", request.path["id"])
    return found if found["_account"] == request.account else world.need("payout", f"{found['id']} of this account")


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/payouts."""
    return [payout for payout in world.store.all("payout") if payout["_account"] == request.account]
