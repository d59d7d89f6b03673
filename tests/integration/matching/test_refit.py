"""The refit learns from what was stored, the gate refuses what is worse, and any version can be gone back to."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.audit import AuditEntry
from core.errors import Conflict, NotFound
from core.ids import UserId
from matching.learning import gate, history
from matching.learning.models_store import ModelBook
from matching.learning.refit import AlreadyRunning, RefitService, fitted
from matching.models import RankingModelRow, RefitRow
from matching.ranking.model import Model
from tests.integration.matching.conftest import Market
from tests.integration.matching.past import Asked, model, told_by, write

ADMIN = UserId(uuid4())


class Learning:
    """The refit of one installation, as a worker runs it."""

    def __init__(self, market: Market, built_in: Model) -> None:
        self.market, self.built_in = market, built_in
        self.book = ModelBook(built_in)
        self.refit = RefitService(market.db, self.book)

    async def run(self) -> RefitRow:
        async with self.market.db.begin() as tx:
            row = await self.refit.start(tx, by=ADMIN)
        await self.refit.work(str(row.id))
        async with self.market.db.begin() as tx:
            last = await self.refit.last(tx)
        assert last is not None
        return last

    async def ranks(self) -> str:
        """The version another process ranks with, which hears of it by asking."""
        other = ModelBook(self.built_in)
        async with self.market.db.begin() as tx:
            return (await other.refresh(tx)).version

    async def row(self, version: str) -> RankingModelRow:
        async with self.market.db.begin() as tx:
            found = await tx.session.get(RankingModelRow, version)
        assert found is not None
        return found

    async def activate(self, version: str, reason: str = "because") -> None:
        async with self.market.db.begin() as tx:
            await self.book.activate(tx, version, by=ADMIN, reason=reason)

    async def audited(self) -> list[tuple[str, str]]:
        async with self.market.db.begin() as tx:
            rows = await tx.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
            return [(row.action, row.subject) for row in rows if row.action.startswith("matching.")]


@pytest.fixture
def learning(market: Market) -> Learning:
    market.clock.advance(timedelta(days=60))
    return Learning(market, model("built-in", words=4.0, record=4.0))


async def past(learning: Learning, *parts: tuple[str, int]) -> None:
    """Hours of questions, one part after the other, the last of them long over."""
    at = learning.market.clock.now() - timedelta(days=2, hours=sum(count for _, count in parts))
    for seed, (feature, count) in enumerate(parts):
        await write(learning.market.db, told_by(feature, since=at, count=count, seed=seed))
        at += timedelta(hours=count)


async def test_a_better_model_is_fitted_promoted_and_ranks_in_every_process(learning: Learning) -> None:
    await past(learning, ("record", 400))
    run = await learning.run()
    assert (run.outcome, run.training, run.holdout) == ("promoted", 320, 80)
    assert run.version is not None
    assert await learning.ranks() == run.version
    kept = await learning.row(run.version)
    assert (kept.state, kept.samples, kept.promoted_by, kept.reasons) == ("active", 320, None, [])
    assert kept.trained_from is not None
    assert kept.trained_to is not None
    assert kept.trained_from < kept.trained_to
    assert kept.metrics["candidate"]["mrr10"] > kept.metrics["current"]["mrr10"] + 0.02
    words, record = Model.from_json(kept.model).weights
    assert record > 5 * words
    assert (await learning.row("built-in")).state == "retired"
    assert ("matching.model_promoted", run.version) in await learning.audited()


async def test_a_model_whose_holdout_contradicts_its_training_is_refused_with_the_figures(learning: Learning) -> None:
    await past(learning, ("words", 320), ("record", 80))
    run = await learning.run()
    assert (run.outcome, await learning.ranks()) == ("rejected", "built-in")
    kept = await learning.row(str(run.version))
    codes = {reason["code"]: reason for reason in kept.reasons}
    assert kept.state == "rejected"
    assert codes["mrr10_worse"]["candidate"] < codes["mrr10_worse"]["current"] - gate.RANKING_MARGIN
    assert ("matching.model_kept_back", str(run.version)) in await learning.audited()


async def test_too_little_to_learn_from_makes_no_model(learning: Learning) -> None:
    await past(learning, ("record", 100))
    run = await learning.run()
    assert (run.outcome, run.version, await learning.ranks()) == ("too_few", None, "built-in")


async def test_only_outcomes_older_than_a_day_are_learned_from_and_the_future_is_never_trained_on(
    learning: Learning,
) -> None:
    now = learning.market.clock.now()
    ages = [timedelta(days=3), timedelta(days=2), timedelta(hours=25), timedelta(hours=23), timedelta(minutes=1)]
    await write(learning.market.db, [Asked(now - age, [{"words": 1, "record": 0}]) for age in ages])
    async with learning.market.db.begin() as tx:
        found = await history.read(tx, ["words", "record"])
    assert [now - sample.at for sample in found.samples] == ages[:3]
    training, holdout = found.split(1 / 3)
    assert max(sample.at for sample in training) < min(sample.at for sample in holdout)


async def test_one_customer_teaches_by_their_newest_questions_only(learning: Learning) -> None:
    at = learning.market.clock.now() - timedelta(days=9)
    candidates, friend, market = [{"words": 1.0, "record": 0.0}, {"words": 0.0, "record": 1.0}], uuid4(), uuid4()
    calls = [
        Asked(at + timedelta(hours=n), candidates, good=1, customer=friend) for n in range(history.MOST_OF_ONE + 5)
    ]
    await write(learning.market.db, [*calls, Asked(at, candidates, good=0, customer=market)])
    async with learning.market.db.begin() as tx:
        found = await history.read(tx, ["words", "record"])
    assert [sample.at for sample in found.samples] == [at, *(call.at for call in calls[5:])]


async def test_grades_follow_what_the_customer_said_and_got_back(learning: Learning) -> None:
    at = learning.market.clock.now() - timedelta(days=3)
    both = [{"words": 1.0, "record": 0.0}, {"words": 0.0, "record": 1.0}]
    stories = [
        Asked(at, both, good=1, stars=5),
        Asked(at + timedelta(hours=1), both, good=1, stars=None),
        Asked(at + timedelta(hours=2), both, good=1, stars=3),
        Asked(at + timedelta(hours=3), both, good=1, refunded=True),
        Asked(at + timedelta(hours=4), both, good=None),
    ]
    await write(learning.market.db, stories)
    async with learning.market.db.begin() as tx:
        found = await history.read(tx, ["words", "record"])
        without = await history.read(tx, ["words", "unheard_of"])
    assert [sample.grades.tolist() for sample in found.samples] == [[0, 3], [0, 2], [0, 0], [0, 0], [0, 0]]
    assert found.samples[0].features.tolist() == [[1, 0], [0, 1]]
    assert (len(without.samples), without.unusable) == (0, 5)


async def test_an_admin_goes_back_to_version_zero_and_to_any_other(learning: Learning) -> None:
    await past(learning, ("record", 400))
    version = str((await learning.run()).version)
    await learning.activate("built-in", "The new one ranks plumbers first")
    assert await learning.ranks() == "built-in"
    back = await learning.row("built-in")
    assert (back.state, back.promoted_by, back.reason) == ("active", ADMIN, "The new one ranks plumbers first")
    with pytest.raises(Conflict, match="already"):
        await learning.activate("built-in")
    await learning.activate(version)
    assert await learning.ranks() == version
    with pytest.raises(NotFound):
        await learning.activate("never-fitted")
    assert await learning.ranks() == version
    assert [action for action, _ in await learning.audited()][-2:] == ["matching.model_rolled_back"] * 2


async def test_a_running_process_takes_a_choice_over_within_a_second(learning: Learning) -> None:
    db, clock = learning.market.db, learning.market.clock
    await past(learning, ("record", 400))
    other = ModelBook(learning.built_in)
    async with db.begin() as tx:
        assert (await other.refresh(tx)).version == "built-in"
    version = str((await learning.run()).version)
    clock.advance(timedelta(seconds=1))
    async with db.begin() as tx:
        assert (await other.refresh(tx)).version == version
    await learning.activate("built-in")
    clock.advance(timedelta(seconds=1))
    async with db.begin() as tx:
        assert (await other.refresh(tx)).version == "built-in"


async def test_a_person_who_chooses_while_the_fit_runs_is_not_overruled(learning: Learning) -> None:
    await past(learning, ("record", 400))
    first = str((await learning.run()).version)
    learning.market.clock.advance(timedelta(minutes=1))
    loop = asyncio.get_running_loop()

    def slowly(*arguments: Any) -> Any:
        asyncio.run_coroutine_threadsafe(learning.activate("built-in"), loop).result(timeout=30)
        return fitted(*arguments)

    learning.refit = RefitService(learning.market.db, learning.book, slowly)
    run = await learning.run()
    assert (run.outcome, await learning.ranks()) == ("candidate", "built-in")
    assert [reason["code"] for reason in (await learning.row(str(run.version))).reasons] == ["active_changed"]
    assert first != run.version


async def test_one_refit_at_a_time_and_a_job_that_comes_twice_does_nothing(learning: Learning) -> None:
    async with learning.market.db.begin() as tx:
        row = await learning.refit.start(tx, by=ADMIN)
    with pytest.raises(AlreadyRunning):
        async with learning.market.db.begin() as tx:
            await learning.refit.start(tx, by=ADMIN)
    await learning.refit.work(str(row.id))
    await past(learning, ("record", 400))
    await learning.refit.work(str(row.id))
    assert await learning.ranks() == "built-in"


async def test_every_night_one_run_whichever_worker_looks_and_a_lost_one_is_given_up(learning: Learning) -> None:
    db, clock = learning.market.db, learning.market.clock
    clock.advance(timedelta(days=1) - (clock.now() - clock.now().replace(hour=0)))  # midnight
    assert await learning.refit.run_due(db) == 0
    clock.advance(timedelta(hours=3, minutes=1))
    assert sum(await asyncio.gather(*(learning.refit.run_due(db) for _ in range(4)))) == 1
    assert await learning.refit.run_due(db) == 0
    clock.advance(timedelta(days=1))
    assert await learning.refit.run_due(db) == 1, "the one of last night never ended"
    async with db.begin() as tx:
        outcomes = list(await tx.session.scalars(select(RefitRow.outcome).order_by(RefitRow.started_at)))
    assert outcomes == ["given_up", None]


async def test_the_database_refuses_a_second_active_version(learning: Learning) -> None:
    await learning.run()
    with pytest.raises(IntegrityError):
        async with learning.market.db.begin() as tx:
            await tx.session.execute(
                text(
                    "INSERT INTO ranking_model (version, model, samples, metrics, reasons, state, made_at, promoted_at,"
                    " reason) VALUES ('second', '{}', 0, '{}', '[]', 'active', now(), now(), '')"
                )
            )


async def test_a_release_that_no_longer_knows_a_feature_ranks_with_its_own_model(learning: Learning) -> None:
    await past(learning, ("record", 400))
    version = str((await learning.run()).version)
    older = model("newer-built-in", 1.0, 1.0)
    newer = Model("newer-built-in", older.features[:1], older.weights[:1], older.spans)
    book = ModelBook(newer)
    async with learning.market.db.begin() as tx:
        assert (await book.refresh(tx)).version == "newer-built-in"
        with pytest.raises(Conflict, match="another release"):
            await book.activate(tx, "built-in", by=ADMIN, reason="back")
    assert await learning.ranks() == version
