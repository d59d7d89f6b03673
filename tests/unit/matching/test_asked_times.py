"""The matching benchmark tells days of answers; the hours of the questions follow from their order."""

from typing import Any

import numpy as np

from tests.bench.asked_times import DAY_MINUTES, asked_times

DAYS = 60
A_DAY = 10  # questions
FIRST_NUMBER, STEP = 1_000, 3  # answers are numbered with the questions


def answer(number: int, asked: float, minutes: float) -> dict[str, Any]:
    return {"q": number, "day": str(int(asked + minutes / DAY_MINUTES)), "response_min": minutes}


def told(answers: list[dict[str, Any]]) -> dict[int, float]:
    return asked_times(answers, {each["day"]: float(each["day"]) for each in answers})


def test_the_hour_of_most_questions_is_found_and_their_order_is_kept() -> None:
    chance = np.random.default_rng(1)
    asked = np.sort(chance.uniform(10, 10 + DAYS, DAYS * A_DAY))
    numbers = FIRST_NUMBER + STEP * np.arange(len(asked))
    minutes = chance.exponential(600, len(asked))
    answers = [answer(int(n), day, late) for n, day, late in zip(numbers, asked, minutes, strict=True)]
    found = told(answers)
    assert found.keys() == set(numbers.tolist())
    wrong = np.abs([found[int(n)] - day for n, day in zip(numbers, asked, strict=True)])
    assert np.median(wrong) < 3 / 24
    assert wrong.max() < 1, "the answer's day and delay leave a question one day"
    assert (np.diff([found[int(n)] for n in numbers]) >= -1e-9).all()


def test_a_question_that_came_from_elsewhere_is_left_out() -> None:
    answers = [answer(FIRST_NUMBER + n, 10 + n / A_DAY, 60) for n in range(DAYS * A_DAY)]
    astray = FIRST_NUMBER + DAYS * A_DAY // 2
    answers.append(answer(astray, 11, 5))
    answers = [each for each in answers if each["q"] != astray or each["day"] == "11"]
    assert told(answers).keys() == {each["q"] for each in answers} - {astray}
