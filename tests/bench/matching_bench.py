"""``./bench matching``: fits the model on one split of a benchmark and measures the product's ranker on another.

DIR has SPLIT_experts.json.gz and SPLIT_queries.jsonl.gz of both. Nothing is fitted, chosen or tuned on the test split.
``frozen``: profiles and memory as of each split's snapshot. ``streaming``: outcomes of questions asked at least a day
before a question are told to the memory, in the order of time. ``no-model``: frozen, without the sentence encoder.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from matching.learning.training import RIDGE, Metrics, Sample, chances, fit, measure_orders
from matching.ranking.feature_names import FEATURES, LEXICAL, NAMES
from matching.ranking.index import minilm
from matching.ranking.index.encoder import Encoder, Vector
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import Feature, Model
from matching.ranking.ranker import Candidates, Query
from tests.bench.matching_data import Asked, Market, expert_id, read_split

TRACKS = ("frozen", "streaming", "no-model", "streaming-no-model")
A_DAY = 1.0
WEEK = 7.0
ROUNDS = 3  # fits of the streaming track: what was to be expected of whom is told by the one before
CACHE = Path(".data/bench")


class Remembering:
    """An encoder that keeps what it has encoded in a file: a benchmark's titles are the same every time."""

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._file = folder / f"{encoder.version}.npz"
        self._known: dict[str, Vector] = {}
        if self._file.exists():
            with np.load(self._file) as kept:
                self._known = dict(zip(kept["texts"].tolist(), kept["vectors"], strict=True))
        self._new = 0

    @property
    def version(self) -> str:
        return self._encoder.version

    def encode(self, text: str) -> Vector:
        if text not in self._known:
            self._known[text] = self._encoder.encode(text)
            self._new += 1
        return self._known[text]

    def save(self) -> None:
        if self._new:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            vectors = np.stack(list(self._known.values()))
            np.savez(self._file, texts=np.array(list(self._known)), vectors=vectors)


def walk(
    folder: Path, split: str, encoder: Encoder | None, *, streaming: bool, foretold_by: Model | None = None
) -> Iterator[tuple[Asked, Query, Candidates]]:
    """Every question of a split in the order of time with its candidates, as far as was known when it was asked.

    ``foretold_by``: who of those whom a question reached was how likely to answer it well, by this model.
    """
    experts, questions, snapshot = read_split(folder, split)
    market = Market(experts, snapshot, encoder)
    waiting: deque[tuple[Asked, dict[int, float]]] = deque()
    for asked in questions:
        market.index.day = snapshot + (asked.day - snapshot) % WEEK  # frozen: time stands still, the hour is known
        if streaming:
            market.index.day = asked.day
            while waiting and waiting[0][0].day <= asked.day - A_DAY:
                market.tell(*waiting.popleft())
        query = market.query(asked)
        away = {expert_id(user) for user in market.everybody - asked.online}
        candidates = market.index.ringable(query, exclude=away).known()
        if streaming:
            waiting.append((asked, {} if foretold_by is None else foretold(foretold_by, asked, candidates)))
        yield asked, query, candidates


def foretold(model: Model, asked: Asked, candidates: Candidates) -> dict[int, float]:
    """P(success) of everybody a question reached, by number."""
    columns = [NAMES.index(name) for name in model.names]
    told = chances(model, candidates.features[:, columns].astype(np.float64) @ np.array(model.weights))
    number = {expert_id(user): user for user in asked.online}
    return {number[user]: float(chance) for user, chance in zip(candidates.user_ids, told, strict=True)}


def grades_of(asked: Asked, candidates: Candidates) -> list[int]:
    """How well each candidate answered."""
    by_id = {expert_id(user): grade for user, grade in asked.grades.items()}
    return [by_id.get(user, 0) for user in candidates.user_ids]


