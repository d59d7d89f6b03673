"""Raises: what Stripe's amount tells each of them, and which hold may be asked for more."""

from itertools import product

import pytest

from billing.charges.command import Kind, effect_seen
from billing.charges.increment import MOST, MOVES, Move, State, known_amounts, may_be_raised, told

ASKED, GRANTED, DECLINED, GIVEN_UP, LATE = State


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("seen", range(5))
def test_an_amount_grants_what_it_reaches_and_refuses_nothing(state: State, seen: int) -> None:
    open_ = state in {ASKED, DECLINED, GIVEN_UP}
    for to in range(1, 5):
        assert told(state, to, seen) is (Move.GRANT if open_ and seen >= to else None)


def test_what_is_told_is_always_a_move_of_the_table() -> None:
    for state, to, seen in product(State, range(4), range(4)):
        move = told(state, to, seen)
        assert move is None or (state, move) in MOVES


def test_only_a_raise_somebody_waits_for_is_granted_and_everything_else_is_late() -> None:
    assert [state for state in State if MOVES.get((state, Move.GRANT)) is GRANTED] == [ASKED]
    assert {state for state in State if MOVES.get((state, Move.GRANT)) is LATE} == {DECLINED, GIVEN_UP}


def test_an_intent_may_show_every_amount_that_was_asked_for_and_no_other() -> None:
    assert known_amounts(900, []) == {900}
    assert known_amounts(2_400, [(900, 2_400), (2_400, 3_900)]) == {900, 2_400, 3_900}


def test_only_an_incremental_hold_is_raised() -> None:
    assert may_be_raised(incremental=True, raises=[])
    assert not may_be_raised(incremental=False, raises=[])


@pytest.mark.parametrize("earlier", State)
def test_a_hold_that_once_was_not_raised_is_left_as_it_is(earlier: State) -> None:
    assert may_be_raised(incremental=True, raises=[GRANTED, earlier]) is (earlier is GRANTED)


def test_an_intent_is_raised_as_often_as_stripe_allows() -> None:
    assert may_be_raised(incremental=True, raises=[GRANTED] * (MOST - 1))
    assert not may_be_raised(incremental=True, raises=[GRANTED] * MOST)


def test_a_status_alone_ends_a_raise_only_where_there_is_nothing_left_to_raise() -> None:
    statuses = ("requires_confirmation", "requires_action", "processing", "requires_capture", "succeeded", "canceled")
    assert [status for status in statuses if effect_seen(Kind.INCREMENT, status)] == ["succeeded", "canceled"]
