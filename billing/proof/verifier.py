"""Verification of a receipt, offline: from the text of a file (and perhaps a key) to checks. Reads nothing else."""

import json
from typing import Any

from billing.proof.checks import check
from billing.proof.finding import Check, Finding
from billing.proof.signing import ALGORITHM, key_id, signature_holds


class Doubled(ValueError):
    """A name stands twice in one object: two readers could read two receipts."""


def verify(text: str, public_key: str | None = None) -> tuple[Any, list[Check]]:
    """The document that was read (None when it is no JSON) and every check.

    ``public_key`` (base64url) is the key the receipt must be signed with; without it the receipt's own is used,
    which proves that nothing was changed since, but not by whom it was signed.
    """
    try:
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return None, [Check("form", [Finding("json", "document", str(error))])]
    form, *others = check(document)
    return document, [form, Check("signature", _signature(document, public_key)), *others]


def _signature(document: Any, public_key: str | None) -> list[Finding]:
    signature = document.get("signature") if isinstance(document, dict) else None
    if not isinstance(signature, dict) or not all(
        isinstance(signature.get(name), str) for name in ("alg", "key_id", "public_key", "value")
    ):
        return [Finding("missing", "signature")]
    findings = []
    if signature["alg"] != ALGORITHM:
        findings.append(Finding("algorithm", "signature", signature["alg"], ALGORITHM))
    if signature["key_id"] != key_id(signature["public_key"]):
        findings.append(Finding("key_id", "signature"))
    if public_key is not None and public_key != signature["public_key"]:
        findings.append(Finding("other_key", "signature"))
    if not signature_holds(document, public_key or signature["public_key"]):
        findings.append(Finding("signature", "signature"))
    return findings


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Doubled("a name stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
