"""Two questions that ask the same are caught; two about the same thing are not."""

import random
import time
from string import ascii_lowercase
from uuid import UUID

import pytest

from matching.questions.duplicates import Asked, duplicate_of

SAME = [
    ("Why is my PostgreSQL query slow since the update?", "My PostgreSQL query is slow since the update"),
    ("My k8s pods keep restarting", "k8s pods keep restarting all the time"),
    ("Wie lange habe ich Zeit für die Steuererklärung 2025?", "Zeit für die Steuererklärung 2025"),
    ("Mieterhöhung: Muss ich zustimmen?", "Muss ich einer Mieterhöhung zustimmen?"),
]
DIFFERENT = [
    ("Why is my PostgreSQL query slow since the update?", "How do I back up a PostgreSQL database?"),
    ("My k8s pods keep restarting", "How many pods fit on a node?"),
    ("Muss ich einer Mieterhöhung zustimmen?", "Wann bekomme ich meine Kaution zurück?"),
    ("What is it?", "How is that?"),
]


def asked(title: str, n: int = 1) -> Asked:
    return Asked(UUID(int=n), title, "")


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_question_in_other_words_is_caught(one: str, other: str) -> None:
    assert duplicate_of(one, "", [asked(other)]) == asked(other)
    assert duplicate_of(other, "", [asked(one)]) == asked(one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another_question_about_the_same_thing_is_not(one: str, other: str) -> None:
    assert duplicate_of(one, "", [asked(other)]) is None
    assert duplicate_of(other, "", [asked(one)]) is None


def test_the_most_similar_one_is_offered() -> None:
    near, nearer = asked("PostgreSQL query is slow", 1), asked("PostgreSQL query slow since update", 2)
    assert duplicate_of("My PostgreSQL query is slow since the update", "", [near, nearer]) == nearer


def test_details_count_too() -> None:
    before = Asked(UUID(int=1), "A question about money", "The tax office wants my receipts of 2024 within a week.")
    text = "The tax office wants my receipts of 2024 within a week."
    assert duplicate_of("Receipts wanted", text, [before]) == before


def test_a_long_text_is_compared_by_its_beginning_and_costs_no_more() -> None:
    begin = "The tax office wants my receipts of 2024 within a week. " * 12
    chance = random.Random(1)  # noqa: S311 - the same text every time
    rest = " ".join("".join(chance.choices(ascii_lowercase, k=6)) for _ in range(40_000))
    before = Asked(UUID(int=1), "A question about money", begin)
    began = time.process_time()
    assert duplicate_of("Receipts wanted", begin + rest, [before]) == before
    assert time.process_time() - began < 1, "to stem all of it takes several seconds"
