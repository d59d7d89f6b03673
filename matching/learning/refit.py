"""The refit: every night a model is fitted on what was learned, and ranks from then on if the gate lets it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import procrastinate
from sqlalchemy import select, text, update

from core import audit, logs
from core.db import Database, Tx
from core.errors import Conflict, NotFound
from core.ids import UserId, new_id
from core.jobs import Jobs
from matching.learning import gate, history, matching_days, models_store
from matching.learning.models_store import ModelBook
from matching.learning.training import Metrics, Sample, fit, measure
from matching.models import RefitRow
from matching.ranking.model import Model

log = logs.get(__name__)

TASK: Final = "matching.refit"
NIGHT_FROM_UTC_H: Final = 3
GIVEN_UP_AFTER: Final = timedelta(hours=1)
RECOMPUTED: Final = timedelta(days=30)  # a rating or a refund may come late and change a day's figures
PROMOTED, REJECTED, CANDIDATE, TOO_FEW, GIVEN_UP = "promoted", "rejected", "candidate", "too_few", "given_up"
_CLAIM: Final = 7_314  # the advisory lock under which a run is started


class AlreadyRunning(Conflict):
    """A refit is under way; its result will be shown here."""

    code = "refit_running"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted model beside the one that ranks now, both measured on the same later questions."""

    model: Model
    mine: Metrics
    current: Metrics
    trained_on: Sequence[datetime]


Fitter = Callable[[Sequence[Sample], Sequence[Sample], Model, Model, str], Fitted]


def fitted(
    training: Sequence[Sample], holdout: Sequence[Sample], current: Model, built_in: Model, version: str
) -> Fitted:
    """Fit the features of ``built_in`` on ``training`` as ``version``; measure it and ``current`` on ``holdout``."""
    origin = {"trained_from": training[0].at.isoformat(), "trained_to": training[-1].at.isoformat()}
    model = fit(training, version=version, features=built_in.features, origin=origin)
    columns = [built_in.names.index(name) for name in current.names]
    theirs = [Sample(one.features[:, columns], one.grades, one.at) for one in holdout]
    trained_on = [one.at for one in training if one.grades.any()]
    return Fitted(model, measure(model, holdout), measure(current, theirs), trained_on)


