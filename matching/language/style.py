"""Communication style: how plain or technical somebody writes, from the lengths of their words alone (PURE)."""

from typing import Final

from matching.language.words import words

FEW_WORDS: Final = 5  # below that, nothing can be said
UNKNOWN: Final = -1
NEUTRAL: Final = 50
WHOLE_LETTERS: Final = 300  # a difference of three letters in the mean is as far apart as texts are


def style_of(text: str) -> int:
    """The mean length of the text's words in hundredths of a letter, or UNKNOWN."""
    found = words(text)
    return UNKNOWN if len(found) < FEW_WORDS else 100 * sum(map(len, found)) // len(found)
