"""Replay: a stored match computed again from its stored inputs, by the model version that made it (no I/O)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np

from core.errors import Invalid
from matching.ranking.feature_names import NAMES
from matching.ranking.logistic import LogisticRanker
from matching.ranking.model import Model
from matching.ranking.ranker import COLUMNS, Candidates, Known, Query, Ranked, Ranker
from matching.ranking.weighted import VERSION as WEIGHTED
from matching.ranking.weighted import WeightedRanker

_SCALARS = tuple(name for name in COLUMNS if name != "order")
_BEFORE = {"industry": 0, "style": 0}  # columns that matches of the first ranker did not have


def ranker_of(version: str, models: Mapping[str, Model]) -> Ranker:
    """The ranker a match was made by; raises Invalid for a version nobody kept."""
    if version == WEIGHTED:
        return WeightedRanker()
    if version not in models:
        raise Invalid(f"The model {version} is not among the kept ones.")
    model = models[version]
    return LogisticRanker(lambda: model)


def replayed(
    version: str, inputs: Mapping[str, Any], results: Sequence[Mapping[str, Any]], models: Mapping[str, Model]
) -> list[Ranked]:
    """Whoever the match lists, scored and ordered anew: those who were available first, as it is shown."""
    ranker = ranker_of(version, models)
    query = _query(inputs)
    free = [result for result in results if result["inputs"]["available"]]
    busy = [result for result in results if not result["inputs"]["available"]]
    return [one for part in (free, busy) for one in ranker.rank(query, _candidates(part), len(part))]


def _query(inputs: Mapping[str, Any]) -> Query:
    return Query(
        terms=tuple(inputs["terms"]),
        tags=tuple(inputs["tags"]),
        language=inputs["language"],
        currency=inputs["currency"],
        max_rate_minor_per_hour=inputs["max_rate_minor_per_hour"],
    )


def _candidates(results: Sequence[Mapping[str, Any]]) -> Candidates:
    users = [UUID(result["user_id"]) for result in results]
    stored = [{**_BEFORE, **result["inputs"]} for result in results]
    columns = {name: np.array([each[name] for each in stored]) for name in _SCALARS}
    features = [[each.get("features", {}).get(name, 0.0) for name in NAMES] for each in stored]
    return Candidates(
        user_ids=users,
        order=np.array([user.int >> 64 for user in users], dtype=np.uint64),
        measured=Known(np.array(features, dtype=np.float32).reshape(len(users), len(NAMES))),
        best_bm25=max((each["best_bm25"] for each in stored), default=0.0),
        **columns,
    )
