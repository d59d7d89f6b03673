"""VAT: golden cases by country and day, and a split that always sums."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.charges.taxing import columns
from billing.proof.recompute import taxed_as
from billing.tax import EU, RATES, Party, Reason, Tax, Treatment, decide, inclusive, rate_bps

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


UNSTATED = Tax(Treatment.STANDARD, 1_900)
AT_HOME, ABROAD = Tax(Treatment.STANDARD, 1_900), Tax(Treatment.OUTSIDE_SCOPE, 0)
GERMAN, GERMAN_FIRM = Party("DE"), Party("DE", "DE136695976")
FRENCH, FRENCH_FIRM = Party("FR"), Party("FR", "FR40303265045")
SMALL = Party("DE", small_business=True)


@pytest.mark.parametrize(
    ("supplier", "customer", "tax", "reason"),
    [
        (None, None, UNSTATED, "supplier_unstated"),
        (None, FRENCH_FIRM, UNSTATED, "supplier_unstated"),
        (SMALL, None, Tax(Treatment.EXEMPT, 0), "small_business"),
        (SMALL, GERMAN_FIRM, Tax(Treatment.EXEMPT, 0), "small_business"),
        (SMALL, FRENCH_FIRM, Tax(Treatment.EXEMPT, 0), "small_business"),
        (Party("US"), GERMAN, ABROAD, "no_rate"),
        (Party("US"), Party("US"), ABROAD, "no_rate"),
        (GERMAN_FIRM, None, AT_HOME, "customer_unstated"),
        (GERMAN, GERMAN, AT_HOME, "domestic"),
        (GERMAN_FIRM, Party("DE", "DE129273398"), AT_HOME, "domestic"),  # at home a business pays it as well
        (GERMAN_FIRM, FRENCH, AT_HOME, "eu_consumer"),
        (Party("FI"), GERMAN, Tax(Treatment.STANDARD, 2_550), "eu_consumer"),
        (GERMAN_FIRM, FRENCH_FIRM, Tax(Treatment.REVERSE_CHARGE, 0), "eu_business"),
        (FRENCH_FIRM, GERMAN_FIRM, Tax(Treatment.REVERSE_CHARGE, 0), "eu_business"),
        (GERMAN_FIRM, Party("GR", "EL094259216"), Tax(Treatment.REVERSE_CHARGE, 0), "eu_business"),
        (GERMAN, FRENCH_FIRM, AT_HOME, "supplier_unregistered"),
        (GERMAN_FIRM, Party("US"), ABROAD, "outside_eu"),
        (GERMAN, Party("CH"), ABROAD, "outside_eu"),
        (GERMAN_FIRM, Party("GB", "GB980780684"), ABROAD, "outside_eu"),
        (Party("GB"), GERMAN_FIRM, ABROAD, "outside_eu"),
        (Party("CH"), Party("CH"), Tax(Treatment.STANDARD, 810), "domestic"),
        (Party("GB"), Party("GB"), Tax(Treatment.STANDARD, 2_000), "domestic"),
    ],
)
def test_every_row_of_the_decision_table(supplier: Party | None, customer: Party | None, tax: Tax, reason: str) -> None:
    decision = decide(supplier, customer, DAY, unstated=UNSTATED)
    assert (decision.tax, decision.reason) == (tax, reason)
    assert (decision.supplier, decision.customer) == (supplier, customer)


PARTIES = st.none() | st.builds(
    Party,
    country=st.sampled_from(sorted({*RATES, "US", "NO"})),
    vat_id=st.none() | st.just("a number"),
    small_business=st.booleans(),
)


@given(PARTIES, PARTIES)
def test_whoever_checks_a_receipt_decides_the_same_without_sharing_code(
    supplier: Party | None, customer: Party | None
) -> None:
    decision = decide(supplier, customer, DAY, unstated=UNSTATED)
    column = columns(decision)
    sides = {
        side: {"country": column[f"{side}_country"], "vat_id": column[f"{side}_vat_id"]}
        for side in ("supplier", "customer")
    }
    again = taxed_as({"reason": decision.reason, **sides})
    assert again == (None if supplier is None else (column["tax_mode"], decision.reason))


@given(PARTIES, PARTIES)
def test_reverse_charge_stands_on_two_numbers_of_two_member_states(
    supplier: Party | None, customer: Party | None
) -> None:
    decision = decide(supplier, customer, DAY, unstated=UNSTATED)
    if decision.tax.treatment is Treatment.REVERSE_CHARGE:
        assert supplier is not None and supplier.vat_id and supplier.country in EU  # noqa: PT018
        assert customer is not None and customer.vat_id and customer.country in EU  # noqa: PT018
        assert supplier.country != customer.country
    assert (decision.tax.treatment is Treatment.STANDARD) == (decision.tax.rate_bps > 0)


def test_every_reason_is_reached() -> None:
    given = [None, *(Party(c, n, s) for c in ("DE", "FR", "US") for n in (None, "a number") for s in (False, True))]
    seen = {decide(one, other, DAY, unstated=UNSTATED).reason for one in given for other in given}
    assert seen == set(Reason)


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
