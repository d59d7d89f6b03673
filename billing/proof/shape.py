"""The form of a receipt, PURE: which fields there are, and of which kind; nothing is left out or added.

Version 2 added the section ``tax``, version 3 the section ``credits``; receipts of earlier versions are read as what
they are.
"""

from collections.abc import Iterator
from typing import Any

from billing.proof.finding import Finding

MAYBE = "?"  # the mark of a field that may be null

TEXT, WHOLE = "text", "whole number"

SHAPE: dict[str, Any] = {
    "version": WHOLE,
    "issuer": {"name": TEXT, "url": TEXT},
    "reference": TEXT,
    "call": {
        "id": TEXT,
        "subject": TEXT,
        "started_at": TEXT,
        "ended_at": TEXT + MAYBE,
        "close_reason": TEXT + MAYBE,
    },
    "role": TEXT,
    "parties": {"customer": TEXT, "consultant": TEXT},
    "state": TEXT,
    "price": {
        "currency": TEXT,
        "rate_minor_per_hour": WHOLE,
        "policy": TEXT,
        "policy_version": TEXT,
        "threshold_ms": WHOLE,
        "agreed_cap_minor": WHOLE,
        "cap_minor": WHOLE,
        "minimum_minor": WHOLE,
        "tax_mode": TEXT,
        "tax_rate_bps": WHOLE,
        "commission_bps": WHOLE + MAYBE,
    },
    "tax": {
        "reason": TEXT + MAYBE,
        "supplier": dict.fromkeys(("country", "vat_id", "name", "address"), TEXT + MAYBE),
        "customer": dict.fromkeys(("country", "vat_id", "name", "address"), TEXT + MAYBE),
    },
    "consent": {"terms_version": TEXT, "at": TEXT},
    "intervals": [{"n": WHOLE, "started_at": TEXT, "duration_ms": WHOLE, "cause": TEXT + MAYBE}],
    "lines": [
        {
            "kind": TEXT,
            "from": TEXT,
            "to": TEXT,
            "duration_ms": WHOLE,
            "cause": TEXT + MAYBE,
            "amount_minor": WHOLE,
        }
    ],
    "totals": {
        "connected_ms": WHOLE,
        "billed_ms": WHOLE,
        "gross_minor": WHOLE,
        "uncovered_minor": WHOLE,
        "net_of_vat_minor": WHOLE,
        "vat_minor": WHOLE,
        "captured_minor": WHOLE,
        "released_minor": WHOLE,
        "refunded_minor": WHOLE,
        "commission_minor": WHOLE + MAYBE,
        "share_minor": WHOLE + MAYBE,
    },
    "holds": [
        {
            "n": WHOLE,
            "amount_minor": WHOLE,
            "state": TEXT,
            "captured_minor": WHOLE,
            "held_at": TEXT,
            "finished_at": TEXT + MAYBE,
        }
    ],
    "refunds": [{"credit_note": TEXT, "at": TEXT, "amount_minor": WHOLE, "vat_minor": WHOLE}],
    "credits": [{"number": TEXT, "at": TEXT, "amount_minor": WHOLE}],
    "invoice": (
        {
            "number": TEXT,
            "issued_at": TEXT,
            "gross_minor": WHOLE,
            "net_minor": WHOLE,
            "vat_minor": WHOLE,
            "vat_rate_bps": WHOLE,
            "vat_treatment": TEXT,
        },
    ),
    "fees": {"payment_processing_borne_by": TEXT},
    "chain": {"charge_id": TEXT, "entries": [{"n": WHOLE, "body": TEXT + MAYBE, "hash": TEXT}]},
    "chain_hash": TEXT + MAYBE,
    "issued_at": TEXT,
}
ADDED = {2: ("tax",), 3: ("credits",)}  # sections by the version that brought them
NEWEST = max(ADDED)


def sections(document: Any) -> tuple[str, ...]:
    """The sections of a receipt of this document's version; those of the newest where it names none of ours."""
    version = document.get("version") if isinstance(document, dict) else None
    known = version if type(version) is int and 1 <= version <= NEWEST else NEWEST
    later = {name for since, names in ADDED.items() if since > known for name in names}
    return tuple(name for name in SHAPE if name not in later)


def misshapen(document: Any) -> list[Finding]:
    """Every place where a signed receipt does not have the form it must have."""
    names = sections(document)
    signed = {
        **{name: SHAPE[name] for name in names},
        "digests": dict.fromkeys(names, TEXT),
        "signature": {"alg": TEXT, "key_id": TEXT, "public_key": TEXT, "value": TEXT},
    }
    return list(_compare(document, signed, ""))


def _compare(value: Any, shape: Any, place: str) -> Iterator[Finding]:
    """A shape is the name of a kind, an object, a list (of one shape) or a tuple (of one shape, or null)."""
    if isinstance(shape, tuple):
        if value is not None:
            yield from _compare(value, shape[0], place)
    elif isinstance(shape, str):
        if not _is(value, shape):
            yield Finding("shape", place)
    elif not isinstance(value, type(shape)):
        yield Finding("shape", place or "document")
    elif isinstance(shape, list):
        for number, item in enumerate(value, start=1):
            yield from _compare(item, shape[0], f"{place}.{number}")
    else:
        yield from _compare_fields(value, shape, place)


def _compare_fields(value: dict[str, Any], shape: dict[str, Any], place: str) -> Iterator[Finding]:
    for name in sorted({*shape, *value}):
        inner = f"{place}.{name}".lstrip(".")
        if name in shape and name in value:
            yield from _compare(value[name], shape[name], inner)
        else:
            yield Finding("missing" if name in shape else "unknown", inner)


def _is(value: Any, kind: str) -> bool:
    if value is None:
        return kind.endswith(MAYBE)
    wanted = str if kind.rstrip(MAYBE) == TEXT else int
    return isinstance(value, wanted) and not isinstance(value, bool)
