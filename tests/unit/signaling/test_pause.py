"""The pause's table, and its complement."""

from itertools import product

import pytest

from core.errors import IllegalMove
from signaling.call import Role
from signaling.pause import MOVES, Pause, PauseAction, advance

EVERY = list(product(Pause, PauseAction, (False, True)))


def actor(own: bool) -> Role:
    return Role.CUSTOMER if own else Role.CONSULTANT


@pytest.mark.parametrize(("pause", "action", "own"), [row for row in EVERY if row not in MOVES])
def test_every_row_outside_the_table_is_refused(pause: Pause, action: PauseAction, own: bool) -> None:
    with pytest.raises(IllegalMove):
        advance(pause, action, actor=actor(own), proposer=Role.CUSTOMER)


@pytest.mark.parametrize(("row", "after"), MOVES.items())
def test_every_row_leads_where_it_says(row: tuple[Pause, PauseAction, bool], after: Pause) -> None:
    pause, action, own = row
    assert advance(pause, action, actor=actor(own), proposer=Role.CUSTOMER) is after


def test_nobody_pauses_alone() -> None:
    with pytest.raises(IllegalMove):
        advance(Pause.PROPOSED, PauseAction.AGREE, actor=Role.CUSTOMER, proposer=Role.CUSTOMER)


@pytest.mark.parametrize("role", Role)
def test_either_side_resumes(role: Role) -> None:
    assert advance(Pause.AGREED, PauseAction.RESUME, actor=role, proposer=Role.CUSTOMER) is Pause.NONE
