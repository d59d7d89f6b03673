"""Text people typed: one form, no hidden characters, and markup left alone as the characters it is."""

import pytest

from people.text import clean, clean_line, clean_tag


def test_equal_looking_texts_become_equal() -> None:
    assert clean("Zu\u0308rich") == clean("Zürich")


@pytest.mark.parametrize(
    "hidden", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\u200f", "\u200b", "\ufeff"]
)
def test_control_and_direction_characters_are_removed(hidden: str) -> None:
    assert clean(f"An{hidden}na") == "Anna"


def test_line_ends_become_one_kind_and_paragraphs_stay() -> None:
    assert clean(" a\r\nb\rc\n\nd\t ") == "a\nb\nc\n\nd"


def test_a_line_has_no_line_ends() -> None:
    assert clean_line("  Anna \n of\tKöln ") == "Anna of Köln"


def test_a_tag_is_lower_case_without_hash() -> None:
    assert clean_tag("  #Tax  Law ") == "tax law"


@pytest.mark.parametrize("markup", ["<b>bold</b>", "&lt;", "a < b && c > d", "<script>alert(1)</script>"])
def test_markup_is_text_and_stays_as_typed(markup: str) -> None:
    assert clean(markup) == markup


def test_emoji_joined_from_several_survive() -> None:
    assert clean("👩‍👧") == "👩‍👧"
