"""Balance transactions: every movement on the platform's and the connected accounts' balances."""

from sandbox.store import Obj
from sandbox.world import Request, World


def record(
    world: World,
    kind: str,
    amount: int,
    currency: str,
    source: str,
    *,
    fee: int = 0,
    fee_type: str = "stripe_fee",
    account: str | None = None,
) -> str:
    """Write one line and return its id; ``account`` is None for the platform."""
    details = [{"amount": fee, "currency": currency, "type": fee_type, "application": None, "description": None}]
    line = world.store.save(
        {
            "id": world.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": world.now(),
            "balance_type": "payments",
            "created": world.now(),
            "currency": currency,
            "description": None,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details if fee else [],
            "net": amount - fee,
            "reporting_category": kind,
            "source": source,
            "status": "available",
            "type": kind,
            "_account": account,
        }
    )
    return str(line["id"])


def lines(world: World, account: str | None) -> list[Obj]:
    """Every line of the platform (None) or of a connected account, oldest first."""
    return [line for line in world.store.all("balance_transaction") if line["_account"] == account]


def sums(world: World, account: str | None) -> dict[str, int]:
    """What lies there, per currency."""
    found: dict[str, int] = {}
    for line in lines(world, account):
        found[line["currency"]] = found.get(line["currency"], 0) + line["net"]
    return found


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/balance_transactions/:id."""
    return world.need("balance_transaction", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/balance_transactions."""
    params = request.params
    wanted = {"source": params.get("source"), "type": params.get("type"), "_payout": params.get("payout")}
    return [
        line
        for line in lines(world, request.account)
        if all(value in {None, line.get(name)} for name, value in wanted.items())
    ]


def total(world: World, request: Request) -> Obj:
    """GET /v1/balance."""
    available = [
        {"amount": amount, "currency": code, "source_types": {"card": amount}}
        for code, amount in sums(world, request.account).items()
    ]
    return {"object": "balance", "available": available, "pending": [], "livemode": False}
