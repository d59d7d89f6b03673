"""Questions that are refused at the edge, each with its reason: few rules, stated here, that rather let pass (no I/O).

A word is only looked at whole, so Scunthorpe and Wichsenstein pass; an insult counts only where it is thrown at
somebody ("you idiot"), not where it is told of ("my boss called me an idiot") or quoted.
"""

import re
from enum import StrEnum

from core.errors import Invalid

FEWEST_WORDS = 2
FEWEST_LETTERS = 3  # different ones: "aaaaaaaa" says nothing
SHOUTED_WORDS, SHOUTED_LETTERS, LONG_WORD = 4, 20, 6
SHOUTED_PERCENT = 90


class Refusal(StrEnum):
    """Why a question is refused; the client has a sentence for each that says what to do."""

    EMPTY = "question_empty"
    TOO_SHORT = "question_too_short"
    ONLY_LINK = "question_only_link"
    SHOUTED = "question_shouted"
    ABUSIVE = "question_abusive"


MESSAGES = {
    Refusal.EMPTY: "This does not say anything yet. Name the thing and what goes wrong.",
    Refusal.TOO_SHORT: "One word is not enough to find somebody. Say what you want to know about it.",
    Refusal.ONLY_LINK: "A link alone says too little. Write what you want to know about what is behind it.",
    Refusal.SHOUTED: "This is written in capitals only. Write it in normal letters, please.",
    Refusal.ABUSIVE: "This insults somebody. Ask without the insult, please; quote one if the question is about it.",
}

_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# No quote reaches past the next sign that begins one: otherwise a text of such signs would be read to its end for each.
_QUOTED = re.compile(r"\"[^\"]*\"|“[^“”]*”|„[^„“”]*[“”]|»[^«»]*«|«[^«»]*»|(?<!\w)'[^']*'(?!\w)")
_WORD = re.compile(r"[^\W\d_]+")
_INSULT_EN = r"idiots?|morons?|assholes?|bastards?|cunts?|wankers?|dickheads?|retards?|bitch(?:es)?|scum"
_INSULT_DE = r"idioten?|arschl(?:och|öcher)|wichser|hurens(?:ohn|öhne)|fotzen?|schlampen?|vollidioten?"
# Said to somebody: an address in front, or a phrase that is nothing but an insult.
_ABUSE = re.compile(
    rf"\b(?:you(?:\s+are|['\u2019]re)?|ur|u)\s+(?:all\s+|such\s+|an?\s+|fucking\s+|bloody\s+|stupid\s+)*(?:{_INSULT_EN})\b"
    rf"|\b(?:du|ihr)\s+(?:alle\s+|blöde[rs]?\s+|dumme[rs]?\s+|verdammte[rs]?\s+|scheiß\s+)*(?:{_INSULT_DE})\b"
    rf"|\b(?:du\s+bist|ihr\s+seid)\s+(?:alle\s+|doch\s+|ein(?:e|en)?\s+)*(?:{_INSULT_DE})\b"
    r"|\b(?:fuck\s+(?:you|off|u)|go\s+to\s+hell|kill\s+yourself|suck\s+my)\b"
    r"|\b(?:fick\s+dich|fickt\s+euch|verpiss\s+dich|verpisst\s+euch|leck\s+mich\s+am\s+arsch|halt(?:et)?\s+(?:die\s+fresse"
    r"|das\s+maul|deine?\s+fresse|dein\s+maul))\b",
    re.IGNORECASE,
)


def refusal(title: str, details: str = "") -> Refusal | None:
    """The rule this question breaks, the plainest first; None for nearly everything people write."""
    text = f"{title}\n{details}"
    without_links = _LINK.sub(" ", text)
    if len({letter.lower() for letter in text if letter.isalpha()}) < FEWEST_LETTERS:
        return Refusal.EMPTY
    if without_links != text and len(_WORD.findall(without_links)) < FEWEST_WORDS:
        return Refusal.ONLY_LINK
    if _is_one_latin_word(text):
        return Refusal.TOO_SHORT
    if _is_shouted(title):
        return Refusal.SHOUTED
    if _ABUSE.search(_QUOTED.sub(" ", text)):
        return Refusal.ABUSIVE
    return None


def check(title: str, details: str = "") -> None:
    """Raise Invalid, with the rule as its code, when the question is refused."""
    found = refusal(title, details)
    if found is not None:
        raise Invalid(MESSAGES[found], code=found, field="title")


def _is_one_latin_word(text: str) -> bool:
    """Scripts that write without spaces say a whole question in what looks like one word."""
    return len(text.split()) < FEWEST_WORDS and all(ord(letter) < 0x250 for letter in text)  # noqa: PLR2004 - Latin ends


def _is_shouted(title: str) -> bool:
    """Several words, some of them long, all in capitals: acronyms side by side are no shouting."""
    found: list[str] = _WORD.findall(title)
    letters = [letter for word in found for letter in word if letter.upper() != letter.lower()]
    if len(found) < SHOUTED_WORDS or len(letters) < SHOUTED_LETTERS:
        return False
    upper = sum(letter.isupper() for letter in letters)
    long_words = sum(len(word) >= LONG_WORD and word.isupper() for word in found)
    return upper * 100 >= len(letters) * SHOUTED_PERCENT and long_words >= FEWEST_WORDS
