"""What goes over the wire: pages of a list, ``expand[]``, and nothing that is the sandbox's own."""

import copy
from typing import Any

from sandbox.errors import ApiError, invalid, missing
from sandbox.form import Params, integer
from sandbox.store import Obj
from sandbox.world import World

# docs.stripe.com/api/expanding_objects, as far as the main job needs it
_EXPANDABLE = {
    "application_fee",
    "balance_transaction",
    "charge",
    "customer",
    "destination",
    "failure_balance_transaction",
    "latest_charge",
    "originating_transaction",
    "payment_intent",
    "payment_method",
    "source",
    "source_refund",
    "source_transaction",
    "transfer",
    "transfer_reversal",
}
_DEEPEST = 4
_PAGE, _LARGEST_PAGE = 10, 100


def clean(value: Any) -> Any:
    """A deep copy without the sandbox's own fields (their names begin with an underscore)."""
    if isinstance(value, dict):
        return {name: clean(item) for name, item in value.items() if not name.startswith("_")}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def expand(world: World, answer: Obj, params: Params) -> Obj:
    """The answer as it goes out, with the ids named by ``expand[]`` replaced by their objects."""
    body: Obj = clean(answer)
    for path in params.get("expand") or []:
        parts = str(path).split(".")
        if len(parts) > _DEEPEST:
            raise invalid(f"You cannot expand more than {_DEEPEST} levels of a property.", "expand")
        _expand(world, body, parts, str(path))
    return body


def _expand(world: World, node: Any, parts: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(world, item, parts, path)
        return
    name, rest = parts[0], parts[1:]
    if name == "data" and node.get("object") == "list":
        _expand(world, node["data"], rest, path)
        return
    if name == "refunds" and node.get("object") == "charge":  # shown only when asked for, as at Stripe
        refunds = [one for one in world.store.all("refund") if one["charge"] == node["id"]]
        node[name] = clean(page(refunds, {}, f"/v1/charges/{node['id']}/refunds"))
    if name not in node or (name not in _EXPANDABLE and not isinstance(node[name], dict)):
        raise invalid(f"This property cannot be expanded ({path}).", "expand")
    if isinstance(node[name], str):
        found = world.store.any_kind(node[name])
        node[name] = clean(found) if found else node[name]
    if rest and isinstance(node[name], dict):
        _expand(world, node[name], rest, path)


def page(objects: list[Obj], params: Params, url: str) -> Obj:
    """Newest first, by Stripe's cursors: ``starting_after`` goes back in time, ``ending_before`` forward."""
    limit = integer(params, "limit")
    limit = _PAGE if limit is None else limit
    if not 1 <= limit <= _LARGEST_PAGE:
        raise invalid(f"limit must be between 1 and {_LARGEST_PAGE}", "limit", "parameter_invalid_integer")
    newest = [one for one in reversed(objects) if _created(one, params)]
    if "ending_before" in params:
        newer = newest[: _position(newest, params["ending_before"], "ending_before")]
        shown, more = newer[-limit:], len(newer) > limit
    else:
        start = _position(newest, params["starting_after"], "starting_after") + 1 if "starting_after" in params else 0
        shown, more = newest[start : start + limit], len(newest) > start + limit
    return {"object": "list", "data": copy.copy(shown), "has_more": more, "url": url}


def _position(objects: list[Obj], object_id: str, param: str) -> int:
    for position, one in enumerate(objects):
        if one["id"] == object_id:
            return position
    raise missing("object", object_id, param, status=400)


def _created(one: Obj, params: Params) -> bool:
    wanted = params.get("created")
    if wanted is None:
        return True
    bounds = wanted if isinstance(wanted, dict) else {"gte": wanted, "lte": wanted}
    tests = {
        "gt": int.__gt__,
        "gte": int.__ge__,
        "lt": int.__lt__,
        "lte": int.__le__,
    }
    for name in bounds:
        if name not in tests:
            raise ApiError(400, f"Received unknown parameter: created[{name}]", code="parameter_unknown")
    return all(tests[name](one["created"], integer(bounds, name) or 0) for name in bounds)
