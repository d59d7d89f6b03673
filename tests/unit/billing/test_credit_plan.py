"""How much of which credit is used: oldest first, never more than was captured, and the rest of one stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.credits.plan import uses
from billing.refunds.plan import Captured, kept_minor, plan, refundable_minor

MINOR = st.integers(1, 100_000)


@pytest.mark.parametrize(
    ("open_minor", "most", "used"),
    [
        ([], 1_650, []),
        ([750], 1_650, [750]),
        ([1_650], 1_650, [1_650]),
        ([2_000], 1_650, [1_650]),
        ([750, 2_000, 300], 1_650, [750, 900, 0]),
        ([750], 0, [0]),
        ([750], -1, [0]),
    ],
)
def test_credits_are_used_oldest_first_and_the_last_one_in_part(
    open_minor: list[int], most: int, used: list[int]
) -> None:
    assert uses(open_minor, most) == used


@given(st.lists(MINOR, max_size=6), st.integers(-5, 300_000))
def test_no_more_is_used_than_there_is_or_than_was_captured(open_minor: list[int], most: int) -> None:
    used = uses(open_minor, most)
    assert all(0 <= one <= amount for one, amount in zip(used, open_minor, strict=True))
    assert sum(used) == min(max(0, most), sum(open_minor))
    begun = [one for one, amount in zip(used, open_minor, strict=True) if one < amount]
    assert not any(begun[1:]), "behind one that is not used up none is touched"


@given(MINOR, st.integers(0, 3_000), st.data())
def test_after_a_credit_both_sides_give_back_in_proportion_and_never_more_than_is_left(
    gross: int, rate_bps: int, data: st.DataObject
) -> None:
    fee = (gross * rate_bps + 5_000) // 10_000
    credited = data.draw(st.integers(0, gross))
    captured = Captured("hold", gross, fee, credited, 0, credited)
    assert refundable_minor([captured]) == gross - credited
    assert kept_minor([captured]) == max(0, fee - credited)
    if credited == gross:
        return
    amount = data.draw(st.integers(1, gross - credited))
    [part] = plan([captured], amount)
    assert part == plan([Captured("hold", gross, fee, 0, 0)], amount)[0], "as if there had been no credit"
