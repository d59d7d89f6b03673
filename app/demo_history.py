"""A made-up month for the demo: questions, lists, rings and outcomes of people who do not exist.

Every question says in its title that it is demo data; no account, call or money belongs to any of it.
"""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select

from core.db import Tx
from matching.models import OfferRow, OutcomeRow, QuestionMatchRow, QuestionRow, RequestRow, RequestStageRow
from matching.ranking.model import Model

TITLE: Final = "Demo data: a made-up question"
DAYS: Final = 30
A_DAY: Final = 20
CANDIDATES: Final = 8
CONSULTANTS: Final = 60
PREPARED: Final = timedelta(seconds=8)  # from the accept to both being seen
MINUTES_MS: Final = 60_000
SPREAD: Final = 1.2  # standard deviation of the model's score among these people


async def seed_history(tx: Tx, model: Model) -> int:
    """Make the month before today, once; returns how many questions. ``model`` gives features and chances."""
    if await tx.session.scalar(select(QuestionRow.id).where(QuestionRow.title == TITLE).limit(1)):
        return 0
    chance = random.Random(1)  # noqa: S311 - made-up data, the same everywhere
    people = [UUID(int=chance.getrandbits(128), version=4) for _ in range(CONSULTANTS)]
    midnight = tx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    stories: list[_Story] = []
    for day in range(DAYS, 0, -1):
        for _ in range(A_DAY + chance.randrange(-6, 7) - day // 4):
            at = midnight - timedelta(days=day) + timedelta(seconds=chance.randrange(7 * 3_600, 21 * 3_600))
            stories.append(_story(model, chance, chance.sample(people, CANDIDATES), at))
    for kind in ("question", "match", "request", "offer", "outcome", "met"):  # each refers to those before it
        for story in stories:
            story.offer.match_id = story.match.id
            if (row := getattr(story, kind)) is not None:
                tx.session.add(row)
        await tx.session.flush()
    return len(stories)


@dataclass(frozen=True, slots=True)
class _Story:
    question: QuestionRow
    match: QuestionMatchRow
    request: RequestRow
    offer: OfferRow
    outcome: OutcomeRow | None
    met: RequestStageRow | None


def _story(model: Model, chance: random.Random, people: list[UUID], at: datetime) -> _Story:
    spread = SPREAD / math.sqrt(sum(weight**2 for weight in model.weights) / 12)  # of a sum of weighted uniforms
    found = [({name: spread * chance.random() for name in model.names}, user) for user in people]
    found.sort(key=lambda one: -model.utility(list(one[0].values())))
    utilities = [model.utility(list(features.values())) for features, _ in found]
    crowd = math.log(sum(math.exp(each) for each in utilities))
    chances = [model.calibration.p_success(each, crowd) for each in utilities]
    place = chance.choices(range(CANDIDATES), chances)[0]  # the model is right about these people
    answered = chance.random() < 0.96  # noqa: PLR2004 - nobody had time for the others
    question = QuestionRow(
        id=uuid4(),
        customer_id=uuid4(),
        title=TITLE,
        details="",
        language="en",
        tags=[],
        state="answered" if answered else "withdrawn",
        created_at=at,
        changed_at=at,
    )
    match = QuestionMatchRow(
        question_id=question.id,
        at=at,
        purpose="shown",
        model_version=model.version,
        inputs={},
        results=[
            {
                "user_id": str(user),
                "score_centi": 0,
                "p_success": round(told, 4),
                "factors": [],
                "inputs": {"features": features},
            }
            for (features, user), told in zip(found, chances, strict=True)
        ],
    )
    answered_at = at + timedelta(seconds=chance.lognormvariate(2.2, 0.7)) if answered else None
    request, user = _request(question, at, answered_at), found[place][1]
    outcome = None if answered_at is None else _outcome(question, request, user, chance, answered_at)
    return _Story(question, match, request, _offer(request, user, at, answered_at), outcome, _met(request, answered_at))


def _met(request: RequestRow, answered_at: datetime | None) -> RequestStageRow | None:
    if answered_at is None:
        return None
    return RequestStageRow(request_id=request.id, stage="connected", at=answered_at + PREPARED)


def _request(question: QuestionRow, at: datetime, answered_at: datetime | None) -> RequestRow:
    over = (answered_at or at) + timedelta(minutes=15)
    return RequestRow(
        id=uuid4(),
        customer_id=question.customer_id,
        question_id=question.id,
        idempotency_key=uuid4(),
        max_rate_minor_per_hour=9_000,
        currency="eur",
        cap_minor=4_500,
        terms_version="1",
        consented_at=at,
        state="exhausted" if answered_at is None else "matched",
        created_at=at,
        promise_at=at + timedelta(minutes=2),
        give_up_at=at + timedelta(minutes=10),
        waiting_over=False,
        closed_at=over,
        close_reason="exhausted" if answered_at is None else None,
        call_id=None if answered_at is None else uuid4(),
        call_ended_at=None if answered_at is None else over,
    )


def _offer(request: RequestRow, user: UUID, at: datetime, answered_at: datetime | None) -> OfferRow:
    return OfferRow(
        id=uuid4(),
        request_id=request.id,
        consultant_id=user,
        state="missed" if answered_at is None else "accepted",
        rate_minor_per_hour=9_000,
        currency="eur",
        score_centi=0,
        reasons=[],
        created_at=at,
        rings_until=at + timedelta(seconds=20),
        answered_at=answered_at or at + timedelta(seconds=20),
    )


def _outcome(
    question: QuestionRow, request: RequestRow, user: UUID, chance: random.Random, answered_at: datetime
) -> OutcomeRow:
    completed = chance.random() < 0.8  # noqa: PLR2004 - the others had said all within the free time
    facts: dict[str, Any] = {
        "connected": True,
        "completed": completed,
        "connected_ms": chance.randrange(11, 40) * MINUTES_MS if completed else chance.randrange(1, 10) * MINUTES_MS,
        "stars": chance.choices([None, 5, 4, 3, 2], [30, 40, 20, 7, 3])[0] if completed else None,
        "refunded": completed and chance.random() < 0.02,  # noqa: PLR2004
    }
    return OutcomeRow(
        call_id=request.call_id,
        question_id=question.id,
        customer_id=question.customer_id,
        consultant_id=user,
        nth=1,
        text=TITLE,
        tags=[],
        language="en",
        asked_at=question.created_at,
        accepted_at=answered_at,
        ended_at=request.call_ended_at,
        changed_in=0,
        **facts,
    )