def samples(
    folder: Path,
    split: str,
    encoder: Encoder | None,
    features: Sequence[Feature],
    *,
    streaming: bool,
    foretold_by: Model | None = None,
) -> list[Sample]:
    """A split as something to learn from."""
    columns = [NAMES.index(feature.name) for feature in features]
    return [
        Sample(candidates.features[:, columns].astype(np.float64), np.array(grades_of(asked, candidates)), asked.at)
        for asked, _, candidates in walk(folder, split, encoder, streaming=streaming, foretold_by=foretold_by)
    ]


def fitted(
    folder: Path,
    split: str,
    encoder: Encoder | None,
    features: Sequence[Feature],
    *,
    streaming: bool,
    version: str,
    origin: dict[str, Any],
) -> Model:
    """A model of a split; what was to be expected of whom is foretold by models fitted before it, the first without."""
    model = None
    for _ in range(ROUNDS if streaming else 1):
        known = samples(folder, split, encoder, features, streaming=streaming, foretold_by=model)
        model = fit(known, version=version, features=features, origin=origin)
    assert model is not None
    return model


def test(model: Model, folder: Path, split: str, encoder: Encoder | None, *, streaming: bool) -> Metrics:
    """What the product's ranker makes of a split, in the order it would show."""
    ranker = LogisticRanker(lambda: model)
    orders, grades, told = [], [], []
    for asked, query, candidates in walk(folder, split, encoder, streaming=streaming, foretold_by=model):
        place = {user: n for n, user in enumerate(candidates.user_ids)}
        ranked = ranker.rank(query, candidates, len(candidates))
        order = np.array([place[one.user_id] for one in ranked])
        chances = np.empty(len(order))
        chances[order] = [one.p_success for one in ranked]
        orders.append(order)
        grades.append(np.array(grades_of(asked, candidates)))
        told.append(chances)
    return measure_orders(orders, grades, told)


def main(argv: Sequence[str] | None = None) -> int:
    """Fit, measure and print: readable lines, or one JSON line with ``--json``."""
    parser = argparse.ArgumentParser(prog="bench matching", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the benchmark's files")
    parser.add_argument("--train", default="train", help="the split to fit on")
    parser.add_argument("--test", default="dev", help="the split to measure on")
    parser.add_argument("--track", choices=TRACKS, default="frozen")
    parser.add_argument("--version", default="bench", help="the version a fitted model is called by")
    parser.add_argument("--write", type=Path, help="write the fitted model to this file, as matching/fitted has them")
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    options = parser.parse_args(argv)
    streaming = options.track.startswith("streaming")
    encoder = None
    if not options.track.endswith("no-model"):
        found = minilm.load(CACHE)
        if found is None:
            print("This track needs the packages of requirements-semantic.txt.", file=sys.stderr)  # noqa: T201
            return 1
        encoder = Remembering(found, CACHE)
    features = LEXICAL if encoder is None else FEATURES
    began = time.perf_counter()
    origin = {"split": options.train, "track": options.track, "encoder": encoder.version if encoder else None}
    model = fitted(
        options.data, options.train, encoder, features, streaming=streaming, version=options.version, origin=origin
    )
    found_on_test = test(model, options.data, options.test, encoder, streaming=streaming)
    if encoder:
        encoder.save()
    if options.write:
        options.write.write_text(model.to_json(), "utf-8")
    report = {
        "bench": "matching",
        "track": options.track,
        "train": options.train,
        "test": options.test,
        "model": model.version,
        "settings": {"ridge": RIDGE, "features": len(features), **origin},
        "weights": {
            feature.name: round(weight, 4)
            for feature, weight in zip(model.features, model.weights, strict=True)
            if weight > 0
        },
        "metrics": found_on_test.to_dict(),
        "seconds": round(time.perf_counter() - began, 1),
    }
    if options.json:
        print(json.dumps(report))  # noqa: T201
        return 0
    for name, value in {**report, **asdict(found_on_test)}.items():
        print(f"{name}: {value}")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
