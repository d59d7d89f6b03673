"""The checks of a receipt, PURE: every figure worked out again from the receipt alone, each deviation by its place.

Nothing here shares code with the meter: it must not be able to repeat the meter's mistakes.
"""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from billing.proof.canonical import canonical
from billing.proof.finding import Check, Finding
from billing.proof.recompute import DECIMALS, Bill, commission_of, moment, taxed_as, vat_in
from billing.proof.shape import NEWEST, misshapen, sections

Document = dict[str, Any]
LONGEST_MS = 10**10  # some months; longer is no call


def check(document: Any) -> list[Check]:
    """Everything but the signature, in the order in which a person would look at it.

    A receipt that has not the form of one is not computed with: then ``form`` and ``sections`` are all there is.
    """
    form = misshapen(document)
    if not form:
        form = [*_senseless(document)]
    whole = Check("sections", list(_sections(document)) if isinstance(document, dict) else [])
    if form:
        return [Check("form", form), whole]
    return [Check("form"), whole, *(Check(name, list(find(document))) for name, find in _CHECKS.items())]


def _senseless(document: Document) -> Iterator[Finding]:
    """Values no receipt can have, and with which nothing can be computed."""
    price = document["price"]
    for name in ("rate_minor_per_hour", "cap_minor", "agreed_cap_minor"):
        if price[name] <= 0:
            yield Finding("senseless", f"price.{name}", price[name])
    for name in ("threshold_ms", "minimum_minor", "tax_rate_bps", "commission_bps"):
        if (price[name] or 0) < 0:
            yield Finding("senseless", f"price.{name}", price[name])
    for place, allowed, value in (
        ("version", {*range(1, NEWEST + 1)}, document["version"]),
        ("role", {"customer", "consultant"}, document["role"]),
        ("state", {"captured", "released", "uncollectable", "abandoned"}, document["state"]),
        ("price.currency", {*DECIMALS}, price["currency"]),
        ("price.policy", {"whole_call", "after_threshold"}, price["policy"]),
        ("price.tax_mode", {"inclusive", "exempt", "reverse_charge", "outside_scope"}, price["tax_mode"]),
    ):
        if value not in allowed:
            yield Finding("senseless", place, value)
    for number, interval in enumerate(document["intervals"], start=1):
        if not 0 <= interval["duration_ms"] <= LONGEST_MS:
            yield Finding("senseless", f"intervals.{number}.duration_ms", interval["duration_ms"])
        if not _moment(interval["started_at"]):
            yield Finding("senseless", f"intervals.{number}.started_at", interval["started_at"])


def _moment(text: str) -> bool:
    try:
        moment(text)
    except ValueError:
        return False
    return True


def _sections(document: Document) -> Iterator[Finding]:
    digests = document.get("digests")
    for name in sections(document):
        try:
            found = sha256(canonical(document.get(name)).encode()).hexdigest()
        except ValueError:
            found = None
        if not isinstance(digests, dict) or digests.get(name) != found:
            yield Finding("section", name)


def _bill(document: Document) -> Bill:
    return Bill(document["price"], document["intervals"], held=bool(document["holds"]))


def _lines(document: Document) -> Iterator[Finding]:
    expected = _bill(document).lines()
    said = document["lines"]
    if len(said) != len(expected):
        yield Finding("line_count", "lines", len(said), len(expected))
    for number, (line, right) in enumerate(zip(said, expected, strict=False), start=1):
        for name in ("kind", "from", "to", "duration_ms", "cause", "amount_minor"):
            if line[name] != right[name]:
                yield Finding(f"line_{name}", str(number), line[name], right[name])


def _totals(document: Document) -> Iterator[Finding]:
    totals, bill = document["totals"], _bill(document)
    sum_of_lines = sum(line["amount_minor"] for line in document["lines"])
    holds = [hold for hold in document["holds"] if hold["finished_at"] is not None]
    expected = {
        "connected_ms": bill.connected_ms,
        "billed_ms": bill.billed_ms,
        "gross_minor": bill.due_minor - totals["uncovered_minor"],
        "captured_minor": sum(hold["captured_minor"] for hold in document["holds"]),
        "released_minor": sum(hold["amount_minor"] - hold["captured_minor"] for hold in holds),
        "refunded_minor": sum(refund["amount_minor"] for refund in document["refunds"]),
    }
    for name, value in expected.items():
        if totals[name] != value:
            yield Finding("total", name, totals[name], value)
    if sum_of_lines != totals["gross_minor"] + totals["uncovered_minor"]:
        yield Finding("sum_of_lines", "lines", sum_of_lines, totals["gross_minor"] + totals["uncovered_minor"])
    if totals["uncovered_minor"] < 0:
        yield Finding("total", "uncovered_minor", totals["uncovered_minor"], 0)


