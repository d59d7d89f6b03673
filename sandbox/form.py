"""Stripe's form encoding: ``transfer_data[destination]=acct_1&expand[0]=x`` to nested values and back to sense."""

import re
from typing import Any
from urllib.parse import parse_qsl

from sandbox.errors import invalid

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")
_PART = re.compile(r"\[([^\[\]]*)\]")
_INDEX = re.compile(r"[0-9]{1,6}")
_DEEPEST = 8

Params = dict[str, Any]


def decode(text: str) -> Params:
    """Nested dicts of strings; what is written with ``[]`` or ``[0]`` becomes a list."""
    tree: Params = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        matched = _KEY.match(key)
        if matched is None or matched[2].count("[") > _DEEPEST:
            raise invalid(f"Invalid parameter name: {key}", key)
        _put(tree, [matched[1], *_PART.findall(matched[2])], value)
    return {name: _listed(value) for name, value in tree.items()}


def _put(tree: Params, path: list[str], value: str) -> None:
    *parents, leaf = path
    for part in parents:
        tree = tree.setdefault(part or str(len(tree)), {})
        if not isinstance(tree, dict):
            raise invalid("Invalid hash", path[0])
    tree[leaf or str(len(tree))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(item) for name, item in value.items()}
    if inner and all(_INDEX.fullmatch(name) for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner


def integer(params: Params, name: str) -> int | None:
    """An integer parameter, or None when it was not given."""
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise invalid(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def boolean(params: Params, name: str, *, default: bool = False) -> bool:
    """A boolean parameter."""
    value = params.get(name)
    if value is None:
        return default
    if value not in {"true", "false"}:
        raise invalid(f"Invalid boolean: {value}", name)
    return bool(value == "true")


def choice(params: Params, name: str, allowed: set[str], default: str) -> str:
    """A parameter out of a few words."""
    value = params.get(name, default)
    if value not in allowed:
        raise invalid(f"Invalid {name}: must be one of {', '.join(sorted(allowed))}", name)
    return str(value)


def metadata(params: Params) -> dict[str, str]:
    """Metadata, with Stripe's limits: 50 keys, names up to 40 and values up to 500 characters."""
    given = params.get("metadata") or {}
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise invalid("Invalid hash", "metadata")
    most, longest_name, longest_value = 50, 40, 500
    if len(given) > most or any(len(n) > longest_name or len(v) > longest_value for n, v in given.items()):
        raise invalid("Metadata allows 50 keys of up to 40 characters, with values of up to 500", "metadata")
    return given
