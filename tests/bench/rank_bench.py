"""``./bench rank``: how long one ranking takes with 200, 5,000 and 100,000 consultants online."""

import argparse
import json
import random
import time
from collections.abc import Sequence
from statistics import quantiles
from uuid import UUID

from matching.explanation import reasons
from matching.index import ConsultantFacts, ConsultantIndex
from matching.ranking import TOP, query_of
from matching.vocabulary import SYNONYMS
from matching.weighted import WeightedRanker

SIZES = (200, 5_000, 100_000)
ROUNDS = {200: 400, 5_000: 200, 100_000: 60}
SEED = 7
BIOGRAPHY_WORDS = 40
QUESTION_WORDS = 14
TAGS = sorted(SYNONYMS)
# A language of 20,000 made-up words, used as unevenly as those of a real one (Zipf).
SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ra", "si", "to", "vu")
WORDS = ["".join(SYLLABLES[n // 12**place % 12] for place in range(4)) for n in range(20_000)]
ZIPF = [1 / (rank + 10) for rank in range(len(WORDS))]


def consultant(chance: random.Random, biography: list[str]) -> ConsultantFacts:
    """A consultant of an invented market."""
    count = chance.randrange(60)
    return ConsultantFacts(
        user_id=UUID(int=chance.getrandbits(128)),
        headline=f"{chance.choice(TAGS)} advice",
        biography=" ".join(biography),
        tags=tuple(chance.sample(TAGS, 4)),
        languages=("en", "de") if chance.random() < 0.5 else ("en",),
        rate_minor_per_hour=chance.randrange(3_000, 20_000),
        currency="eur",
        can_receive=True,
        status="available",
        rating_sum=count * 4,
        rating_count=count,
        response_ms=chance.randrange(1_000, 20_000),
        changed_in=1,
    )


def index_of(size: int, chance: random.Random) -> ConsultantIndex:
    """An index of ``size`` consultants, all online."""
    words = chance.choices(WORDS, ZIPF, k=size * BIOGRAPHY_WORDS)
    index = ConsultantIndex()
    for n in range(size):
        index.apply(consultant(chance, words[n * BIOGRAPHY_WORDS : (n + 1) * BIOGRAPHY_WORDS]))
    return index


def rank_once(index: ConsultantIndex, chance: random.Random, everybody: ConsultantFacts) -> float:
    """Milliseconds from a typed question to the explained top five and five alternatives."""
    words = chance.choices(WORDS, ZIPF, k=QUESTION_WORDS)
    text = " ".join([chance.choice(TAGS), *words])
    began = time.perf_counter()
    tags = index.vocabulary.extract(text).tags
    query = query_of(text, tags, "en", "eur", 18_000)
    for _ in WeightedRanker().rank(query, index.ringable(query), 2 * TOP):
        reasons(query, text, everybody)
    return (time.perf_counter() - began) * 1_000


def measure(size: int) -> dict[str, float]:
    """p50 and p99 of one market size, in milliseconds."""
    chance = random.Random(SEED)  # noqa: S311 - the same market every time, no secret
    began = time.perf_counter()
    index = index_of(size, chance)
    load_s = time.perf_counter() - began
    sample = consultant(chance, chance.choices(WORDS, ZIPF, k=BIOGRAPHY_WORDS))
    rank_once(index, chance, sample)  # the vocabulary is read once per process
    times = [rank_once(index, chance, sample) for _ in range(ROUNDS[size])]
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49], 3), "p99_ms": round(cuts[98], 3), "load_s": round(load_s, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print: a table, or one JSON line with ``--json``."""
    parser = argparse.ArgumentParser(prog="bench rank", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    options = parser.parse_args(argv)
    found = {str(size): measure(size) for size in options.sizes}
    if options.json:
        print(json.dumps({"bench": "rank", "model": WeightedRanker.version, "online": found}))  # noqa: T201
        return 0
    for size, times in found.items():
        print(f"{int(size):>8,} online: p50 {times['p50_ms']:.2f} ms, p99 {times['p99_ms']:.2f} ms")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