def _vat(document: Document) -> Iterator[Finding]:
    totals, invoice, price = document["totals"], document["invoice"], document["price"]
    vat = vat_in(totals["gross_minor"], price)
    if totals["vat_minor"] != vat:
        yield Finding("total", "vat_minor", totals["vat_minor"], vat)
    if totals["net_of_vat_minor"] != totals["gross_minor"] - vat:
        yield Finding("total", "net_of_vat_minor", totals["net_of_vat_minor"], totals["gross_minor"] - vat)
    yield from _tax(document)
    if invoice is None:
        return
    expected = {
        "gross_minor": totals["captured_minor"],
        "vat_minor": vat_in(totals["captured_minor"], price),
        "net_minor": totals["captured_minor"] - vat_in(totals["captured_minor"], price),
        "vat_rate_bps": price["tax_rate_bps"] if price["tax_mode"] == "inclusive" else 0,
        "vat_treatment": "standard" if price["tax_mode"] == "inclusive" else price["tax_mode"],
    }
    for name, value in expected.items():
        if invoice[name] != value:
            yield Finding("invoice", name, invoice[name], value)
    credited = sum(refund["vat_minor"] for refund in document["refunds"])
    refunded = vat_in(totals["refunded_minor"], price)
    if credited != refunded:
        yield Finding("total", "refunded_vat_minor", credited, refunded)


def _tax(document: Document) -> Iterator[Finding]:
    """Whether mode and reason follow from where both sides are taxed; receipts from before that do not say."""
    price, tax = document["price"], document.get("tax")
    if tax is None or tax["reason"] is None:
        return
    said, found = (price["tax_mode"], tax["reason"]), taxed_as(tax) or (price["tax_mode"], "supplier_unstated")
    for place, one, right in zip(("price.tax_mode", "tax.reason"), said, found, strict=True):
        if one != right:
            yield Finding("tax", place, one, right)
    if price["tax_mode"] != "inclusive" and price["tax_rate_bps"]:
        yield Finding("tax", "price.tax_rate_bps", price["tax_rate_bps"], 0)


def _commission(document: Document) -> Iterator[Finding]:
    """Only the consultant's receipt shows how the amount is split."""
    totals, rate = document["totals"], document["price"]["commission_bps"]
    parts = (rate, totals["commission_minor"], totals["share_minor"])
    if document["role"] != "consultant":
        if parts != (None, None, None):
            yield Finding("senseless", "totals.commission_minor", totals["commission_minor"])
        return
    if None in parts:
        yield Finding("missing", "totals.commission_minor")
        return
    commission = commission_of(totals["gross_minor"], rate)
    if totals["commission_minor"] != commission:
        yield Finding("total", "commission_minor", totals["commission_minor"], commission)
    if totals["share_minor"] != totals["gross_minor"] - commission:
        yield Finding("total", "share_minor", totals["share_minor"], totals["gross_minor"] - commission)


def _limits(document: Document) -> Iterator[Finding]:
    """Captured ≤ cap ≤ holds; refunded and credited ≤ captured; and what was captured is what the state says."""
    totals, price = document["totals"], document["price"]
    held = sum(hold["amount_minor"] for hold in document["holds"])
    if totals["captured_minor"] > price["cap_minor"]:
        yield Finding("above", "captured_minor", totals["captured_minor"], price["cap_minor"])
    if totals["captured_minor"] > held:
        yield Finding("above", "captured_minor", totals["captured_minor"], held)
    # Of a trusted customer nothing is held in the first minutes; without a hold there is nothing it must cover.
    if document["state"] != "abandoned" and document["holds"] and price["cap_minor"] > held:
        yield Finding("above", "cap_minor", price["cap_minor"], held)
    credited = sum(one["amount_minor"] for one in document.get("credits", []))
    if totals["refunded_minor"] > totals["captured_minor"]:
        yield Finding("above", "refunded_minor", totals["refunded_minor"], totals["captured_minor"])
    elif totals["refunded_minor"] + credited > totals["captured_minor"]:
        yield Finding("above", "credited_minor", credited, totals["captured_minor"] - totals["refunded_minor"])
    for hold in document["holds"]:
        if not 0 <= hold["captured_minor"] <= hold["amount_minor"]:
            yield Finding("above", f"holds.{hold['n']}", hold["captured_minor"], hold["amount_minor"])
    due = {"captured": totals["gross_minor"], "released": 0, "abandoned": 0}.get(document["state"])
    if due is not None and totals["captured_minor"] != due:
        yield Finding("total", "captured_minor", totals["captured_minor"], due)


