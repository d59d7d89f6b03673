"""A receipt proves itself; a receipt in which anything was changed does not, and the place is named."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.proof.document import digests
from billing.proof.signing import ReceiptSigner
from billing.proof.verifier import verify
from billing.proof.words import report
from billing.tax import Party
from tests.fakes.receipts import FOLDER, SCRIPTS, SIGNER, Script, changed, files, findings, places, signed, unsigned

PAID = signed(SCRIPTS["paid-consultant"])


def forged(document: dict[str, Any]) -> dict[str, Any]:
    """Signed anew, with digests that fit: what only the owner of the key can make."""
    sections = {name: value for name, value in document.items() if name not in {"digests", "signature"}}
    return SIGNER.sign({**sections, "digests": digests(sections)})


def said(document: Any) -> list[str]:
    read, checks = verify(json.dumps(document, ensure_ascii=False))
    return [line.removeprefix("WRONG ") for line in report(read, checks) if line.startswith("WRONG")]


def test_the_examples_are_what_the_product_makes_today() -> None:
    for name, text in files().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, f"python -m tests.fakes.receipts writes {name} anew"


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_an_untouched_receipt_holds(name: str) -> None:
    document, checks = verify((FOLDER / f"{name}.json").read_text(encoding="utf-8"), SIGNER.public_key)
    assert document["reference"] == "CC-20261120-7KQ2"
    assert len(checks) == 10
    assert all(check.holds for check in checks), report(document, checks)


@settings(max_examples=60)
@given(
    st.builds(
        Script,
        talks=st.lists(st.integers(0, 4_000_000), max_size=4).map(tuple),
        pauses=st.just((5_000, 1, 0)),
        role=st.sampled_from(["customer", "consultant"]),
        policy=st.sampled_from(["whole_call", "after_threshold"]),
        currency=st.sampled_from(["eur", "gbp", "jpy"]),
        rate=st.integers(1, 100_000),
        cap=st.integers(1, 20_000),
        extension=st.integers(0, 5_000),
        supplier=st.sampled_from([None, Party("DE", "DE136695976"), Party("HU"), Party("DE", small_business=True)]),
        customer=st.sampled_from([None, Party("DE"), Party("FR", "FR40303265045"), Party("US")]),
        pause_cause=st.sampled_from(["customer_unseen", "demo_skip"]),
    )
)
def test_whatever_the_meter_bills_is_recomputed_to_the_cent_by_code_it_does_not_share(script: Script) -> None:
    assert findings(signed(script)) == []


@pytest.mark.parametrize("name", ["paid-customer", "refunded-exempt"])
def test_any_digit_changed_anywhere_is_found_and_named(name: str) -> None:
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for match in re.finditer(r"\d", text):
        at = match.start()
        broken = text[:at] + str((int(match[0]) + 1 + at % 9) % 10) + text[at + 1 :]
        if broken == text:
            continue
        document, checks = verify(broken)
        found = [finding for check in checks for finding in check.findings]
        if document is None:
            assert found[0].code == "json"  # a number that begins with 0: JSON itself names line and column
            continue
        sections = [key for key in document if document[key] != json.loads(text)[key]]
        assert sections, at
        named = {finding.place.split(".")[0] for finding in found}
        place = sections[0]
        if place == "digests":  # the section whose digest it is no longer fits
            right = json.loads(text)["digests"]
            place = next(key for key, digest in document["digests"].items() if digest != right[key])
        assert place in named, (at, text[max(0, at - 30) : at + 10])


def test_any_value_changed_is_found_even_where_it_is_no_digit() -> None:
    for path in places(PAID):
        document, _ = changed(PAID, path)
        assert findings(document), path


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("lines", 2, "amount_minor"), 746, "line 3: the receipt says 7.46, recomputed 7.45"),
        (("totals", "vat_minor"), 268, "vat: the receipt says 2.68, recomputed 2.67"),
        (("totals", "gross_minor"), 1_676, "gross: the receipt says 16.76, recomputed 16.75"),
        (("totals", "commission_minor"), 252, "commission: the receipt says 2.52, recomputed 2.51"),
        (("totals", "connected_ms"), 670_118, "connected ms: the receipt says 670118, recomputed 670117"),
        (
            ("intervals", 0, "duration_ms"),
            372_115,
            "interval 0, duration: the receipt says 372115, the sealed evidence 372114",
        ),
        (("holds", 0, "amount_minor"), 1_000, "captured: 16.75 is more than 10.00"),
        (("price", "cap_minor"), 1_600, "captured: 16.75 is more than 16.00"),
        (("price", "rate_minor_per_hour"), 9_010, "line 1: the receipt says 9.30, recomputed 9.31"),
        (("chain", "entries", 3, "hash"), "0" * 64, "entry 4 of the evidence is not what was sealed"),
        (
            ("invoice", "number"),
            "2026-000018",
            "invoice.number: the receipt says 2026-000018, the sealed evidence 2026-000017",
        ),
        (("price", "tax_rate_bps"), 700, "vat: the receipt says 2.67, recomputed 1.10"),
        (
            ("price", "tax_mode"),
            "outside_scope",
            "price.tax_mode: the receipt says outside_scope, by where both sides are taxed it is inclusive",
        ),
        (
            ("tax", "customer", "country"),
            "US",
            "price.tax_mode: the receipt says inclusive, by where both sides are taxed it is outside_scope",
        ),
        (
            ("invoice", "vat_treatment"),
            "exempt",
            "invoice, vat treatment: the receipt says exempt, recomputed standard",
        ),
        (("price", "rate_minor_per_hour"), 0, "price.rate_minor_per_hour: 0 cannot be"),
        (("lines", 1, "amount_minor"), "a", "lines.2.amount_minor: this is not what a receipt has here"),
        (("issuer", "name"), "Somebody", "section issuer: changed after the receipt was signed"),
    ],
)
def test_what_was_changed_is_said_in_plain_words(path: tuple[Any, ...], value: Any, sentence: str) -> None:
    document = json.loads(json.dumps(PAID))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert sentence in said(document)


def test_a_wrong_figure_is_found_even_when_the_house_signs_it() -> None:
    document = json.loads(json.dumps(PAID))
    document["lines"][2]["amount_minor"] += 1
    assert said(forged(document)) == [
        "line 3: the receipt says 7.46, recomputed 7.45",
        "lines sum to 16.76, the total is 16.75",
    ]


REVERSED = signed(SCRIPTS["reverse-charge"])


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("tax", "supplier", "vat_id"), None, ["vat/tax/price.tax_mode", "vat/tax/tax.reason"]),
        (("tax", "customer", "vat_id"), None, ["vat/tax/price.tax_mode", "vat/tax/tax.reason"]),
        (("tax", "customer", "country"), "DE", ["vat/tax/price.tax_mode", "vat/tax/tax.reason"]),
        (("tax", "customer", "country"), "GB", ["vat/tax/price.tax_mode", "vat/tax/tax.reason"]),
        (("tax", "reason"), "domestic", ["vat/tax/tax.reason"]),
        (("price", "tax_rate_bps"), 1_900, ["vat/tax/price.tax_rate_bps"]),
        (("totals", "vat_minor"), 1, ["vat/total/vat_minor"]),
        (("invoice", "vat_minor"), 1, ["vat/invoice/vat_minor"]),
        (("refunds", 0, "vat_minor"), 1, ["vat/total/refunded_vat_minor"]),
    ],
)
def test_a_changed_tax_is_found_even_when_the_house_signs_it(path: Any, value: Any, found: list[str]) -> None:
    document = json.loads(json.dumps(REVERSED))
    inner = document
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert findings(forged(document)) == found


@pytest.mark.parametrize("name", ["free", "paid-consultant", "refunded-exempt"])
def test_receipts_of_version_1_are_read_as_what_they_are(name: str) -> None:
    text = (FOLDER / "v1" / f"{name}.json").read_text(encoding="utf-8")
    document, checks = verify(text, SIGNER.public_key)
    assert document["version"] == 1
    assert all(check.holds for check in checks), report(document, checks)
    document["totals"]["vat_minor"] += 1
    assert "vat/total/vat_minor" in findings(document)
    assert "form/missing/tax" in findings({**json.loads(text), "version": 2})


def test_a_receipt_signed_by_somebody_else_is_told_by_the_key() -> None:
    stranger = ReceiptSigner("A" * 43)
    text = json.dumps(stranger.sign(unsigned(SCRIPTS["paid-consultant"])))
    assert all(check.holds for check in verify(text)[1])  # alone it cannot know whose key it is, and says so
    _, checks = verify(text, SIGNER.public_key)
    assert {finding.code for check in checks for finding in check.findings} == {"other_key", "signature"}


@pytest.mark.parametrize(
    "text",
    ["", "[", "[]", "1", "null", '{"a": 1, "a": 2}', '{"a": NaN}', "[" * 100_000, '{"signature": {}}', "1" * 5_000],
)
def test_what_is_no_receipt_is_refused_without_a_crash(text: str) -> None:
    document, checks = verify(text)
    assert not checks[0].holds
    assert report(document, checks)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3) | st.floats(), lambda inner: st.lists(inner, max_size=3)
    )
)
def test_any_value_of_another_kind_is_found(value: Any) -> None:
    for name in PAID:
        if value != PAID[name]:
            assert findings({**PAID, name: value})
