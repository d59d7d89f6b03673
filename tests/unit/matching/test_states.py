"""Every move the tables of matching do not have is refused."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
from types import ModuleType

import pytest

from core.errors import IllegalMove
from matching.dispatch import offer, request
from matching.dispatch.request import RingTimes, next_look, rings_wanted
from matching.questions import question

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TIMES = RingTimes()


@pytest.mark.parametrize("machine", [question, offer, request], ids=lambda machine: machine.__name__)
def test_only_the_moves_of_the_table_are_possible(machine: ModuleType) -> None:
    states: type[StrEnum] = machine.State
    moves: type[StrEnum] = machine.Move
    for pair in product(states, moves):
        if pair in machine.MOVES:
            assert machine.advance(*pair) is machine.MOVES[pair]
        else:
            with pytest.raises(IllegalMove):
                machine.advance(*pair)


def test_an_answered_ring_never_changes_again() -> None:
    assert {state for state, _ in offer.MOVES} == {offer.State.RINGING}


def test_one_rings_in_the_first_minute_and_two_afterwards() -> None:
    assert rings_wanted(START, START + timedelta(seconds=59.999), TIMES) == 1
    assert rings_wanted(START, START + timedelta(seconds=60), TIMES) == 2


def look(after: float, *, rings: tuple[float, ...] = (), satisfied: bool = True, promised: bool = False) -> float:
    found = next_look(
        now=START + timedelta(seconds=after),
        created_at=START,
        give_up_at=START + TIMES.patience,
        promise_at=None if promised else START + TIMES.promise,
        rings_until=[START + timedelta(seconds=one) for one in rings],
        satisfied=satisfied,
        times=TIMES,
    )
    return (found - START).total_seconds()


def test_the_next_look_is_at_the_first_thing_that_can_happen() -> None:
    assert look(0, rings=(20,)) == 20
    assert look(50, rings=(70,)) == 60, "two may ring from then on"
    assert look(61, rings=(70, 80)) == 70
    assert look(61, rings=(), satisfied=False) == 63
    assert look(119, rings=(139,)) == 120, "the promise"
    assert look(130, rings=(139,), promised=True) == 139
    assert look(599.5, satisfied=False, promised=True) == 600, "our patience"
