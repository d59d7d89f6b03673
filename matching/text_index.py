"""The inverted index: BM25 and word likelihoods over documents in numbered slots, in process (no I/O)."""

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np

from matching.ranker import Floats, Ints

K1 = 1.2
B = 0.75
MOST_TERMS = 48  # a question of 4,000 characters costs no more than a long paragraph
PRIOR_WORDS = 500  # of the market's language are added to each document before its words are counted


class TextIndex:
    """Documents live in slots; a removed one keeps its postings but leaves every count, so all processes agree."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._slots: list[array[int]] = []  # per term: in which slots it occurs …
        self._times: list[array[int]] = []  # … and how often in each
        self._documents: Counter[int] = Counter()  # per term: in how many living documents
        self._occurrences: Counter[int] = Counter()  # per term: how often in all of them
        self._terms_of: dict[int, tuple[array[int], array[int]]] = {}
        self._lengths = array("i")
        self._total_length = 0

    def add(self, slot: int, terms: Iterable[str]) -> None:
        """Put a document into the next free slot; slots are given out in order."""
        assert slot == len(self._lengths), "slots are never reused"
        counts = Counter(terms)
        ids = array("i")
        for term, times in counts.items():
            key = self._ids.setdefault(term, len(self._ids))
            if key == len(self._slots):
                self._slots.append(array("i"))
                self._times.append(array("i"))
            self._slots[key].append(slot)
            self._times[key].append(times)
            self._documents[key] += 1
            self._occurrences[key] += times
            ids.append(key)
        self._terms_of[slot] = (ids, array("i", counts.values()))
        self._lengths.append(counts.total())
        self._total_length += counts.total()

    def remove(self, slot: int) -> None:
        """Take a document out of all counts; the caller no longer asks for this slot."""
        for key, times in zip(*self._terms_of.pop(slot), strict=True):
            self._documents[key] -= 1
            self._occurrences[key] -= times
        self._total_length -= self._lengths[slot]

    def score(self, terms: Iterable[str]) -> Floats:
        """BM25 of every slot (Robertson and Zaragoza 2009, with Lucene's non-negative idf)."""
        scores = np.zeros(len(self._lengths))
        if not self._terms_of or not self._total_length:
            return scores
        average = self._total_length / len(self._terms_of)
        lengths = np.array(self._lengths)
        for key in self._rarest(terms):
            slots, times = np.array(self._slots[key]), np.array(self._times[key])
            idf = self._idf(self._documents[key])
            scores[slots] += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * lengths[slots] / average))
        return scores

    def similarity(self, terms: Iterable[str]) -> Floats:
        """BM25 of every slot as a share of what a document would score that says ``terms`` and nothing else, 0 to 1."""
        asked = sorted(set(terms))
        scores = self.score(asked)
        if not scores.any():
            return scores
        average = self._total_length / len(self._terms_of)
        idf = sum(heapq.nlargest(MOST_TERMS, (self._idf(self._documents_with(term)) for term in asked)))
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
        scores -= len(asked) * np.log1p(np.array(self._lengths) / PRIOR_WORDS)
        for key in asked:
            expected = PRIOR_WORDS * self._occurrences[key] / self._total_length
            scores[np.array(self._slots[key])] += np.log1p(np.array(self._times[key]) / expected)
        return scores / len(asked)

    def _idf(self, documents: int) -> float:
        living = len(self._terms_of)
        return float(np.log(1 + (living - documents + 0.5) / (documents + 0.5)))

    def _documents_with(self, term: str) -> int:
        key = self._ids.get(term)
        return 0 if key is None else self._documents[key]

    def _rarest(self, terms: Iterable[str]) -> list[int]:
        """The terms that say most, in one order everywhere (so that floating sums agree to the last bit)."""
        known = ((self._documents[self._ids[term]], term) for term in set(terms) if term in self._ids)
        return [self._ids[term] for _, term in heapq.nsmallest(MOST_TERMS, (pair for pair in known if pair[0]))]

    def slots_with(self, terms: Iterable[str]) -> Ints:
        """The slots in which any of ``terms`` occurs, each once, removed ones included."""
        keys = [self._ids[term] for term in terms if term in self._ids]
        found = [np.array(self._slots[key], dtype=np.int64) for key in keys]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int64)
