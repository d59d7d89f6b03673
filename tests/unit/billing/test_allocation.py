"""Several holds, one amount: the parts always sum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.charges.allocation import allocate, coverable_minor
from core.money import MINIMUM_CHARGE_MINOR, Currency, commission_minor


@given(st.sampled_from(Currency), st.lists(st.integers(100, 100_000), min_size=1, max_size=5), st.data())
def test_parts_sum_stay_within_holds_and_never_fall_below_the_minimum(
    currency: Currency, holds: list[int], data: st.DataObject
) -> None:
    gross = data.draw(st.integers(MINIMUM_CHARGE_MINOR[currency], sum(holds)))
    parts = allocate(currency, gross, 1_500, holds)
    assert sum(part.amount_minor for part in parts) == gross
    assert sum(part.fee_minor for part in parts) == commission_minor(gross, 1_500)
    for part, held in zip(parts, holds, strict=True):
        assert 0 <= part.fee_minor <= part.amount_minor <= held
        assert part.amount_minor == 0 or part.amount_minor >= MINIMUM_CHARGE_MINOR[currency]


def test_more_than_the_holds_is_never_taken() -> None:
    with pytest.raises(ValueError, match="cover"):
        allocate(Currency.EUR, 101, 1_500, [100])


def test_small_holds_never_give_a_crumb_that_stripe_refuses() -> None:
    assert coverable_minor(Currency.EUR, 51, [50, 50]) == 50
    assert [part.amount_minor for part in allocate(Currency.EUR, 50, 1_500, [50, 50])] == [50, 0]
    assert [part.amount_minor for part in allocate(Currency.EUR, 61, 1_500, [60, 200])] == [0, 61]
    assert coverable_minor(Currency.EUR, 49, [50]) == 0
    with pytest.raises(ValueError, match="cover"):
        allocate(Currency.EUR, 51, 1_500, [50, 50])
