"""The assignment is the best there is: compared with trying every one."""

import random
from itertools import permutations

from matching.dispatch.assignment import Values, assign


def best_by_trying(values: Values) -> tuple[int, float]:
    """Most rows served, then the greatest sum, over every way to deal the columns out."""
    rows, columns = len(values), len(values[0])
    best = (0, 0.0)
    for dealt in permutations([*range(columns), *[None] * rows], rows):
        pairs = [values[row][column] for row, column in enumerate(dealt) if column is not None]
        worth = [pair for pair in pairs if pair is not None]
        if len(worth) == len(pairs):
            best = max(best, (len(worth), sum(worth)))
    return best


def test_it_is_never_worse_than_the_best_of_all_assignments() -> None:
    chance = random.Random(5)  # noqa: S311 - no secret
    for _ in range(300):
        rows, columns = chance.randint(1, 4), chance.randint(1, 4)
        values = [
            [None if chance.random() < 0.2 else round(chance.uniform(-1, 3), 3) for _ in range(columns)]
            for _ in range(rows)
        ]
        found = assign(values)
        given = [column for column in found if column is not None]
        assert len(set(given)) == len(given), "no column twice"
        worth = [values[row][column] for row, column in enumerate(found) if column is not None]
        assert None not in worth, "no impossible pair"
        served, total = best_by_trying(values)
        assert len(worth) == served
        assert abs(sum(value for value in worth if value is not None) - total) < 1e-9


def test_the_second_best_for_one_lets_both_be_served_well() -> None:
    assert assign([[0.9, 0.8], [0.9, 0.1]]) == [1, 0]


def test_nobody_is_left_over_for_the_sake_of_a_greater_sum() -> None:
    assert assign([[5.0, 0.1], [4.9, None]]) == [1, 0]


def test_without_rows_or_columns_there_is_nothing_to_assign() -> None:
    assert assign([]) == []
    assert assign([[], []]) == [None, None]
