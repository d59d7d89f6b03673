"""The printed receipt: a whole PDF for every example, the same at every printing, its words as each language writes."""

import re
from zoneinfo import ZoneInfo

import pytest
from font_source_sans_pro import font_files_ttf
from reportlab.pdfbase.ttfonts import TTFont

from billing.proof.pdf.layout import printed
from billing.proof.pdf.wording import WORDS, Wording
from tests.fakes.pdf_text import texts
from tests.fakes.receipts import SCRIPTS, other, signed

EN = Wording("en", "gbp", ZoneInfo("Europe/London"))
DE = Wording("de", "eur", ZoneInfo("Europe/Berlin"))
YEN_EN, YEN_DE = Wording("en", "jpy", ZoneInfo("Asia/Tokyo")), Wording("de", "jpy", ZoneInfo("Asia/Tokyo"))


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_every_receipt_fits_on_one_page_and_prints_the_same_again(name: str, locale: str) -> None:
    receipt = signed(SCRIPTS[name])
    first = printed(receipt, locale=locale, zone="Europe/Berlin")
    assert (first[:5], pages(first)) == (b"%PDF-", 1)
    assert first == printed(receipt, locale=locale, zone="Europe/Berlin")


def test_a_call_with_many_pauses_goes_on_overleaf() -> None:
    script = other(SCRIPTS["paid-customer"], talks=(30_017,) * 60, pauses=(5_000,) * 59)
    assert pages(printed(signed(script), locale="de", zone="UTC")) > 2


def test_both_languages_say_everything_with_the_same_figures() -> None:
    assert set(WORDS["en"]) == set(WORDS["de"])
    for key, text in WORDS["en"].items():
        assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", WORDS["de"][key])), key


@pytest.mark.parametrize(
    ("reason", "country", "english", "german"),
    [
        ("small_business", "DE", "small business under § 19 UStG", "Kleinunternehmer nach § 19 UStG"),
        ("small_business", "FR", "small enterprise (Art. 284", "Kleinunternehmerregelung (Art. 284"),
        ("eu_business", "DE", "Reverse charge", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("outside_eu", "DE", "supplied where the customer is", "Nicht steuerbar"),
        ("no_rate", "US", "(US)", "(US)"),
        ("eu_consumer", "LU", "LU (Art. 45", "LU (Art. 45"),
        ("supplier_unregistered", "DE", "no VAT number", "ohne USt-IdNr."),
    ],
)
def test_an_invoice_says_why_it_is_taxed_so(reason: str, country: str, english: str, german: str) -> None:
    assert english in str(EN.tax(reason, country))
    assert german in str(DE.tax(reason, country))


def test_a_reverse_charged_invoice_carries_its_words_both_numbers_and_no_tax() -> None:
    said = texts(printed(signed(SCRIPTS["reverse-charge"]), locale="en", zone="Europe/Berlin"))
    assert "Reverse charge: the customer owes the VAT (Art. 44, 196 Directive 2006/112/EC)." in said
    assert any("FR40303265045" in one for one in said)
    assert any("DE136695976" in one for one in said)
    vat, net = said.index("VAT (reverse charge)"), said.index("Net")
    assert (said[vat + 1], said[net + 1]) == ("?0.00", "?18.00")


@pytest.mark.parametrize("reason", ["domestic", "customer_unstated", "supplier_unstated", None])
def test_what_is_taxed_at_home_needs_no_sentence(reason: str | None) -> None:
    assert EN.tax(reason, "DE") is None


def test_amounts_rates_and_times_are_written_as_the_reader_writes_them() -> None:
    assert (EN.money(-123_456), DE.money(123_456)) == ("−£1,234.56", "1.234,56\u00a0€")  # noqa: RUF001
    assert (EN.per_minute(9_000), DE.per_minute(12_345)) == ("£1.50", "2,0575\u00a0€")
    assert (YEN_EN.money(-1_234), YEN_DE.money(1_234)) == ("−¥1,234", "1.234\u00a0¥")  # noqa: RUF001
    assert (YEN_EN.figure(1_234), YEN_DE.figure(0)) == ("1,234", "0")
    assert (YEN_EN.per_minute(12_000), YEN_DE.per_minute(12_345)) == ("¥200", "205,75\u00a0¥")
    assert (EN.percent(1_900), DE.percent(810)) == ("19%", "8,1\u00a0%")
    assert (EN.span(670_117), DE.span(3_600_000)) == ("11:10.117", "1:00:00")
    assert DE.day_and_time("2026-07-01T09:30:04.512345Z") == "1. Juli 2026, 11:30:04 CEST"
    assert EN.day_and_time("2026-12-31T23:30:04.000000Z") == "31 December 2026, 23:30:04 GMT"


def test_the_font_has_every_letter_our_languages_and_currencies_need() -> None:
    letters = "".join([*WORDS["en"].values(), *WORDS["de"].values()]) + "ÄÖÜäöüß€£$¥ÀÉçñłčŽøå\u00a0−"  # noqa: RUF001
    for name in ("SourceSansPro", "SourceSansProSemibold"):
        font = TTFont(name, font_files_ttf[name])
        assert {letter for letter in letters if ord(letter) not in font.face.charToGlyph} == set()