class RefitService:
    """Starts a refit each night or when an admin asks, one at a time; the job fits, the gate decides."""

    def __init__(self, db: Database, book: ModelBook, fitter: Fitter = fitted) -> None:
        self._db = db
        self._book = book
        self._fitter = fitter

    def register(self, jobs: Jobs) -> None:
        """Name the job; a lost connection is tried again."""
        jobs.register(TASK, self.work, retry=procrastinate.RetryStrategy(max_attempts=5, linear_wait=10))

    async def run_due(self, db: Database) -> int:
        """Start the night's run once its hour has come; one worker does. Runs that never ended are given up."""
        async with db.begin() as tx:
            if not await tx.session.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _CLAIM}):
                return 0
            await self._give_up(tx)
            night = tx.now.replace(hour=NIGHT_FROM_UTC_H, minute=0, second=0, microsecond=0)
            last = await self.last(tx)
            if tx.now < night or (last is not None and (last.started_at >= night or last.finished_at is None)):
                return 0
            await self._start(tx, by=None)
        return 1

    async def start(self, tx: Tx, *, by: UserId) -> RefitRow:
        """Start a run now; raises AlreadyRunning."""
        await tx.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CLAIM})
        await self._give_up(tx)
        last = await self.last(tx)
        if last is not None and last.finished_at is None:
            raise AlreadyRunning
        row = await self._start(tx, by=by)
        audit.record(tx, "matching.refit_asked", subject=str(row.id), actor=by)
        return row

    async def _start(self, tx: Tx, *, by: UserId | None) -> RefitRow:
        row = RefitRow(id=new_id(), started_at=tx.now, started_by=by, stage="waiting", training=0, holdout=0)
        tx.session.add(row)
        await tx.session.flush()
        await tx.defer(TASK, run_id=str(row.id))
        return row

    async def _give_up(self, tx: Tx) -> None:
        row = RefitRow
        lost = update(row).where(row.finished_at.is_(None), row.started_at < tx.now - GIVEN_UP_AFTER)
        await tx.session.execute(lost.values(finished_at=tx.now, outcome=GIVEN_UP, stage="done"))

    async def last(self, tx: Tx) -> RefitRow | None:
        """The newest run."""
        query = select(RefitRow).order_by(RefitRow.started_at.desc()).limit(1)
        return await tx.session.scalar(query.execution_options(populate_existing=True))

    async def work(self, run_id: str) -> None:
        """Do a run; one that is over already, because its job came twice, is not done again."""
        run = UUID(run_id)
        if not await self._enter(run, "reading"):
            return
        async with self._db.begin() as tx:
            await self._book.begin(tx)
            current = await self._book.look(tx)
            found = await history.read(tx, self._book.built_in.names)
            version = f"fit-{tx.now:%Y%m%d-%H%M%S}"
        training, holdout = found.split(gate.HOLDOUT_SHARE)
        log.info("refit.read", training=len(training), holdout=len(holdout), unusable=found.unusable)
        if _answered(training) < gate.MIN_TRAINING or _answered(holdout) < gate.MIN_HOLDOUT:
            await self._conclude(run, TOO_FEW, None, _answered(training), _answered(holdout))
            return
        if not await self._enter(run, "fitting"):
            return
        # In a thread of its own: it takes seconds, and the worker has calls to look after.
        result = await asyncio.to_thread(self._fitter, training, holdout, current, self._book.built_in, version)
        if not await self._enter(run, "judging"):  # it took so long that it was given up
            return
        outcome = await self._judge(result, current)
        await self._conclude(run, outcome, result.model.version, _answered(training), _answered(holdout))

    async def _enter(self, run: UUID, stage: str) -> bool:
        async with self._db.begin() as tx:
            row = await tx.session.get(RefitRow, run, with_for_update=True)
            if row is None:
                raise NotFound
            if row.finished_at is not None:
                return False
            row.stage = stage
        return True

    async def _judge(self, fitted: Fitted, current: Model) -> str:
        """Keep the model, and have it rank if it is not worse than the one that does."""
        verdict = gate.judge(fitted.mine, fitted.current)
        reasons: list[Any] = list(verdict.reasons)
        async with self._db.begin() as tx:
            active = await self._book.begin(tx)
            moved = active.version != current.version
            if moved:  # somebody chose another version meanwhile: a person's choice is not overruled
                reasons.append({"code": "active_changed", "measured": current.version, "active": active.version})
            state = REJECTED if not verdict.passed else CANDIDATE
            await models_store.add(
                tx,
                fitted.model,
                state=state,
                samples=fitted.trained_on,
                metrics={"candidate": fitted.mine.to_dict(), "current": fitted.current.to_dict()}
                | {"current_version": current.version},
                reasons=reasons,
            )
            if state == REJECTED or moved:
                audit.record(tx, "matching.model_kept_back", subject=fitted.model.version, reasons=reasons)
                return state
            await self._book.activate(tx, fitted.model.version, by=None, reason="gate")
        return PROMOTED

    async def _conclude(self, run: UUID, outcome: str, version: str | None, training: int, holdout: int) -> None:
        if not await self._enter(run, "figures"):
            return
        async with self._db.begin() as tx:
            await matching_days.keep(tx, since=tx.now - RECOMPUTED, until=tx.now)
            row = await tx.session.get(RefitRow, run, with_for_update=True)
            assert row is not None
            row.stage, row.finished_at, row.outcome = "done", tx.now, outcome
            row.version, row.training, row.holdout = version, training, holdout
        log.info("refit.done", outcome=outcome, version=version)


def _answered(samples: Sequence[Sample]) -> int:
    """How many of these questions somebody answered well."""
    return sum(bool(sample.grades.any()) for sample in samples)
