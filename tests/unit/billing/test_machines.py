"""The tables of money: what is not in them raises and changes nothing."""

from itertools import product
from typing import Any

import pytest

from billing.charges import charge, command, hold, increment
from core.errors import IllegalMove

MACHINES: list[Any] = [charge, hold, command, increment]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_move_that_is_not_in_the_table_is_refused(machine: Any) -> None:
    for state, move in product(machine.State, machine.Move):
        if (state, move) in machine.MOVES:
            assert machine.advance(state, move) is machine.MOVES[state, move]
        else:
            with pytest.raises(IllegalMove):
                machine.advance(state, move)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_final_state_is_never_left(machine: Any) -> None:
    assert {state for state, _ in machine.MOVES}.isdisjoint(machine.FINAL)


def test_a_late_message_moves_a_hold_only_along_the_table() -> None:
    for (state, _status), move in hold.TOLD.items():
        assert (state, move) in hold.MOVES


def test_money_taken_without_our_asking_is_noticed() -> None:
    assert hold.contradicts(hold.State.RELEASING, "succeeded")
    assert not hold.contradicts(hold.State.CAPTURING, "succeeded")
    assert not hold.contradicts(hold.State.CAPTURED, "succeeded")


def test_pauses_grow_and_have_a_limit() -> None:
    pauses = [command.pause(attempts, 0.5, hurried=False).total_seconds() for attempts in range(40)]
    assert pauses == sorted(pauses)
    assert pauses[-1] <= command.LONGEST_PAUSE_S
    assert command.pause(40, 0.99, hurried=True).total_seconds() <= command.HURRIED_PAUSE_S


def test_a_sender_that_comes_back_after_its_lease_finds_its_command_unknown_already() -> None:
    for move in (command.Move.LOSE, command.Move.POSTPONE):
        assert command.advance(command.State.UNKNOWN, move) is command.State.UNKNOWN
