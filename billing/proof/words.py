"""A verification in plain English, PURE: one sentence for each check and each finding."""

from typing import Any

from billing.proof.finding import Check, Finding

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


def sentence(finding: Finding) -> str:
    """A finding in words, amounts in the currency's units."""
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
    return text.format(place=place, said=_value(finding.said, money), found=_value(finding.found, money))


def _field(code: str, start: int) -> str:
    return code[start:].replace("_ms", "").replace("_", " ")


def _value(value: Any, money: bool) -> str:
    if money and isinstance(value, int):
        sign, cents = "-" if value < 0 else "", abs(value)
        return f"{sign}{cents // 100}.{cents % 100:02d}"
    return "nothing" if value is None else str(value)


def report(checks: list[Check]) -> list[str]:
    """One readable line for each check that holds, and for each finding."""
    lines: list[str] = []
    for check in checks:
        lines += (
            [f"ok    {CHECKS[check.name]}"] if check.holds else [f"WRONG {sentence(one)}" for one in check.findings]
        )
    return lines
