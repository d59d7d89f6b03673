"""The inverted index: BM25 over documents in numbered slots, in process (no I/O)."""

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np

from matching.ranker import Floats, Ints

K1 = 1.2
B = 0.75
MOST_TERMS = 48  # a question of 4,000 characters costs no more than a long paragraph


class TextIndex:
    """Documents live in slots; a removed one keeps its postings but leaves every count, so all processes agree."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._slots: list[array[int]] = []  # per term: in which slots it occurs …
        self._times: list[array[int]] = []  # … and how often in each
        self._documents: Counter[int] = Counter()  # per term: in how many living documents
        self._terms_of: dict[int, array[int]] = {}
        self._lengths = array("q")
        self._total_length = 0

    def add(self, slot: int, terms: Iterable[str]) -> None:
        """Put a document into the next free slot; slots are given out in order."""
        assert slot == len(self._lengths), "slots are never reused"
        counts = Counter(terms)
        ids = array("q")
        for term, times in counts.items():
            key = self._ids.setdefault(term, len(self._ids))
            if key == len(self._slots):
                self._slots.append(array("q"))
                self._times.append(array("q"))
            self._slots[key].append(slot)
            self._times[key].append(times)
            self._documents[key] += 1
            ids.append(key)
        self._terms_of[slot] = ids
        self._lengths.append(counts.total())
        self._total_length += counts.total()

    def remove(self, slot: int) -> None:
        """Take a document out of all counts; the caller no longer asks for this slot."""
        for key in self._terms_of.pop(slot):
            self._documents[key] -= 1
        self._total_length -= self._lengths[slot]

    def score(self, terms: Iterable[str]) -> Floats:
        """BM25 of every slot (Robertson and Zaragoza 2009, with Lucene's non-negative idf)."""
        scores = np.zeros(len(self._lengths))
        living = len(self._terms_of)
        if not living or not self._total_length:
            return scores
        lengths = np.array(self._lengths)
        average = self._total_length / living
        for key in self._rarest(terms):
            slots, times = np.array(self._slots[key]), np.array(self._times[key])
            documents = self._documents[key]
            idf = np.log(1 + (living - documents + 0.5) / (documents + 0.5))
            scores[slots] += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * lengths[slots] / average))
        return scores

    def _rarest(self, terms: Iterable[str]) -> list[int]:
        """The terms that say most, in one order everywhere (so that floating sums agree to the last bit)."""
        known = ((self._documents[self._ids[term]], term) for term in set(terms) if term in self._ids)
        return [self._ids[term] for _, term in heapq.nsmallest(MOST_TERMS, (pair for pair in known if pair[0]))]

    def slots_with(self, terms: Iterable[str]) -> Ints:
        """The slots in which any of ``terms`` occurs, each once, removed ones included."""
        keys = [self._ids[term] for term in terms if term in self._ids]
        found = [np.array(self._slots[key], dtype=np.int64) for key in keys]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
