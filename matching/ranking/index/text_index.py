"""The inverted index: BM25 and word likelihoods over documents in numbered slots, in process (no I/O)."""

import heapq
import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matching.ranking.ranker import Floats, Ints

K1 = 1.2
B = 0.75
MOST_TERMS = 48  # a question of 4,000 characters costs no more than a long paragraph
MOST_TIMES = 255  # that a document is taken to say a word: what a byte holds, and BM25 hardly counts so many
PRIOR_WORDS = 500  # of the market's language are added to each document before its words are counted


class TextIndex:
    """Documents live in slots; a removed one keeps its postings but leaves every count, so all processes agree.

    Everything is kept in arrays of whole numbers: five bytes a word of a document, and four more to take it out again,
    which an index that only grows (``removable=False``) does without.
    """

    def __init__(self, *, removable: bool = True) -> None:
        self._removable = removable
        self._ids: dict[str, int] = {}
        self._slots: list[array[int]] = []  # per term: in which slots it occurs …
        self._times: list[array[int]] = []  # … and how often in each
        self._documents = array("i")  # per term: in how many living documents
        self._occurrences = array("q")  # per term: how often in all of them
        self._said = array("i")  # the terms of all slots, one slot after the other
        self._ends = array("q")  # per slot: where its terms end
        self._lengths = array("i")
        self._repeats = False  # whether any document says a term twice
        self._living = 0
        self._total_length = 0

    def add(self, slot: int, terms: Iterable[str]) -> None:
        """Put a document into the next free slot; slots are given out in order."""
        assert slot == len(self._lengths), "slots are never reused"
        length = 0
        for term, count in Counter(terms).items():
            times = min(count, MOST_TIMES)
            key = self._ids.setdefault(term, len(self._ids))
            if key == len(self._slots):
                self._slots.append(array("i"))
                self._times.append(array("B"))
                self._documents.append(0)
                self._occurrences.append(0)
            self._slots[key].append(slot)
            self._times[key].append(times)
            self._documents[key] += 1
            self._occurrences[key] += times
            self._repeats |= times > 1
            if self._removable:
                self._said.append(key)
            length += times
        self._ends.append(len(self._said))
        self._lengths.append(length)
        self._living += 1
        self._total_length += length

    def remove(self, slot: int) -> bool:
        """Take a document out of all counts, once; the caller no longer asks for this slot.

        True when it said a term that no other living document says.
        """
        assert self._removable
        lonely = False
        for at in range(self._ends[slot - 1] if slot else 0, self._ends[slot]):
            key = self._said[at]
            self._documents[key] -= 1
            self._occurrences[key] -= self._times[key][bisect_left(self._slots[key], slot)]  # slots come in order
            lonely |= not self._documents[key]
        self._living -= 1
        self._total_length -= self._lengths[slot]
        return lonely

    def terms(self) -> list[str]:
        """Every term of a living document, in no particular order."""
        return [term for term, key in self._ids.items() if self._documents[key]]

    def documents(self, term: str) -> int:
        """How many living documents say this term."""
        key = self._ids.get(term)
        return 0 if key is None else self._documents[key]

    def _postings(self, key: int) -> tuple[Ints, NDArray[np.uint8]]:
        """Slots and times of a term; times are read and let go before the next document is added.

        Slots as the numbers numpy looks things up by: each look-up by others would turn them into these first, and
        only by these is ``np.add.at`` quicker than reading, adding and writing back.
        """
        slots = np.frombuffer(self._slots[key], dtype=np.int32).astype(np.int64)
        return slots, np.frombuffer(self._times[key], dtype=np.uint8)

    def score(self, terms: Iterable[str]) -> Floats:
        """BM25 of every slot (Robertson and Zaragoza 2009, with Lucene's non-negative idf)."""
        scores = np.zeros(len(self._lengths))
        asked = self._rarest(terms)
        if not asked or not self._total_length:
            return scores
        average = self._total_length / self._living
        norm = K1 * (1 - B + B * np.frombuffer(self._lengths, dtype=np.int32) / average)
        once = 1 + norm
        for key in asked:
            slots, times = self._postings(key)
            idf = self._idf(self._documents[key])
            if self._repeats:
                np.add.at(scores, slots, idf * times * (K1 + 1) / (times + norm[slots]))
            else:  # the same numbers with less to do: runs of letters are most of what a question is compared by
                np.add.at(scores, slots, idf * (K1 + 1) / once[slots])
        return scores

    def similarity(self, terms: Iterable[str]) -> Floats:
        """BM25 of every slot as a share of what a document would score that says ``terms`` and nothing else, 0 to 1."""
        asked = sorted(set(terms))
        scores = self.score(asked)
        if not scores.any():
            return scores
        average = self._total_length / self._living
        idf = sum(heapq.nlargest(MOST_TERMS, (self._idf(self.documents(term)) for term in asked)))
        own = idf * (K1 + 1) / (1 + K1 * (1 - B + B * len(asked) / average))
        return np.minimum(scores / own, 1.0)

    def likelihood(self, terms: Iterable[str]) -> Floats:
        """How much likelier each slot's document says ``terms`` than all documents do, as a mean log-ratio.

        A language model with a Dirichlet prior (Zhai and Lafferty 2004).
        """
        asked = self._rarest(terms)
        scores = np.zeros(len(self._lengths))
        if not asked or not self._total_length:
            return scores
        scores -= len(asked) * np.log1p(np.frombuffer(self._lengths, dtype=np.int32) / PRIOR_WORDS)
        for key in asked:
            expected = PRIOR_WORDS * self._occurrences[key] / self._total_length
            slots, times = self._postings(key)
            np.add.at(scores, slots, np.log1p(times / expected))
        return scores / len(asked)

    def _idf(self, documents: int) -> float:
        return math.log(1 + (self._living - documents + 0.5) / (documents + 0.5))

    def _rarest(self, terms: Iterable[str]) -> list[int]:
        """The terms that say most, in one order everywhere (so that floating sums agree to the last bit)."""
        known = ((self._documents[self._ids[term]], term) for term in set(terms) if term in self._ids)
        return [self._ids[term] for _, term in heapq.nsmallest(MOST_TERMS, (pair for pair in known if pair[0]))]

    def slots_with(self, terms: Iterable[str]) -> Ints:
        """The slots in which any of ``terms`` occurs, each once, removed ones included."""
        keys = [self._ids[term] for term in terms if term in self._ids]
        found = [np.array(self._slots[key], dtype=np.int64) for key in keys]
        if len(found) == 1:
            return found[0]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
