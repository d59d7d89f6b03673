"""The refining question: the one whose answer would part those who come into question best (no I/O)."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matching.ranking.index.consultant_index import one_tag_keys

MOST_CHOICES = 5
FEWEST_CHOICES = 2
LEAST_BITS = 0.25  # a question that hardly parts anybody is not worth the reading

# Kinds of tags: whoever knows one of a kind is asked which. The client has a sentence for each name.
FACETS: dict[str, tuple[str, ...]] = {
    "database": ("postgresql", "sql", "mysql", "mongodb", "redis", "oracle", "sqlite"),
    "cloud": ("aws", "azure", "google cloud", "kubernetes", "docker"),
    "programming": ("python", "java", "javascript", "rust", "php", "c++", "c#", "go", "ruby", "swift"),
    "framework": ("django", "react", "angular", "vue", "spring", "wordpress", "next.js"),
    "platform": ("ios", "android", "linux", "windows", "macos"),
    "law": (
        "employment law", "tenancy law", "family law", "inheritance law", "contract law", "traffic law",
        "property law", "data protection", "trademarks", "copyright", "patents", "immigration", "company formation",
    ),
    "money": ("tax", "crypto tax", "accounting", "investing", "mortgage", "insurance", "startup funding"),
    "business": ("marketing", "sales", "seo", "google ads", "pricing", "project management", "career coaching"),
    "health": ("nutrition", "fitness", "mental health", "parenting"),
}  # fmt: skip
TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class Refining:
    """Ask ``Which <facet>?`` and offer these tags, the most carried first."""

    facet: str
    tags: tuple[str, ...]


def refining(asked: Sequence[str], candidates: Sequence[Iterable[str]]) -> Refining | None:
    """The kind of tag that parts the candidates best and that the question leaves open; None when none does.

    ``asked`` are the question's tags, ``candidates`` the tags of each consultant who comes into question.
    What an answer tells is measured in bits: the entropy of who carries which tag of the kind.
    """
    carried = [{key for tag in tags for key in one_tag_keys(tag)} for tags in candidates]
    known = {key for tag in asked for key in one_tag_keys(tag)}
    best, best_bits = None, LEAST_BITS
    for facet, tags in FACETS.items():
        if known.intersection(tags):
            continue
        bits, found = _parts(tags, carried)
        if bits > best_bits:
            best, best_bits = Refining(facet, found), bits
    return best or _topic(known, carried)


def _topic(known: set[str], carried: Sequence[set[str]]) -> Refining | None:
    """Whatever kind of tag, if no single kind parts them: those that about half of them carry come first."""
    counts = Counter(tag for tags in carried for tag in tags - known)
    some = [tag for tag, count in counts.items() if 0 < count < len(carried)]
    some.sort(key=lambda tag: (abs(2 * counts[tag] - len(carried)), tag))
    bits, found = _parts(some[:MOST_CHOICES], carried)
    return Refining(TOPIC, found) if bits > LEAST_BITS else None


def _parts(tags: Sequence[str], carried: Sequence[set[str]]) -> tuple[float, tuple[str, ...]]:
    """Bits that the answer to *which of these?* gives, and the tags worth offering."""
    groups = Counter(frozenset(each.intersection(tags)) for each in carried)
    counts = Counter(tag for group, count in groups.items() for tag in group for _ in range(count))
    found = tuple(sorted(counts, key=lambda tag: (-counts[tag], tag))[:MOST_CHOICES])
    if len(found) < FEWEST_CHOICES:
        return 0.0, found
    shares = [count / len(carried) for count in groups.values()]
    return -sum(share * math.log2(share) for share in shares), found
