"""Keyword extraction: which known tags a text is about, and which of its words carry it (no I/O)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matching.language.vocabulary import SYNONYMS
from matching.language.words import is_stop_word, normal_tag, stem, words

LONGEST_PHRASE = 4
Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Keywords:
    """What a text is about: tags of the vocabulary, best first, and its own telling words."""

    tags: tuple[str, ...]
    keywords: tuple[str, ...]


class Vocabulary:
    """The known tags and every phrase that means one of them, compared by English and German stems."""

    def __init__(self, tags: Iterable[str] = (), synonyms: Mapping[str, tuple[str, ...]] = SYNONYMS) -> None:
        self._tags_of: dict[Stems, set[str]] = {}
        for tag, phrases in synonyms.items():
            for phrase in (tag, *phrases):
                self._learn(phrase, tag)
        for tag in tags:
            self._learn(tag, tag)

    def _learn(self, phrase: str, tag: str) -> None:
        for key in _keys(words(phrase)):
            self._tags_of.setdefault(key, set()).add(normal_tag(tag))

    def extract(self, text: str, *, limit: int = 8) -> Keywords:
        """Find the tags named in ``text`` (longest phrase first, most often named first) and its telling words."""
        found = words(text)
        counts: Counter[str] = Counter()
        position = 0
        while position < len(found):
            width, tags = self._longest_at(found, position)
            counts.update(tags)
            position += width
        first = {tag: n for n, tag in enumerate(counts)}
        ranked = sorted(counts, key=lambda tag: (-counts[tag], first[tag]))
        return Keywords(tags=tuple(ranked[:limit]), keywords=_telling(found))

    def _longest_at(self, found: list[str], position: int) -> tuple[int, set[str]]:
        for width in range(min(LONGEST_PHRASE, len(found) - position), 0, -1):
            phrase = found[position : position + width]
            if width == 1 and is_stop_word(phrase[0]):
                break
            tags = {tag for key in _keys(phrase) for tag in self._tags_of.get(key, ())}
            if tags:
                return width, tags
        return 1, set()

    def suggest(self, prefix: str, *, limit: int = 20) -> list[str]:
        """Tags that begin with ``prefix`` or have a word that does, in alphabetical order."""
        wanted = normal_tag(prefix)
        every = {tag for tags in self._tags_of.values() for tag in tags}
        hits = (tag for tag in every if tag.startswith(wanted) or f" {wanted}" in tag)
        return sorted(hits, key=lambda tag: (not tag.startswith(wanted), tag))[:limit]


def _keys(phrase: list[str]) -> set[Stems]:
    """The phrase by English and by German stems: either may be the language of the question."""
    return {tuple(stem(word) for word in phrase), tuple(stem(word, "de") for word in phrase)} - {()}


def _telling(found: list[str], *, limit: int = 12) -> tuple[str, ...]:
    told = Counter(word for word in found if not is_stop_word(word) and not word.isdigit())
    first = {word: n for n, word in enumerate(told)}
    return tuple(sorted(told, key=lambda word: (-told[word], first[word]))[:limit])
