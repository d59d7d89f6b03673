"""Of the questions that reached somebody, how many they answered well against how many were to be expected."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.questions.ranking import query_of
from matching.ranking.feature_names import NAMES
from matching.ranking.features import GRAIN
from matching.ranking.index.chances import FEW, FORGOTTEN, HALF_LIFE, Chances, Reached
from matching.ranking.index.consultant_index import ConsultantIndex
from tests.unit.matching.test_ranking import facts

TODAY = 1_000.0
EAGER, SILENT, STRANGER = range(3)
EVERYBODY = np.arange(3)


def reached(expected: tuple[float, float], earned: tuple[float, float]) -> list[Reached]:
    return [Reached(person, expected[person], earned[person]) for person in (EAGER, SILENT)]


def test_who_answers_more_than_expected_is_above_one_and_whoever_leaves_it_to_others_below() -> None:
    chances = Chances()
    for question in range(10):
        chances.learn(question, TODAY, reached((0.1, 0.3), (1.0, 0.0)))
    times = chances.times(EVERYBODY, day=TODAY)
    assert times[EAGER] == pytest.approx((10 + FEW) / (2.5 + FEW))
    assert times[SILENT] == pytest.approx(FEW / (7.5 + FEW))
    assert times[STRANGER] == 1


def test_to_answer_as_expected_changes_nothing_however_often() -> None:
    chances = Chances()
    for question in range(10):
        chances.learn(question, TODAY, reached((0.4, 0.4), (2.0, 2.0)))
    assert chances.times(EVERYBODY, day=TODAY) == pytest.approx(1)


def test_one_question_says_little_and_an_old_one_less() -> None:
    chances = Chances()
    chances.learn("q", TODAY, reached((0.5, 0.5), (1.0, 0.0)))
    now, later = (chances.times(EVERYBODY, day=TODAY + age) for age in (0, HALF_LIFE))
    assert 1 < later[EAGER] < now[EAGER] < 1.2
    assert later[EAGER] == pytest.approx((0.5 + FEW) / (0.25 + FEW))


def test_a_question_that_nobody_answered_well_says_nothing_and_takes_back_what_it_said() -> None:
    chances = Chances()
    chances.learn("q", TODAY, reached((0.5, 0.5), (1.0, 0.0)))
    chances.learn("q", TODAY, reached((0.5, 0.5), (0.0, 0.0)))
    assert chances.times(EVERYBODY, day=TODAY) == pytest.approx(1)


@given(st.permutations(range(5)))
def test_the_order_in_which_questions_are_told_does_not_matter(order: list[int]) -> None:
    told = [(n, TODAY - n, reached((0.1 * (n + 1), 0.5), (float(n % 2), 1.0))) for n in range(5)]
    straight, mixed = Chances(), Chances()
    for one in told:
        straight.learn(*one)
    for n in (*order, *order[:2]):  # and what is told twice counts once
        mixed.learn(*told[n])
    assert mixed.times(EVERYBODY, day=TODAY) == pytest.approx(straight.times(EVERYBODY, day=TODAY))


def test_hundreds_of_questions_are_all_kept() -> None:
    chances = Chances()
    for question in range(500):
        chances.learn(question, TODAY, reached((0.5, 0.5), (1.0, 0.0)))
    assert chances.times(EVERYBODY, day=TODAY)[EAGER] == pytest.approx((500 + FEW) / (250 + FEW))


def feature(chances: Chances, day: float) -> float:
    index = ConsultantIndex()
    index.apply(facts("eager"))
    index.chances, index.day = chances, day
    query = query_of("Pods restart", ("kubernetes",), "en", None, None)
    return float(index.ringable(query).features[0, NAMES.index("beyond_expected")])


def test_what_is_forgotten_would_have_changed_the_feature_by_a_grain_at_most() -> None:
    surprises = Chances()
    for question in range(16):
        surprises.learn(question, TODAY, reached((0.0, 1.0), (1.0, 0.0)))
    assert 0.5 <= feature(surprises, TODAY + FORGOTTEN) <= 0.5 + 1 / GRAIN
    assert feature(surprises, TODAY + FORGOTTEN + 1) == 0.5
    habit, newer = Chances(), Chances()
    for age in range(0, FORGOTTEN + 2_000, 5):
        habit.learn(age, -age, reached((0.1, 0.9), (1.0, 0.0)))
        if age <= FORGOTTEN:
            newer.learn(age, -age, reached((0.1, 0.9), (1.0, 0.0)))
    assert np.array_equal(habit.times(EVERYBODY, day=0.0), newer.times(EVERYBODY, day=0.0)), "however much is known"


def test_the_feature_is_a_half_until_something_is_known_and_follows_the_answers() -> None:
    index = ConsultantIndex()
    people = [facts(name) for name in ("eager", "silent")]
    for one in people:
        index.apply(one)
    index.day = TODAY
    query = query_of("Pods restart", ("kubernetes",), "en", None, None)

    def values() -> dict[object, float]:
        found = index.ringable(query)
        column = found.features[:, NAMES.index("beyond_expected")]
        return dict(zip(found.user_ids, column.tolist(), strict=True))

    assert set(values().values()) == {0.5}
    eager, silent = (index.person(one.user_id) for one in people)
    for question in range(5):
        index.chances.learn(question, TODAY, [Reached(eager, 0.5, 1.0), Reached(silent, 0.5, 0.0)])
    first, second = (values()[one.user_id] for one in people)
    assert first > 0.5 > second
