"""Events: what was told, and whether it arrived."""

from sandbox.form import boolean
from sandbox.store import Obj
from sandbox.world import Request, World


def retrieve(world: World, request: Request) -> Obj:
    """GET /v1/events/:id."""
    return world.need("event", request.path["id"])


def listed(world: World, request: Request) -> list[Obj]:
    """GET /v1/events."""
    params = request.params
    kinds = set(params.get("types") or ([params["type"]] if "type" in params else []))
    found = [event for event in world.store.all("event") if not kinds or event["type"] in kinds]
    if request.account is not None:
        found = [event for event in found if event.get("account") == request.account]
    if "delivery_success" in params:
        delivered = boolean(params, "delivery_success")
        found = [event for event in found if (event["pending_webhooks"] == 0) == delivered]
    return found
