"""The demo's made-up month: made once, said to be made up, and enough for every figure and a refit."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.demo_history import TITLE, seed_history
from app.wiring import MODEL
from core.clock import FakeClock
from core.db import Database
from core.events import Bus
from core.jobs import Jobs
from matching.learning import gate, history, matching_days
from matching.models import QuestionRow
from matching.ranking.model import built_in

ZERO = built_in(MODEL)


@pytest.fixture
async def db(database_url: str, clock: FakeClock) -> AsyncIterator[Database]:
    jobs = Jobs(database_url)
    opened = Database(database_url, clock=clock, bus=Bus(), jobs=jobs)
    yield opened
    await opened.close()


async def test_the_made_up_month_is_made_once_and_fills_every_figure(db: Database, clock: FakeClock) -> None:
    async with db.begin() as tx:
        made = await seed_history(tx, ZERO)
    async with db.begin() as tx:
        assert await seed_history(tx, ZERO) == 0
        titles = set(await tx.session.scalars(select(QuestionRow.title)))
        assert titles == {TITLE}
        assert await tx.session.scalar(select(func.count()).select_from(QuestionRow)) == made
        days = await matching_days.read(tx, since=clock.now() - timedelta(days=29), until=clock.now())
        learned = await history.read(tx, ZERO.names)
    whole = matching_days.total(one.figures for one in days if one.version == matching_days.ALL)
    assert whole.answered_in_time > 0.9 * whole.questions
    assert 0.9 * whole.questions < whole.met_in_time <= whole.answered_in_time
    assert whole.mrr10 is not None and 0.3 < whole.mrr10 < 0.9  # noqa: PT018
    assert whole.stars is not None and 4 < whole.stars < 5  # noqa: PT018
    assert sum(one.n for one in whole.calibration) > 1_000
    training, holdout = learned.split(gate.HOLDOUT_SHARE)
    assert sum(bool(one.grades.any()) for one in training) >= gate.MIN_TRAINING
    assert sum(bool(one.grades.any()) for one in holdout) >= gate.MIN_HOLDOUT
