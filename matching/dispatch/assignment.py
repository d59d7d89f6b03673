"""The assignment problem, solved exactly: who of many goes to whom, for the greatest sum of values (pure).

Shortest augmenting paths with potentials (Kuhn 1955, Munkres 1957; in the form of Jonker and Volgenant 1987). Our
problems are small, so forty lines here weigh less than a numerical library (ADR 0015).
"""

from collections.abc import Sequence
from math import inf

Values = Sequence[Sequence[float | None]]


def assign(values: Values) -> list[int | None]:
    """The column of every row, or None for a row that is left over; no column is given twice.

    ``values``: rows x columns, None where a pair is impossible. As many rows as possible are served; among those
    assignments the one with the greatest sum is taken. Equal sums: the same input gives the same answer.
    """
    columns = len(values[0]) if values else 0
    costs = _costs(values, columns)
    owner = _solve(costs, columns + len(values))
    found: list[int | None] = [None] * len(values)
    for column in range(columns):
        row = owner[column]
        if row is not None:
            found[row] = column
    return found


def _costs(values: Values, columns: int) -> list[list[float]]:
    """Costs to make least; each row has one more column of its own, for staying alone, dearer than any pairing."""
    size = 1.0 + max((abs(value) for row in values for value in row if value is not None), default=0.0)
    alone = 2 * size * (len(values) + 1)
    spare = len(values)
    return [
        [inf if value is None else size - value for value in row]
        + [alone if other == n else inf for other in range(spare)]
        for n, row in enumerate(values)
        if len(row) == columns
    ]


def _solve(costs: Sequence[Sequence[float]], columns: int) -> list[int | None]:
    """Which row each column belongs to; every row has at least the column of its own, so every row finds one."""
    owner: list[int | None] = [None] * columns
    of_row, of_column = [0.0] * len(costs), [0.0] * columns
    for start in range(len(costs)):
        distance, before, done = [inf] * columns, [-1] * columns, [False] * columns
        row, last, reached = start, -1, 0.0
        while True:
            for column in range(columns):
                if done[column]:
                    continue
                through = reached + costs[row][column] - of_row[row] - of_column[column]
                if through < distance[column]:
                    distance[column], before[column] = through, last
            last = min((column for column in range(columns) if not done[column]), key=distance.__getitem__)
            reached = distance[last]
            done[last] = True
            taken_by = owner[last]
            if taken_by is None:
                break
            row = taken_by
        of_row[start] += reached
        for column in range(columns):
            if done[column] and column != last:
                keeper = owner[column]
                assert keeper is not None
                of_row[keeper] += reached - distance[column]
                of_column[column] -= reached - distance[column]
        while before[last] >= 0:
            owner[last] = owner[before[last]]
            last = before[last]
        owner[last] = start
    return owner
