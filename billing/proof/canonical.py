"""Canonical JSON, PURE: the one text of a value, so that hashes and signatures mean the value (RFC 8785)."""

import json
from typing import Any

LARGEST = 2**53 - 1  # beyond it a browser's numbers are no longer exact (RFC 8785, section 3.2.2.3)


def canonical(value: Any) -> str:
    """The canonical text of text, whole numbers, booleans, null, lists and objects with text keys.

    Raises ValueError for anything else: fractions have no place in money, and every language writes them differently.
    """
    try:
        return json.dumps(_checked(value), ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("this is nested too deeply") from None


def _checked(value: Any) -> Any:
    """The same value with its keys in order (by UTF-16 code units, as browsers compare)."""
    if isinstance(value, str):
        value.encode()  # half a surrogate pair is not text
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST:
            raise ValueError(f"{value} is too large to be exact everywhere")
        return value
    if isinstance(value, list | tuple):
        return [_checked(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _checked(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    raise ValueError(f"{type(value).__name__} has no canonical form here")
