"""The call's table, and its complement."""

from itertools import product

import pytest

from core.errors import IllegalMove
from signaling.call import MOVES, CloseReason, Move, Role, State, advance, overdue

ILLEGAL = [pair for pair in product(State, Move) if pair not in MOVES]


@pytest.mark.parametrize(("pair", "after"), MOVES.items())
def test_every_row_of_the_table_leads_where_it_says(pair: tuple[State, Move], after: State) -> None:
    assert advance(*pair) is after


@pytest.mark.parametrize(("state", "move"), ILLEGAL)
def test_every_pair_outside_the_table_is_refused(state: State, move: Move) -> None:
    with pytest.raises(IllegalMove):
        advance(state, move)


def test_nothing_leaves_ended() -> None:
    assert all(state is not State.ENDED for state, _ in MOVES)


def test_a_passed_deadline_ends_a_call_for_the_reason_its_state_names() -> None:
    assert overdue(State.INTERRUPTED, media_ready=True) is CloseReason.CONNECTION_LOST
    assert overdue(State.PREPARING, media_ready=True) is CloseReason.NO_SHOW
    assert overdue(State.PREPARING, media_ready=False) is CloseReason.PAYMENT_UNAVAILABLE


def test_who_leaves_is_named() -> None:
    assert Role.CUSTOMER.left is CloseReason.CUSTOMER_LEFT
    assert Role.CONSULTANT.left is CloseReason.CONSULTANT_LEFT
    assert Role.CUSTOMER.other is Role.CONSULTANT
    assert Role.CONSULTANT.other is Role.CUSTOMER
