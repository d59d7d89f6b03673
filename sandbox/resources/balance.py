"""Balance transactions: every movement on the platform's and the connected accounts' balances."""

from sandbox.errors import invalid, missing
from sandbox.store import Obj
from sandbox.world import Request, World

# docs.stripe.com/reports/reporting-categories; an adjustment's category is said by whoever records it
_CATEGORIES = {
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "payment": "charge",
    "payment_refund": "refund",
    "payout_cancel": "payout_reversal",
    "payout_failure": "payout_reversal",
    "transfer_refund": "transfer_reversal",
}
_FEES = {"stripe_fee": "Stripe processing fees", "application_fee": "Application fee"}


def record(
    world: World,
    kind: str,
    amount: int,
    currency: str,
    source: str,
    *,
    fee: int = 0,
    fee_type: str = "stripe_fee",
    fee_description: str | None = None,
    account: str | None = None,
    category: str | None = None,
    description: str | None = None,
) -> Obj:
    """Write one line; ``account`` is None for the platform."""
    detail = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": fee_description or _FEES[fee_type],
        "type": fee_type,
    }
    return world.store.save(
        {
            "id": world.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": world.now(),
            "balance_type": "payments",
            "created": world.now(),
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [detail] if fee else [],
            "net": amount - fee,
            "reporting_category": category or _CATEGORIES.get(kind, kind),
            "source": source,
            "status": "available",
            "type": kind,
            "_account": account,
            "_payout": None,
        }
    )


def lines_of(world: World, account: str | None) -> list[Obj]:
    """Every line of an account's balance, oldest first; None is the platform."""
    return [line for line in world.store.all("balance_transaction") if line["_account"] == account]


def sums(world: World, account: str | None) -> dict[str, int]:
    """An account's balance in each currency it ever held."""
    found: dict[str, int] = {}
    for line in lines_of(world, account):
        found[line["currency"]] = found.get(line["currency"], 0) + line["net"]
    return found


def suffices(world: World, account: str | None, amount: int, currency: str) -> bool:
    """Whether so much may be taken from an account's balance."""
    return sums(world, account).get(currency, 0) >= amount


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/balance_transactions/:id; a line of another account is not found."""
    line = world.need("balance_transaction", request.path["id"])
    if line["_account"] != request.account:
        raise missing("balance transaction", line["id"])
    return line


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/balance_transactions."""
    params = request.params
    payout = _payout(world, request)
    return [
        line
        for line in lines_of(world, request.account)
        if params.get("source") in {None, line["source"]}
        and params.get("type") in {None, line["type"]}
        and params.get("currency") in {None, line["currency"]}
        and payout in {None, line["_payout"]}
    ]


def _payout(world: World, request: Request) -> str | None:
    """The automatic payout whose lines are asked for."""
    wanted = request.params.get("payout")
    if wanted is None:
        return None
    payout = world.store.find("payout", wanted)
    if payout is None or payout["_account"] != request.account:
        raise missing("payout", str(wanted), "payout", status=400)
    if not payout["automatic"]:
        raise invalid("Balance transaction history can only be filtered on automatic transfers, not manual.", "payout")
    return str(wanted)


def total(world: World, request: Request) -> Obj:
    """GET /v1/balance; in the sandbox all money is available at once."""
    found = sums(world, request.account)
    return {
        "object": "balance",
        "available": [_part(amount, code) for code, amount in found.items()],
        "pending": [_part(0, code) for code in found],
        "livemode": False,
    }


def _part(amount: int, code: str) -> Obj:
    return {"amount": amount, "currency": code, "source_types": {"card": amount}}
