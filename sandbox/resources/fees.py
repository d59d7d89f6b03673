"""Application fees: what the platform keeps of a destination charge, and gives back with a refund."""

from sandbox.money import part
from sandbox.render import clean
from sandbox.resources import balance
from sandbox.store import Obj
from sandbox.world import Request, World


def take(world: World, charge: Obj, amount: int, transfer: Obj, request: Request | None) -> Obj:
    """The fee of a capture; the connected account's line of the payment already carries it."""
    fee_id, currency = world.new_id("fee"), charge["currency"]
    fee = world.store.save(
        {
            "id": fee_id,
            "object": "application_fee",
            "account": transfer["destination"],
            "amount": amount,
            "amount_refunded": 0,
            "balance_transaction": balance.record(world, "application_fee", amount, currency, fee_id)["id"],
            "charge": transfer["destination_payment"],
            "created": world.now(),
            "currency": currency,
            "livemode": False,
            "originating_transaction": charge["id"],
            "refunded": False,
            "refunds": {
                "object": "list",
                "data": [],
                "has_more": False,
                "url": f"/v1/application_fees/{fee_id}/refunds",
            },
        }
    )
    world.publish("application_fee.created", fee, request=request)
    return fee


def give_back(world: World, fee: Obj, numerator: int, denominator: int, request: Request | None) -> None:
    """Give the fee back in proportion to all that was given back so far, so that the parts sum to the whole."""
    due = part(fee["amount"], numerator, denominator) - fee["amount_refunded"]
    if due <= 0:
        return
    fee["amount_refunded"] += due
    fee["refunded"] = fee["amount_refunded"] == fee["amount"]
    refund_id, currency = world.new_id("fr"), fee["currency"]
    line = balance.record(world, "application_fee_refund", -due, currency, refund_id)
    balance.record(
        world,
        "adjustment",
        due,
        currency,
        refund_id,
        account=fee["account"],
        category="fee",
        description=f"Application fee refund for {fee['id']}",
    )
    refund = world.store.save(
        {
            "id": refund_id,
            "object": "fee_refund",
            "amount": due,
            "balance_transaction": line["id"],
            "created": world.now(),
            "currency": currency,
            "fee": fee["id"],
            "metadata": {},
        }
    )
    known = [clean(refund), *fee["refunds"]["data"]]
    newest = 10  # as many as Stripe shows inside of the fee
    fee["refunds"].update(data=known[:newest], has_more=fee["refunds"]["has_more"] or len(known) > newest)
    world.store.save(fee)
    world.publish("application_fee.refunded", fee, request=request)


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/application_fees/:id."""
    return world.need("application_fee", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/application_fees."""
    charge = request.params.get("charge")
    return [
        fee
        for fee in world.store.all("application_fee")
        if charge in {None, fee["charge"], fee["originating_transaction"]}
    ]


def refunds(world: World, request: Request) -> list[Obj]:
    """GET /v1/application_fees/:id/refunds."""
    fee = world.need("application_fee", request.path["id"])
    return [one for one in world.store.all("fee_refund") if one["fee"] == fee["id"]]
