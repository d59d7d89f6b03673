"""The learned model: fitting finds what made answers good, keeps its promises, and is data that can be stored."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.errors import Invalid
from matching.learning.training import Sample, calibration_error, chances, fit, measure
from matching.ranking.model import Calibration, Feature, Model, Span

FEATURES = (Feature("skill", "expertise"), Feature("stars", "feedback"), Feature("noise", "delivery_history"))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def market(seed: int, questions: int = 400, candidates: int = 12) -> list[Sample]:
    """Questions whose answer follows the skill (2) and the stars (1), never the noise; drawn, not decided."""
    rng = np.random.default_rng(seed)
    samples = []
    for n in range(questions):
        features = rng.normal(size=(candidates, 3))
        utility = 2 * features[:, 0] + features[:, 1]
        shares = np.exp(utility) / np.exp(utility).sum()
        grades = np.zeros(candidates, dtype=np.int64)
        grades[rng.choice(candidates, p=shares)] = 3
        samples.append(Sample(features, grades, BEGIN + timedelta(hours=n)))
    return samples


def test_it_finds_the_weights_that_made_the_market() -> None:
    model = fit(market(1, 2_000), version="test-1", features=FEATURES, ridge=1)
    assert model.weights == pytest.approx((2, 1, 0), abs=0.15)


def test_it_beats_chance_on_questions_it_never_saw_and_foretells_how_often_it_is_right() -> None:
    model = fit(market(1), version="test-1", features=FEATURES)
    seen = measure(model, market(2))
    blind = Model("blind", FEATURES, (0.0, 0.0, 0.0), model.spans, Calibration(0, 0, 0))
    assert seen.mrr10 > measure(blind, market(2)).mrr10 + 0.3
    assert seen.calibration_error < 0.02
    assert seen.calibration_error_top3 < 0.05


def test_no_weight_falls_below_its_floor() -> None:
    harmful = [Sample(-sample.features, sample.grades, sample.at) for sample in market(1)]
    floored = (Feature("skill", "expertise", floor=0.3), *FEATURES[1:])
    assert fit(harmful, version="test-1", features=floored).weights[:2] == (0.3, 0.0)


def test_a_feature_nobody_has_keeps_its_floor() -> None:
    silent = [Sample(np.column_stack([s.features[:, :2], np.zeros(12)]), s.grades, s.at) for s in market(1)]
    features = (*FEATURES[:2], Feature("tags", "delivery_history", floor=0.7))
    assert fit(silent, version="test-1", features=features).weights[2] == 0.7


def test_the_same_samples_give_the_same_bytes_and_the_bytes_the_same_model() -> None:
    model = fit(market(1), version="test-1", features=FEATURES)
    assert fit(market(1), version="test-1", features=FEATURES).to_json() == model.to_json()
    assert Model.from_json(model.to_json()) == model


def test_a_perfect_order_measures_one_and_ties_go_to_the_earlier() -> None:
    model = Model("one", FEATURES[:1], (1.0,), {"expertise": Span(0, 1)})
    right = Sample(np.array([[0.0], [2.0], [1.0]]), np.array([0, 3, 1]), BEGIN)
    found = measure(model, [right])
    assert (found.mrr10, found.ndcg10, found.recall10, found.hit3) == (1, 1, 1, 1)
    tied = Sample(np.zeros((4, 1)), np.array([0, 0, 0, 1]), BEGIN)
    assert measure(model, [tied]).mrr10 == 0.25
    assert measure(model, [tied]).hit3 == 0


def test_one_model_tells_the_same_chance_alone_and_among_many() -> None:
    model = fit(market(1), version="test-1", features=FEATURES)
    utilities = market(2)[0].features @ np.array(model.weights)
    crowd = float(np.log(np.exp(utilities).sum()))
    alone = [model.calibration.p_success(float(utility), crowd) for utility in utilities]
    assert chances(model, utilities) == pytest.approx(alone)


def test_calibration_error_is_the_distance_of_told_and_true() -> None:
    assert calibration_error(np.full(100, 0.8), np.arange(100) % 2 == 0) == pytest.approx(0.3)
    assert calibration_error(np.full(100, 0.5), np.arange(100) % 2 == 0) == pytest.approx(0.0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "x", "features": 3}'])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Model.from_json(text)


def test_nothing_is_learned_from_questions_nobody_answered() -> None:
    with pytest.raises(Invalid):
        fit([Sample(np.ones((3, 3)), np.zeros(3, dtype=np.int64), BEGIN)], version="x", features=FEATURES)
