"""The hours and the days of the week at which somebody answers."""

from uuid import UUID

import numpy as np
import pytest

from matching.questions.ranking import query_of
from matching.ranking.feature_names import ACTIVITY_HALF_LIVES, NAMES
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.memory import Memory, Past, Recollection
from matching.ranking.ranker import Query
from tests.unit.matching.test_ranking import facts

WEEKS = 30
HOUR = 1 / 24
NIGHT, NOON = 2 * HOUR, 12 * HOUR
OWL, LARK, NOBODY = range(3)


def past(person: int, day: float) -> Past:
    return Past((person, day), (person, day), "Pods restart", person, day, 1.0, good=True)


def recalled(memory: Memory, day: float) -> Recollection:
    return memory.recall("Pods restart", None, day=day, people=3)


def clock() -> Memory:
    """Somebody who answers at night and somebody who answers at noon, both on every day."""
    memory = Memory()
    for day in range(7 * WEEKS):
        memory.learn(past(OWL, day + NIGHT))
        memory.learn(past(LARK, day + NOON))
    return memory


def times(found: Recollection, kind: str, person: int) -> float:
    return float(getattr(found, kind)[found.rows[person]])


def test_at_night_who_answers_at_night_is_expected_and_at_noon_who_answers_at_noon() -> None:
    memory, today = clock(), 7.0 * WEEKS
    night, noon = recalled(memory, today + NIGHT), recalled(memory, today + NOON)
    assert times(night, "hours", OWL) > 1 > times(night, "hours", LARK)
    assert times(noon, "hours", LARK) > 1 > times(noon, "hours", OWL)
    assert times(night, "weekdays", OWL) == pytest.approx(times(night, "weekdays", LARK), rel=0.02)


def test_what_is_recalled_is_that_of_its_moment_whatever_was_asked_before() -> None:
    memory, today = clock(), 7.0 * WEEKS
    for day in (today + NIGHT, today + NOON, today + 100, today / 2 + NOON, today + NOON):  # to come: half of them
        asked_before, fresh = recalled(memory, day), recalled(clock(), day)
        for name in ("hours", "weekdays", "good"):
            assert np.array_equal(getattr(asked_before, name), getattr(fresh, name))
        for name in ("votes", "best", "mean", "activity"):
            some, others = getattr(asked_before, name), getattr(fresh, name)
            assert all(np.array_equal(some[key], others[key]) for key in others)


def test_an_answer_counts_half_after_its_half_life_and_what_is_learned_counts_at_once() -> None:
    memory = Memory()
    memory.learn(past(OWL, 10.25))
    for life in ACTIVITY_HALF_LIVES:
        now, later = (recalled(memory, day).activity[life].sum() for day in (10.25, 10.25 + life))
        assert (now, later) == (pytest.approx(1), pytest.approx(0.5))
        assert recalled(memory, 9.0).activity[life].sum() == 1, "as if it were of that moment"
    memory.learn(past(LARK, 10.25))
    assert recalled(memory, 10.25).activity[ACTIVITY_HALF_LIVES[0]].sum() == pytest.approx(2)


def test_midnight_is_as_near_to_eleven_as_to_one() -> None:
    memory, today = clock(), 7.0 * WEEKS
    before, after = recalled(memory, today + NIGHT - 3 * HOUR), recalled(memory, today + NIGHT + 3 * HOUR)
    assert times(before, "hours", OWL) == pytest.approx(times(after, "hours", OWL), rel=0.02)


def test_who_answers_at_weekends_is_expected_at_weekends() -> None:
    memory = Memory()
    for day in range(7 * WEEKS):
        memory.learn(past(OWL if day % 7 in (0, 1) else LARK, day + NOON))
    weekend, weekday = (recalled(memory, 7.0 * WEEKS + day + NOON) for day in (0, 4))
    assert times(weekend, "weekdays", OWL) > 1 > times(weekend, "weekdays", LARK)
    assert times(weekday, "weekdays", LARK) > 1 > times(weekday, "weekdays", OWL)


def test_nothing_is_expected_of_whom_nothing_is_known_and_little_of_one_answer() -> None:
    memory = clock()
    found = recalled(memory, 7.0 * WEEKS + NIGHT)
    assert times(found, "hours", NOBODY) == times(found, "weekdays", NOBODY) == 1
    memory.learn(past(NOBODY, 7.0 * WEEKS - 1 + NIGHT))
    once = times(recalled(memory, 7.0 * WEEKS + NIGHT), "hours", NOBODY)
    assert 1 < once < 1.2 < times(found, "hours", OWL), "one answer at an hour is no habit"
    assert recalled(Memory(), 0.0).hours.tolist() == [1.0], "and a market without a past says nothing"


def test_the_feature_is_half_for_newcomers_and_never_out_of_range() -> None:
    index = ConsultantIndex()
    for name in ("owl", "lark", "new"):
        index.apply(facts(name))
    for day in range(7 * WEEKS):
        for name, hour in (("owl", NIGHT), ("lark", NOON)):
            index.learn(past(index.person(facts(name).user_id), day + hour))
    index.day = 7 * WEEKS + NIGHT
    query: Query = query_of("Pods restart", (), "en", None, None)
    found = index.ringable(query)
    column = found.measured.matrix()[:, NAMES.index("hours")]
    by_user: dict[UUID, float] = {user: float(column[n]) for n, user in enumerate(found.user_ids)}
    owl, lark, new = (by_user[facts(name).user_id] for name in ("owl", "lark", "new"))
    assert 0 <= lark < new == 0.5 < owl <= 1
    assert np.all(column * 4_096 == np.rint(column * 4_096))
