"""A verification in plain English, PURE: one sentence for each check and each finding."""

from typing import Any

from billing.proof.finding import Check, Finding
from billing.proof.recompute import DECIMALS

CHECKS = {
    "form": "the file has the form of a receipt",
    "signature": "the signature is good",
    "sections": "no section was changed after signing",
    "time": "time and money agree with the sealed evidence",
    "lines": "every line recomputed",
    "totals": "every total recomputed",
    "vat": "VAT recomputed",
    "commission": "commission and share make the amount",
    "limits": "captured is within the limit, the limit within the holds",
    "chain": "the evidence is an unbroken chain",
}
SENTENCES = {
    "json": "the file is not JSON: {said}",
    "shape": "{place}: this is not what a receipt has here",
    "missing": "{place}: this is missing",
    "unknown": "{place}: a receipt has no such field",
    "senseless": "{place}: {said} cannot be",
    "section": "section {place}: changed after the receipt was signed",
    "signature": "the signature does not belong to this text: something was changed after signing",
    "algorithm": "signature: {said} is not the algorithm we sign with, {found}",
    "key_id": "signature: the key is not the one its name says",
    "other_key": "the receipt is signed with another key than the one you gave",
    "line_count": "the receipt has {said} lines, recomputed {found}",
    "sum_of_lines": "lines sum to {said}, the total is {found}",
    "entry": "entry {place} of the evidence is not what was sealed",
    "entry_number": "entry {place} of the evidence says it is number {said}",
    "chain_end": "the evidence does not end where the receipt says",
    "above": "{place}: {said} is more than {found}",
    "tax": "{place}: the receipt says {said}, by where both sides are taxed it is {found}",
    "evidence": "{place}: the receipt says {said}, the sealed evidence {found}",
}
_SAYS = "the receipt says {said}, recomputed {found}"


def sentence(finding: Finding, decimals: int) -> str:
    """A finding in words, amounts in the currency's units, which have so many decimals."""
    code = finding.code
    if code.startswith("line_") and code not in SENTENCES:
        text = (
            "line {place}: " + _SAYS if code == "line_amount_minor" else f"line {{place}}, {_field(code, 5)}: {_SAYS}"
        )
    elif code.startswith("interval_"):
        text = f"interval {{place}}, {_field(code, 9)}: the receipt says {{said}}, the sealed evidence {{found}}"
    elif code in {"total", "invoice"}:
        text = ("invoice, " if code == "invoice" else "") + "{place}: " + _SAYS
    else:
        text = SENTENCES[code]
    money = code == "sum_of_lines" or code.endswith("_minor") or finding.place.endswith("_minor")
    place = finding.place.removesuffix("_minor").replace("_", " ") if "." not in finding.place else finding.place
    said, found = (_value(value, decimals if money else 0) for value in (finding.said, finding.found))
    return text.format(place=place, said=said, found=found)


def _field(code: str, start: int) -> str:
    return code[start:].replace("_ms", "").replace("_", " ")


def _value(value: Any, decimals: int) -> str:
    if decimals and isinstance(value, int):
        whole, part = divmod(abs(value), 10**decimals)
        return f"{'-' if value < 0 else ''}{whole}.{part:0{decimals}d}"
    return "nothing" if value is None else str(value)


def _decimals(document: Any) -> int:
    """Those of the receipt's currency; none where it names no currency that we know: its numbers stay as they are."""
    price = document.get("price") if isinstance(document, dict) else None
    currency = price.get("currency") if isinstance(price, dict) else None
    return DECIMALS.get(currency, 0) if isinstance(currency, str) else 0


def report(document: Any, checks: list[Check]) -> list[str]:
    """One readable line for each check of this document that holds, and for each finding."""
    decimals = _decimals(document)
    lines: list[str] = []
    for check in checks:
        lines += (
            [f"ok    {CHECKS[check.name]}"]
            if check.holds
            else [f"WRONG {sentence(one, decimals)}" for one in check.findings]
        )
    return lines
