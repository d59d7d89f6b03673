"""The rule of trust: everything in order, and each single thing that speaks against it."""

from dataclasses import replace

import pytest

from billing.trust.rule import PAID_CALLS, Doubt, Record, doubts

GOOD = Record(
    card=True, paid_calls=PAID_CALLS, owes=False, declined=0, hold_missed=0, disputed=0, collected=0, given_back=0
)


def test_who_paid_for_three_calls_and_has_nothing_against_them_is_trusted() -> None:
    assert doubts(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"card": False}, Doubt.NO_CARD),
        ({"paid_calls": PAID_CALLS - 1}, Doubt.FEW_PAID_CALLS),
        ({"owes": True}, Doubt.OWES),
        ({"declined": 1}, Doubt.DECLINED),
        ({"hold_missed": 1}, Doubt.HOLD_MISSED),
        ({"disputed": 1}, Doubt.DISPUTED),
        ({"collected": 1}, Doubt.COLLECTED),
        ({"given_back": 1}, Doubt.GIVEN_BACK),
    ],
)
def test_one_thing_is_enough_to_lose_it(change: dict[str, int | bool], doubt: Doubt) -> None:
    assert doubts(replace(GOOD, **change)) == (doubt,)
