"""What an explanation counts of somebody's past: stored answers to questions like this one, and those of late."""

import pytest

from matching.questions.ranking import query_of
from matching.ranking.index.consultant_facts import Record
from matching.ranking.index.consultant_index import ConsultantIndex
from matching.ranking.index.memory import LATELY_DAYS, Past
from tests.unit.matching.test_ranking import facts

TODAY = 1_000.25
ASKED = "Kubernetes pods keep restarting after the upgrade"
LIKE = "Pods keep restarting after a Kubernetes upgrade"
OTHER = "Which soil do tomatoes like in spring"


class Story:
    """An index with one consultant, and what they answered."""

    def __init__(self) -> None:
        self.index = ConsultantIndex()
        self.index.day = TODAY
        self.one = facts("one", headline="Somebody")
        self.index.apply(self.one)

    def answered(
        self, key: int, text: str, *, day: float = TODAY - 1, question: int | None = None, weight: float = 1
    ) -> None:
        person = self.index.person(self.one.user_id)
        asked = key if question is None else question
        self.index.learn(Past(key, asked, text, person, day, weight, good=weight > 0))

    def record(self) -> Record:
        return self.index.record(query_of(ASKED, (), "en", None, None), self.one.user_id)


@pytest.fixture
def story() -> Story:
    return Story()


def test_somebody_without_a_past_has_an_empty_record(story: Story) -> None:
    assert story.record() == Record()
    assert story.index.record(query_of(ASKED, (), "en", None, None), facts("nobody").user_id) == Record()


def test_only_good_answers_to_questions_like_this_one_are_similar(story: Story) -> None:
    for n in range(3):
        story.answered(n, LIKE)
    story.answered(10, OTHER)
    story.answered(11, LIKE, weight=0)
    assert story.record() == Record(similar=3, lately=4)


def test_a_question_that_was_talked_about_twice_is_one_question(story: Story) -> None:
    story.answered(1, LIKE)
    story.answered(2, LIKE, question=1)
    assert story.record() == Record(similar=1, lately=1)


def test_an_answer_of_long_ago_is_similar_still_but_not_of_late(story: Story) -> None:
    story.answered(1, LIKE, day=TODAY - LATELY_DAYS - 0.01)
    assert story.record() == Record(similar=1)
    story.answered(2, OTHER, day=TODAY - LATELY_DAYS + 0.01)
    assert story.record() == Record(similar=1, lately=1)
