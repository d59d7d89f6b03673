"""Transfers to connected accounts, and their reversals (docs.stripe.com/api/transfers)."""

from sandbox.errors import ApiError, invalid
from sandbox.form import boolean, integer, metadata
from sandbox.money import currency
from sandbox.resources import balance, fees
from sandbox.store import Obj
from sandbox.world import Request, World


def make(
    world: World,
    amount: int,
    code: str,
    destination: str,
    request: Request | None,
    *,
    charge: Obj | None = None,
    group: str | None = None,
    labels: dict[str, str] | None = None,
) -> Obj:
    """Move money to an account; with ``charge``, its application fee is taken there by the caller."""
    transfer_id = world.new_id("tr")
    line = balance.record(world, "transfer", -amount, code, transfer_id, description=f"Transfer to {destination}")
    transfer = world.store.save(
        {
            "id": transfer_id,
            "object": "transfer",
            "amount": amount,
            "amount_reversed": 0,
            "balance_transaction": line["id"],
            "created": world.now(),
            "currency": code,
            "destination": destination,
            "destination_payment": world.new_id("py"),
            "livemode": False,
            "metadata": labels or {},
            "reversed": False,
            "source_transaction": charge["id"] if charge else None,
            "source_type": "card",
            "transfer_group": group,
        }
    )
    world.publish("transfer.created", transfer, request=request)
    return transfer


def create(world: World, request: Request) -> Obj:
    """POST /v1/transfers: from the platform's available balance, never more than there is."""
    params = request.params
    code = currency(params["currency"])
    amount = _positive(integer(params, "amount"))
    account = world.need("account", params["destination"], "destination")
    payable(account, "destination")
    labels = metadata(params)
    if not balance.suffices(world, None, amount, code):
        raise ApiError(
            400,
            "You have insufficient available funds in your Stripe account.",
            code="balance_insufficient",
        )
    group = params.get("transfer_group")
    transfer = make(world, amount, code, account["id"], request, group=group, labels=labels)
    balance.record(world, "payment", amount, code, transfer["destination_payment"], account=account["id"])
    return transfer


def payable(account: Obj, param: str) -> None:
    """Refuse an account that may not receive transfers, or has left the platform."""
    if account.get("_departed"):
        raise invalid(f"No such destination: '{account['id']}'", param, "resource_missing")
    if account["capabilities"].get("transfers") != "active":
        raise invalid(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            param,
            "insufficient_capabilities_for_transfer",
        )


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/transfers/:id."""
    return world.need("transfer", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/transfers."""
    wanted = {name: request.params[name] for name in ("destination", "transfer_group") if name in request.params}
    return [one for one in world.store.all("transfer") if all(one[name] == value for name, value in wanted.items())]


def reverse(
    world: World,
    transfer: Obj,
    amount: int,
    request: Request | None,
    *,
    labels: dict[str, str] | None = None,
    refund: str | None = None,
) -> Obj:
    """Take part of a transfer back from the connected account, whose balance may become negative by it."""
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    world.store.save(transfer)
    reversal_id, code = world.new_id("trr"), transfer["currency"]
    line = balance.record(world, "transfer_refund", amount, code, reversal_id, description="REFUND FOR TRANSFER")
    reversal = world.store.save(
        {
            "id": reversal_id,
            "object": "transfer_reversal",
            "amount": amount,
            "balance_transaction": line["id"],
            "created": world.now(),
            "currency": code,
            "destination_payment_refund": world.new_id("pyr"),
            "metadata": labels or {},
            "source_refund": refund,
            "transfer": transfer["id"],
        }
    )
    balance.record(
        world,
        "payment_refund",
        -amount,
        code,
        reversal["destination_payment_refund"],
        account=transfer["destination"],
        description="REFUND FOR PAYMENT",
    )
    world.publish("transfer.reversed", transfer, request=request)
    return reversal


def create_reversal(world: World, request: Request) -> Obj:
    """POST /v1/transfers/:id/reversals: only while the connected account has the money.

    docs.stripe.com/connect/separate-charges-and-transfers, 'Reverse transfers'.
    """
    params = request.params
    transfer = world.need("transfer", request.path["id"])
    left = transfer["amount"] - transfer["amount_reversed"]
    if left == 0:
        raise invalid(f"Transfer {transfer['id']} is already fully reversed.")
    asked = integer(params, "amount")
    amount = _positive(left if asked is None else asked)
    if amount > left:
        raise invalid(
            f"Transfer reversal amount ({amount}) is greater than unreversed amount on transfer ({left})", "amount"
        )
    labels, give_fee = metadata(params), boolean(params, "refund_application_fee")
    fee = _fee_of(world, transfer) if give_fee else None
    if give_fee and fee is None:
        raise invalid("This transfer carries no application fee to refund.", "refund_application_fee")
    if not balance.suffices(world, transfer["destination"], amount, transfer["currency"]):
        raise ApiError(
            400,
            f"Insufficient funds: the account {transfer['destination']} does not hold this amount.",
            code="balance_insufficient",
        )
    reversal = reverse(world, transfer, amount, request, labels=labels)
    if fee is not None:
        fees.give_back(world, fee, transfer["amount_reversed"], transfer["amount"], request)
    return reversal


def reversals(world: World, request: Request) -> list[Obj]:
    """GET /v1/transfers/:id/reversals."""
    transfer = world.need("transfer", request.path["id"])
    return [one for one in world.store.all("transfer_reversal") if one["transfer"] == transfer["id"]]


def _fee_of(world: World, transfer: Obj) -> Obj | None:
    payment = transfer["destination_payment"]
    return next((fee for fee in world.store.all("application_fee") if fee["charge"] == payment), None)


def _positive(amount: int | None) -> int:
    if amount is None or amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    return amount
