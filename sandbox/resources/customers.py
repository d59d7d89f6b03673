"""Customers."""

from sandbox.form import metadata
from sandbox.store import Obj
from sandbox.world import Request, World


def create(world: World, request: Request) -> Obj:
    """POST /v1/customers."""
    customer: Obj = {
        "id": world.new_id("cus"),
        "object": "customer",
        "created": world.now(),
        "description": request.params.get("description"),
        "email": request.params.get("email"),
        "livemode": False,
        "metadata": metadata(request.params),
        "name": request.params.get("name"),
    }
    world.store.save(customer)
    world.publish("customer.created", customer, request=request)
    return customer


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/customers/:id."""
    return world.need("customer", request.path["id"])
