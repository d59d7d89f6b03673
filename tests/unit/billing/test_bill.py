"""Every amount and every boundary of the bill."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.metering.bill import bill, cap_ms, extension_minor
from billing.metering.terms import Policy, Price
from core.money import MINIMUM_CHARGE_MINOR, Currency

PRICE = Price(
    currency=Currency.EUR,
    rate_minor_per_hour=9_000,
    policy=Policy.WHOLE_CALL,
    threshold_ms=600_000,
    cap_minor=4_500,
    commission_bps=1_500,
)
prices = st.builds(
    Price,
    currency=st.sampled_from(Currency),
    rate_minor_per_hour=st.integers(1, 200_000),
    policy=st.sampled_from(Policy),
    threshold_ms=st.just(600_000),
    cap_minor=st.integers(1, 1_000_000),
    commission_bps=st.just(1_500),
)
times = st.one_of(st.integers(0, 8 * 3_600_000), st.integers(599_990, 600_010))


@pytest.mark.parametrize("currency", Currency)
@pytest.mark.parametrize(
    ("policy", "connected_ms", "gross", "billed_ms"),
    [
        (Policy.WHOLE_CALL, 0, 0, 0),
        (Policy.WHOLE_CALL, 599_999, 0, 0),
        (Policy.WHOLE_CALL, 600_000, 1_500, 600_000),
        (Policy.WHOLE_CALL, 600_001, 1_500, 600_001),
        (Policy.WHOLE_CALL, 1_799_999, 4_500, 1_799_999),
        (Policy.WHOLE_CALL, 1_800_000, 4_500, 1_800_000),
        (Policy.WHOLE_CALL, 1_800_001, 4_500, 1_800_000),
        (Policy.AFTER_THRESHOLD, 599_999, 0, 0),
        (Policy.AFTER_THRESHOLD, 600_000, 0, 0),
        (Policy.AFTER_THRESHOLD, 600_001, 0, 0),
        (Policy.AFTER_THRESHOLD, 660_000, 150, 60_000),
        (Policy.AFTER_THRESHOLD, 2_400_000, 4_500, 1_800_000),
        (Policy.AFTER_THRESHOLD, 2_400_001, 4_500, 1_800_000),
    ],
)
def test_the_boundaries(currency: Currency, policy: Policy, connected_ms: int, gross: int, billed_ms: int) -> None:
    due = bill(replace(PRICE, currency=currency, policy=policy), connected_ms)
    assert (due.gross_minor, due.billed_ms) == (gross, billed_ms)


@given(prices, times)
def test_commission_and_share_sum_to_the_gross(price: Price, connected_ms: int) -> None:
    due = bill(price, connected_ms)
    assert due.commission_minor + due.net_minor == due.gross_minor
    assert 0 <= due.commission_minor <= due.gross_minor


@given(prices, times)
def test_never_more_than_the_cap_and_never_less_than_the_minimum(price: Price, connected_ms: int) -> None:
    due = bill(price, connected_ms)
    assert 0 <= due.gross_minor <= price.cap_minor
    assert due.gross_minor == 0 or due.gross_minor >= MINIMUM_CHARGE_MINOR[price.currency]


@given(prices, st.integers(0, 599_999))
def test_a_call_under_ten_minutes_costs_nothing(price: Price, connected_ms: int) -> None:
    assert bill(price, connected_ms).gross_minor == 0


@given(prices, times, st.integers(0, 3_600_000))
def test_talking_longer_never_costs_less(price: Price, connected_ms: int, more_ms: int) -> None:
    assert bill(price, connected_ms).gross_minor <= bill(price, connected_ms + more_ms).gross_minor


@given(prices, st.integers(1, 3_600_000))
def test_past_the_cap_nothing_is_added(price: Price, more_ms: int) -> None:
    at_cap = cap_ms(price)
    assert bill(price, at_cap).gross_minor == bill(price, at_cap + more_ms).gross_minor
    assert bill(price, at_cap).billed_ms == bill(price, at_cap + more_ms).billed_ms


@pytest.mark.parametrize("currency", Currency)
def test_what_the_currency_cannot_charge_is_not_charged(currency: Currency) -> None:
    minimum = MINIMUM_CHARGE_MINOR[currency]
    price = replace(PRICE, currency=currency, rate_minor_per_hour=minimum * 6)
    assert bill(price, 600_000).gross_minor == minimum
    assert bill(replace(price, rate_minor_per_hour=(minimum - 1) * 6), 600_000).gross_minor == 0


def test_a_negative_time_is_a_bug_and_said_so() -> None:
    with pytest.raises(ValueError, match="negative"):
        bill(PRICE, -1)


def test_an_extension_buys_ten_minutes() -> None:
    assert extension_minor(PRICE) == 1_500


@pytest.mark.parametrize("currency", Currency)
def test_an_extension_is_never_so_small_that_two_holds_could_not_share_what_is_due(currency: Currency) -> None:
    assert (
        extension_minor(replace(PRICE, currency=currency, rate_minor_per_hour=1)) == 2 * MINIMUM_CHARGE_MINOR[currency]
    )
