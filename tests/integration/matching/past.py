"""A past for a market: questions with stored matches and outcomes, written as dispatch and the events leave them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import text

from core.db import Database, Tx
from matching.ranking.model import LEARNED_FACTORS, Calibration, Feature, Model, Span

FEATURES = (Feature("words", "expertise"), Feature("record", "delivery_history"))


def model(version: str, words: float, record: float) -> Model:
    """A model of two features."""
    spans = {factor: Span(0, 1) for factor in LEARNED_FACTORS}
    return Model(version, FEATURES, (words, record), spans, Calibration(slope=1.0, crowd=-1.0, intercept=0.0))


@dataclass
class Asked:
    """A question's story; ``good`` is the place in the list of whoever answered it, None for nobody."""

    at: datetime
    candidates: Sequence[Mapping[str, float]]
    good: int | None = 0
    stars: int | None = 5
    refunded: bool = False
    answered_after_s: float | None = 10.0
    p_success: Sequence[float] | None = None
    version: str = "first"
    people: list[UUID] = field(default_factory=list)
    customer: UUID = field(default_factory=uuid4)
    text: str = "A question"

    def __post_init__(self) -> None:
        self.people = self.people or [uuid4() for _ in self.candidates]


async def write(db: Database, stories: Sequence[Asked]) -> None:
    """Store them all."""
    async with db.begin() as tx:
        for story in stories:
            await _write_one(tx, story)


async def _write_one(tx: Tx, story: Asked) -> None:
    question, request, call = uuid4(), uuid4(), uuid4()
    results = [
        {"user_id": str(user), "score_centi": 0, "factors": [], "inputs": {"features": dict(features)}}
        for user, features in zip(story.people, story.candidates, strict=True)
    ]
    for result, chance in zip(results, story.p_success or (), strict=False):
        result["p_success"] = chance
    answered = None if story.answered_after_s is None else story.at + timedelta(seconds=story.answered_after_s)
    values = {
        "question": question,
        "request": request,
        "call": call if answered else None,
        "customer": story.customer,
        "at": story.at,
        "answered": answered,
        "ended": answered + timedelta(minutes=15) if answered else None,
        "version": story.version,
        "results": json.dumps(results),
        "state": "matched" if answered else "exhausted",
        "user": story.people[story.good or 0],
        "offer": uuid4(),
        "offer_state": "accepted" if answered else "missed",
        "good": story.good is not None,
        "ms": 900_000 if story.good is not None else 100_000,
        "stars": story.stars if story.good is not None else None,
        "refunded": story.refunded,
        "text": story.text,
    }
    for statement in _STATEMENTS if answered else _STATEMENTS[:-1]:
        await tx.session.execute(text(statement), values)


_STATEMENTS = (
    """
    INSERT INTO question (id, customer_id, title, details, language, tags, state, created_at, changed_at)
    VALUES (:question, :customer, 'A question of the past', '', 'en', '{}', 'answered', :at, :at)
    """,
    """
    INSERT INTO question_match (question_id, at, purpose, model_version, inputs, results)
    VALUES (:question, :at, 'shown', :version, '{}', CAST(:results AS jsonb))
    """,
    """
    INSERT INTO request (id, customer_id, question_id, idempotency_key, max_rate_minor_per_hour, currency, cap_minor,
                         terms_version, consented_at, state, created_at, promise_at, give_up_at, waiting_over,
                         call_id, call_ended_at)
    VALUES (:request, :customer, :question, :request, 9000, 'eur', 6000, '1', :at, :state, :at, :at, :at, false,
            :call, :ended)
    """,
    """
    INSERT INTO offer (id, request_id, consultant_id, state, rate_minor_per_hour, currency, match_id, score_centi,
                       reasons, created_at, rings_until, answered_at)
    SELECT :offer, :request, :user, :offer_state, 9000, 'eur', max(id), 0, '[]', :at, :at,
           coalesce(:answered, CAST(:at AS timestamptz))
    FROM question_match WHERE question_id = :question
    """,
    """
    INSERT INTO outcome (call_id, question_id, customer_id, consultant_id, nth, text, tags, language, asked_at,
                         accepted_at, connected, completed, connected_ms, stars, refunded, ended_at, changed_in)
    VALUES (:call, :question, :customer, :user, 1, :text, '{}', 'en', :at,
            :answered, true, :good, :ms, :stars, :refunded, :ended, 0)
    """,
)


def told_by(feature: str, *, since: datetime, count: int, seed: int) -> list[Asked]:
    """Questions an hour apart, whose good answer came mostly from whoever had most of ``feature``."""
    chance = np.random.default_rng(seed)
    stories = []
    for n in range(count):
        candidates = [{one.name: float(chance.random()) for one in FEATURES} for _ in range(6)]
        utility = np.array([8 * candidate[feature] for candidate in candidates])
        shares = np.exp(utility) / np.exp(utility).sum()
        stories.append(Asked(since + timedelta(hours=n), candidates, good=int(chance.choice(6, p=shares))))
    return stories