def _chain(document: Document) -> Iterator[Finding]:
    chain, previous = document["chain"], None
    previous = sha256(chain["charge_id"].encode()).hexdigest()
    for number, entry in enumerate(chain["entries"], start=1):
        if entry["n"] != number:
            yield Finding("entry_number", str(number), entry["n"], number)
        body = entry["body"]
        if body is not None and entry["hash"] != sha256((previous + body).encode()).hexdigest():
            yield Finding("entry", str(number))
        previous = entry["hash"]
    if document["chain_hash"] != (previous if chain["entries"] else None):
        yield Finding("chain_end", "chain_hash")


def _evidence(document: Document) -> Iterator[Finding]:
    """What the receipt says against what was noted while the call ran."""
    noted = [entry for entry in map(_body, document["chain"]["entries"]) if entry is not None]
    seen = _numbered(noted, "interval_closed")
    told = {interval["n"]: interval for interval in document["intervals"]}
    for n in sorted({*seen, *told}):
        for name in ("duration_ms", "cause"):
            said, found = told.get(n, {}).get(name), seen.get(n, {}).get(name)
            if said != found or n not in seen or n not in told:
                yield Finding(f"interval_{name}", str(n), said, found)
    caps = [one.get("cap_minor") for one in _of(noted, "extended")]
    cap = caps[-1] if caps else document["price"]["agreed_cap_minor"]
    totals = document["totals"]
    figures = [("cap_minor", document["price"]["cap_minor"], cap)]
    for kind, name in (("settled", "connected_ms"), ("settled", "gross_minor"), ("captured", "captured_minor")):
        figures += [(name, totals[name], one.get(name)) for one in _of(noted, kind)]
    for one in _of(noted, "price_agreed"):
        names = [name for name in ("tax_mode", "tax_rate_bps") if name in one]
        figures += [(f"price.{name}", document["price"][name], one[name]) for name in names]
    holds = {hold["n"]: hold for hold in document["holds"]}
    held = _numbered(noted, "hold_placed") | _numbered(noted, "hold_raised")  # the last of them is what was held
    for found, name in ((held, "amount_minor"), (_numbered(noted, "hold_captured"), "captured_minor")):
        for n, one in found.items():
            figures.append((f"holds.{n}.{name}", holds.get(n, {}).get(name), one.get("amount_minor")))
    numbers = [one.get("number") for one in _of(noted, "invoice_issued")]
    figures.append(("invoice.number", (document["invoice"] or {}).get("number"), numbers[0] if numbers else None))
    notes = [one.get("number") for one in _of(noted, "credit_note_issued")]
    figures.append(("refunds", [refund["credit_note"] for refund in document["refunds"]], notes))
    credits_noted = [[one.get("number"), one.get("gross_minor")] for one in _of(noted, "credit_issued")]
    credits_told = [[one["number"], one["amount_minor"]] for one in document.get("credits", [])]
    figures.append(("credits", credits_told, credits_noted))
    for place, said, found in figures:
        if said != found:
            yield Finding("evidence", place, said, found)


def _body(entry: dict[str, Any]) -> dict[str, Any] | None:
    """What an entry says; None where it is only a hash, or says nothing."""
    try:
        body = json.loads(entry["body"] or "null")
    except ValueError:
        return None
    return body if isinstance(body, dict) and isinstance(body.get("details"), dict) else None


def _of(noted: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [entry["details"] for entry in noted if entry.get("kind") == kind]


def _numbered(noted: list[dict[str, Any]], kind: str) -> dict[int, dict[str, Any]]:
    return {one["n"]: one for one in _of(noted, kind) if isinstance(one.get("n"), int)}


_CHECKS: dict[str, Callable[[Document], Iterator[Finding]]] = {
    "time": _evidence,
    "lines": _lines,
    "totals": _totals,
    "vat": _vat,
    "commission": _commission,
    "limits": _limits,
    "chain": _chain,
}
