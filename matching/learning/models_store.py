"""Versions of the ranking model: every one that was ever fitted, which of them ranks, and who decided so."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core import audit, logs
from core.db import Tx
from core.errors import Conflict, NotFound
from core.ids import UserId
from matching.models import RankingModelRow
from matching.ranking.model import Model

log = logs.get(__name__)

CHANNEL: Final = "model"
LOOK_EVERY: Final = timedelta(seconds=1)
ACTIVE, CANDIDATE, REJECTED, RETIRED = "active", "candidate", "rejected", "retired"
CAME_WITH_THE_PROGRAM: Final = "built_in"  # the reason of a version nobody fitted here


class ModelBook:
    """This process's view of the versions; ``current`` is what it ranks with.

    ``built_in`` is version zero: it ranks until something better was fitted, and it can always be gone back to.
    """

    def __init__(self, built_in: Model) -> None:
        self._built_in = built_in
        self.current = built_in
        self._looked_at: datetime | None = None

    @property
    def built_in(self) -> Model:
        """The model that came with the program."""
        return self._built_in

    def can_rank(self, model: Model) -> bool:
        """Whether this release of the program knows every feature the model reads."""
        return set(model.names) <= set(self._built_in.names)

    async def refresh(self, tx: Tx) -> Model:
        """Take over the active version, looking once a second at most: to be called before every ranking."""
        if self._looked_at is None or abs(tx.now - self._looked_at) >= LOOK_EVERY:
            await self.look(tx)
        return self.current

    async def look(self, tx: Tx) -> Model:
        """Take over the active version as this transaction sees it."""
        row = RankingModelRow
        self._looked_at = tx.now
        version = await tx.session.scalar(select(row.version).where(row.state == ACTIVE))
        if version in (None, self._built_in.version):
            self.current = self._built_in
        elif version != self.current.version:
            self.current = await self._load(tx, str(version))
        return self.current

    async def _load(self, tx: Tx, version: str) -> Model:
        row = await tx.session.get(RankingModelRow, version)
        assert row is not None
        model = Model.from_json(row.model)
        if self.can_rank(model):
            return model
        log.warning("model.features_unknown", version=version)  # fitted by another release of the program
        return self._built_in

    async def begin(self, tx: Tx) -> RankingModelRow:
        """Lock the active version, which nobody can change before this transaction ends; the first one is built in."""
        row = RankingModelRow
        await self._keep_built_in(tx)
        active = await _locked_active(tx)
        if active is None:
            active = await tx.session.get(row, self._built_in.version, with_for_update=True)
            assert active is not None
            active.state, active.promoted_at = ACTIVE, tx.now
            await tx.session.flush()
        elif active.trained_to is None and active.version != self._built_in.version:  # a new release came with another
            active = await self._swap(tx, active, self._built_in.version, by=None, reason=CAME_WITH_THE_PROGRAM)
        return active

    async def _keep_built_in(self, tx: Tx) -> None:
        values = {
            "version": self._built_in.version,
            "model": self._built_in.to_json(),
            "samples": 0,
            "metrics": {},
            "reasons": [],
            "state": RETIRED,
            "made_at": tx.now,
            "reason": CAME_WITH_THE_PROGRAM,
        }
        await tx.session.execute(insert(RankingModelRow).values(**values).on_conflict_do_nothing())

    async def activate(self, tx: Tx, version: str, *, by: UserId | None, reason: str) -> RankingModelRow:
        """Rank with this version from now on; ``by`` is None when the gate decided. Raises NotFound and Conflict."""
        active = await self.begin(tx)
        if active.version == version:
            raise Conflict("This version ranks already.", code="model_active")
        return await self._swap(tx, active, version, by=by, reason=reason)

    async def _swap(
        self, tx: Tx, active: RankingModelRow, version: str, *, by: UserId | None, reason: str
    ) -> RankingModelRow:
        chosen = await tx.session.get(RankingModelRow, version, with_for_update=True, populate_existing=True)
        if chosen is None:
            raise NotFound
        if not self.can_rank(Model.from_json(chosen.model)):
            raise Conflict("This version was fitted by another release and cannot rank any more.", code="model_unknown")
        back = chosen.promoted_at is not None or chosen.trained_to is None
        active.state = RETIRED
        await tx.session.flush()  # never two active ones, not even within this transaction
        chosen.state, chosen.promoted_at, chosen.promoted_by, chosen.reason = ACTIVE, tx.now, by, reason
        await tx.session.flush()
        audit.record(
            tx,
            "matching.model_rolled_back" if back else "matching.model_promoted",
            subject=version,
            actor=by,
            before=active.version,
            reason=reason,
        )
        tx.signal(CHANNEL, version)
        return chosen

    async def versions(self, tx: Tx, limit: int = 50) -> Sequence[RankingModelRow]:
        """The active version and the newest others, newest first; version zero is always among them."""
        row = RankingModelRow
        await self.begin(tx)
        query = select(row).order_by(row.state != ACTIVE, row.trained_to.is_not(None), row.made_at.desc()).limit(limit)
        found = (await tx.session.scalars(query.execution_options(populate_existing=True))).all()
        return sorted(found, key=lambda one: (one.made_at, one.version), reverse=True)


async def add(
    tx: Tx,
    model: Model,
    *,
    state: str,
    samples: Sequence[datetime],
    metrics: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
) -> RankingModelRow:
    """Keep a freshly fitted model; ``samples`` are the moments of the questions it was fitted on, in order."""
    row = RankingModelRow(
        version=model.version,
        model=model.to_json(),
        trained_from=samples[0],
        trained_to=samples[-1],
        samples=len(samples),
        metrics=dict(metrics),
        reasons=[dict(reason) for reason in reasons],
        state=state,
        made_at=tx.now,
        reason="",
    )
    tx.session.add(row)
    await tx.session.flush()
    return row


async def _locked_active(tx: Tx) -> RankingModelRow | None:
    query = select(RankingModelRow).where(RankingModelRow.state == ACTIVE).with_for_update()
    return await tx.session.scalar(query.execution_options(populate_existing=True))
