"""Customers."""

from sandbox.errors import invalid
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
        "invoice_settings": {"default_payment_method": None},
        "livemode": False,
        "metadata": metadata(request.params),
        "name": request.params.get("name"),
    }
    world.store.save(customer)
    world.publish("customer.created", customer, request=request)
    return customer


def update(world: World, request: Request) -> Obj:
    """POST /v1/customers/:id: the default card and metadata."""
    customer, params = world.need("customer", request.path["id"]), request.params
    chosen = (params.get("invoice_settings") or {}).get("default_payment_method")
    if chosen:
        method = world.need("payment_method", chosen, "invoice_settings[default_payment_method]")
        if method["customer"] != customer["id"]:
            raise invalid(
                "The customer does not have a payment method with this ID; it must be attached first.",
                "invoice_settings[default_payment_method]",
                "resource_missing",
            )
    labels = {**customer["metadata"], **metadata(params)}
    customer["metadata"] = {name: value for name, value in labels.items() if value}
    if chosen is not None:  # an empty value unsets it
        customer["invoice_settings"] = {"default_payment_method": chosen or None}
    world.store.save(customer)
    world.publish("customer.updated", customer, request=request)
    return customer


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/customers/:id."""
    return world.need("customer", request.path["id"])
