"""Parameter names, as the SDK's own typed params know them: an unknown one is an error, as at Stripe."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

import stripe.params
from stripe import RequestOptions, StripeObject
from typing_extensions import get_type_hints, is_typeddict

from sandbox.errors import ApiError
from sandbox.form import Params

_OPTIONS = frozenset(RequestOptions.__annotations__)  # these travel as headers
_OPTIONS_NAMES = {"StripeContext": str, "Mapping": dict}


def check(params: Params, typed: str) -> None:
    """Refuse unknown and missing parameter names; ``typed`` is a class name of ``stripe.params``."""
    if "payment_method_types" in params and typed.startswith(("PaymentIntent", "SetupIntent")):
        raise ApiError(
            400,
            "payment_method_types is no longer supported; use allowed_payment_method_types.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    _check(params, getattr(stripe.params, typed), "")


def _check(params: Params, typed: Any, path: str) -> None:
    hints = _hints(typed)
    for name, value in params.items():
        full = f"{path}[{name}]" if path else name
        if name not in hints or (not path and name in _OPTIONS):
            raise ApiError(400, f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
        if _form_of(value) not in _forms(hints[name]):
            raise ApiError(400, f"Invalid {_form_of(value)}: {full} has another form.", param=full)
        for child in value if isinstance(value, list) else [value]:
            shapes = [shape for shape in _shapes(hints[name]) if is_typeddict(shape)]
            if isinstance(child, dict) and len(shapes) == 1:  # an open dict, or a choice of shapes, is not looked into
                _check(child, shapes[0], full)
    for name in sorted(typed.__required_keys__ - params.keys() - _OPTIONS):
        full = f"{path}[{name}]" if path else name
        raise ApiError(400, f"Missing required param: {full}.", code="parameter_missing", param=full)


@lru_cache(maxsize=256)
def _hints(typed: Any) -> dict[str, Any]:
    # The inherited RequestOptions name what their own module alone imports; they are no parameters, so any type does.
    return get_type_hints(typed, vars(sys.modules[typed.__module__]), _OPTIONS_NAMES)


def _form_of(value: Any) -> str:
    return "object" if isinstance(value, dict) else "list" if isinstance(value, list) else "string"


def _forms(hint: Any) -> set[str]:
    """Which of string, list and object this parameter may be on the wire."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return {form for inner in get_args(hint) for form in _forms(inner)}
    if origin is list:
        return {"list"}
    if is_typeddict(hint) or origin is dict or (isinstance(origin, type) and issubclass(origin, StripeObject)):
        return {"object"}
    return {"string"}


def _shapes(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is None:
        yield hint
    for inner in get_args(hint):
        yield from _shapes(inner)
