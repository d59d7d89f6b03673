"""VAT: golden cases by country and day, and a split that always sums."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.tax import EU, RATES, Tax, Treatment, business_in, inclusive, rate_bps, tax_of

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("country", "day", "bps"),
    [
        ("DE", date(2020, 6, 30), 1_900),
        ("DE", date(2020, 7, 1), 1_600),
        ("DE", date(2020, 12, 31), 1_600),
        ("DE", date(2021, 1, 1), 1_900),
        ("FI", date(2024, 8, 31), 2_400),
        ("FI", date(2024, 9, 1), 2_550),
        ("EE", date(2025, 6, 30), 2_200),
        ("EE", date(2025, 7, 1), 2_400),
        ("RO", date(2025, 8, 1), 2_100),
        ("SK", date(2025, 1, 1), 2_300),
        ("CH", date(2023, 12, 31), 770),
        ("CH", date(2024, 1, 1), 810),
        ("HU", DAY, 2_700),
        ("LU", DAY, 1_700),
    ],
)
def test_the_rate_is_that_of_the_day(country: str, day: date, bps: int) -> None:
    assert rate_bps(country, day) == bps


def test_every_member_state_has_a_rate_and_days_rise() -> None:
    assert len(EU) == 27
    assert set(RATES) > EU
    for steps in RATES.values():
        assert [since for since, _ in steps] == sorted({since for since, _ in steps})


@pytest.mark.parametrize(("country", "day"), [("US", DAY), ("DE", date(2019, 12, 31)), ("de", DAY)])
def test_where_the_table_is_silent_nobody_guesses(country: str, day: date) -> None:
    with pytest.raises(LookupError):
        rate_bps(country, day)


@pytest.mark.parametrize(
    ("supplier", "customer", "vat_id", "expected"),
    [
        ("DE", "DE", None, Tax(Treatment.STANDARD, 1_900)),
        ("DE", "DE", "DE123456789", Tax(Treatment.STANDARD, 1_900)),  # at home a business pays it as well
        ("DE", "FR", None, Tax(Treatment.STANDARD, 1_900)),  # article 45: where the supplier is
        ("DE", "FR", "FR12345678901", Tax(Treatment.REVERSE_CHARGE, 0)),
        ("DE", "FR", "AT U12345678", Tax(Treatment.STANDARD, 1_900)),  # another country's number
        ("DE", "FR", "FR", Tax(Treatment.STANDARD, 1_900)),  # no number at all
        ("DE", "GR", "EL 123456789", Tax(Treatment.REVERSE_CHARGE, 0)),
        ("FR", "DE", "de 123.456.789", Tax(Treatment.REVERSE_CHARGE, 0)),
        ("DE", "US", None, Tax(Treatment.OUTSIDE_SCOPE, 0)),  # article 59(c)
        ("DE", "CH", None, Tax(Treatment.OUTSIDE_SCOPE, 0)),
        ("CH", "CH", None, Tax(Treatment.STANDARD, 810)),
        ("GB", "GB", None, Tax(Treatment.STANDARD, 2_000)),
        ("GB", "DE", "DE123456789", Tax(Treatment.OUTSIDE_SCOPE, 0)),
    ],
)
def test_who_owes_it(supplier: str, customer: str, vat_id: str | None, expected: Tax) -> None:
    assert tax_of(supplier, customer, DAY, vat_id=vat_id) == expected


def test_an_exempt_supplier_adds_none() -> None:
    assert tax_of("DE", "DE", DAY, exempt=True) == Tax(Treatment.EXEMPT, 0)


def test_a_vat_number_names_its_country() -> None:
    assert [business_in(number) for number in ("EL123456789", "atu12345678", "US123456789", "17")] == [
        "GR",
        "AT",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("gross", "bps", "vat"),
    [
        (11_900, 1_900, 1_900),
        (1_650, 1_900, 263),  # 263.445
        (1, 1_900, 0),  # 0.16
        (3, 2_000, 1),  # exactly half a cent is rounded up
        (9, 2_000, 2),
        (119, 1_900, 19),
        (0, 1_900, 0),
        (4_500, 0, 0),
        (10_810, 810, 810),
    ],
)
def test_the_tax_in_a_price_is_rounded_half_up(gross: int, bps: int, vat: int) -> None:
    assert inclusive(gross, bps).vat_minor == vat


@given(st.integers(0, 10**8), st.sampled_from(sorted({bps for steps in RATES.values() for _, bps in steps})))
def test_net_and_tax_sum_to_the_price_and_the_tax_is_that_of_the_net(gross: int, bps: int) -> None:
    amounts = inclusive(gross, bps)
    assert amounts.net_minor + amounts.vat_minor == gross
    assert abs(amounts.vat_minor * (10_000 + bps) - gross * bps) * 2 <= 10_000 + bps


def test_a_negative_price_is_a_bug_and_said_so() -> None:
    with pytest.raises(ValueError, match="negative"):
        inclusive(-1, 1_900)
