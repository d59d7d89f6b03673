"""Transfers to connected accounts, and their reversals (docs.stripe.com/connect/separate-charges-and-transfers)."""

from sandbox.errors import ApiError, invalid
from sandbox.form import integer, metadata
from sandbox.money import currency
from sandbox.resources import balance
from sandbox.store import Obj
from sandbox.world import Request, World


def move(
    world: World,
    destination: str,
    amount: int,
    code: str,
    *,
    fee: int = 0,
    group: str | None = None,
    source: str | None = None,
    given: dict[str, str] | None = None,
    request: Request | None = None,
) -> Obj:
    """Send money from the platform's balance to a connected account; ``fee`` is the application fee kept of it."""
    transfer_id, payment_id = world.new_id("tr"), world.new_id("py")
    transfer = world.store.save(
        {
            "id": transfer_id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": balance.record(world, "transfer", -amount, code, transfer_id),
            "created": world.now(),
            "currency": code,
            "destination": destination,
            "destination_payment": payment_id,
            "livemode": False,
            "metadata": given or {},
            "reversed": False,
            "source_transaction": source,
            "source_type": "card",
            "transfer_group": group,
        }
    )
    balance.record(world, "payment", amount, code, payment_id, fee=fee, fee_type="application_fee", account=destination)
    world.publish("transfer.created", transfer, request=request)
    return transfer


def create(world: World, request: Request) -> Obj:
    """POST /v1/transfers."""
    params = request.params
    code, amount = currency(params["currency"]), integer(params, "amount")
    account = world.need("account", params["destination"], "destination")
    if amount is None or amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if account["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            "destination",
            "insufficient_capabilities_for_transfer",
        )
    if balance.sums(world, None).get(code, 0) < amount:
        raise ApiError(
            400, "You have insufficient available funds in your Stripe account.", code="balance_insufficient"
        )
    group, given = params.get("transfer_group"), metadata(params)
    return move(world, account["id"], amount, code, group=group, given=given, request=request)


def reverse(
    world: World, transfer: Obj, amount: int, given: dict[str, str] | None = None, request: Request | None = None
) -> Obj:
    """Take part of a transfer back; the connected balance may become negative by it."""
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    world.store.save(transfer)
    reversal_id, refund_id, code = world.new_id("trr"), world.new_id("pyr"), transfer["currency"]
    reversal = world.store.save(
        {
            "id": reversal_id,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": balance.record(world, "transfer_refund", amount, code, reversal_id),
            "created": world.now(),
            "currency": code,
            "destination_payment_refund": refund_id,
            "metadata": given or {},
            "source_refund": None,
            "transfer": transfer["id"],
        }
    )
    balance.record(world, "payment_refund", -amount, code, refund_id, account=transfer["destination"])
    world.publish("transfer.reversed", transfer, request=request)
    return reversal


def create_reversal(world: World, request: Request) -> Obj:
    """POST /v1/transfers/:id/reversals."""
    transfer = world.need("transfer", request.path["id"])
    left = transfer["amount"] - transfer["amount_reversed"]
    asked = integer(request.params, "amount")
    amount = left if asked is None else asked
    if not 1 <= amount <= left:
        raise invalid(f"Reversal amount ({amount}) is greater than unreversed amount on transfer ({left})", "amount")
    return reverse(world, transfer, amount, metadata(request.params), request)


def reversals(world: World, request: Request) -> list[Obj]:
    """GET /v1/transfers/:id/reversals."""
    transfer = world.need("transfer", request.path["id"])
    return [one for one in world.store.all("transfer_reversal") if one["transfer"] == transfer["id"]]


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/transfers/:id."""
    return world.need("transfer", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/transfers."""
    wanted = {name: request.params[name] for name in ("destination", "transfer_group") if name in request.params}
    return [one for one in world.store.all("transfer") if all(one[name] == value for name, value in wanted.items())]
