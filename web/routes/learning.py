"""Admin: how well matching does over time, and which version of its model ranks."""

from datetime import date, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from core.db import Tx
from core.ids import UserId
from matching.learning import gate, matching_days
from matching.models import RankingModelRow
from web.context import House
from web.routing import Access, Call, route
from web.schemas import Input, Output, Utc

_ROW = ("version", "state", "trained_from", "trained_to", "samples", "made_at", "promoted_at", "reason")


class SpanQuery(Input):
    """How many days back, today included."""

    days: Annotated[int, Field(ge=1, le=180)] = 30


class FiguresOut(Output):
    """What became of questions; shares and means are None where there is nothing to divide by.

    ``median_s`` and ``p95_s`` are the seconds until somebody answered, None over several days. ``mrr10`` and ``hit3``
    measure the list the customer saw against who answered well.
    """

    questions: int
    rung: int
    answered: int
    answered_in_time: int
    met_in_time: int
    median_s: float | None
    p95_s: float | None
    connected: int
    completed: int
    refunded_share: float | None
    stars: float | None
    stars_count: int
    placed: int
    mrr10: float | None
    hit3: float | None
    newcomer_contacts: int
    calibration_error: float | None


class DayFiguresOut(FiguresOut):
    """The figures of one day (UTC)."""

    day: date


class BinOut(Output):
    """Candidates of whom about the same chance was foretold: how many, the mean of it, how often it came true."""

    n: int
    foretold: float
    came_true: float


class MeasuredOut(Output):
    """A model measured on the holdout."""

    questions: int
    mrr10: float
    ndcg10: float
    recall10: float
    hit3: float
    calibration_error: float
    calibration_error_top3: float


class VerdictReasonOut(Output):
    """Why a model was kept back: a code with the figures that were compared."""

    code: str
    params: dict[str, int | float | str]


class ModelOut(Output):
    """A version of the model. ``figures`` are what it did in the days asked for, None where it ranked nothing.

    ``reason`` is a person's where ``promoted_by_name`` is one's.
    """

    version: str
    state: Literal["active", "candidate", "rejected", "retired"]
    built_in: bool
    trained_from: Utc | None
    trained_to: Utc | None
    samples: int
    candidate: MeasuredOut | None
    current: MeasuredOut | None
    reasons: list[VerdictReasonOut]
    made_at: Utc
    promoted_at: Utc | None
    promoted_by_name: str | None
    reason: str
    figures: FiguresOut | None


class RefitOut(Output):
    """A run of the refit."""

    id: UUID
    started_at: Utc
    stage: Literal["waiting", "reading", "fitting", "judging", "figures", "done"]
    finished_at: Utc | None
    outcome: Literal["promoted", "rejected", "candidate", "too_few", "given_up"] | None
    version: str | None
    training: int
    holdout: int


class GateOut(Output):
    """What a model must keep to in order to rank."""

    min_training: int
    min_holdout: int
    ranking_margin: float
    calibration_margin: float
    calibration_good: float


class LearningOut(Output):
    """Everything the admins' page of matching shows."""

    days: list[DayFiguresOut]
    whole: FiguresOut
    bins: list[BinOut]
    models: list[ModelOut]
    refit: RefitOut | None
    gate: GateOut


class ActivateIn(Input):
    """Why this version should rank."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


@route("GET", "/api/admin/matching", access=Access.ADMIN, query=SpanQuery, reply=LearningOut)
async def get_matching(call: Call) -> LearningOut:
    """Figures by day, what was foretold against what came true, and every version of the model."""
    query: SpanQuery = call.query
    async with call.house.db.begin() as tx:
        days = await matching_days.read(tx, since=tx.now - timedelta(days=query.days - 1), until=tx.now)
        run = await call.house.refit.last(tx)
        models = await _models(tx, call.house, days)
    every = [one for one in days if one.version == matching_days.ALL]
    whole = matching_days.total(one.figures for one in every)
    return LearningOut(
        days=[DayFiguresOut(day=one.day, **_plain(one.figures)) for one in every],
        whole=FiguresOut.model_validate(whole),
        bins=[
            BinOut(n=one.n, foretold=one.foretold / max(one.n, 1), came_true=one.came_true / max(one.n, 1))
            for one in whole.calibration
        ],
        models=models,
        refit=None if run is None else RefitOut.model_validate(run),
        gate=GateOut(
            min_training=gate.MIN_TRAINING,
            min_holdout=gate.MIN_HOLDOUT,
            ranking_margin=gate.RANKING_MARGIN,
            calibration_margin=gate.CALIBRATION_MARGIN,
            calibration_good=gate.CALIBRATION_GOOD,
        ),
    )


@route("POST", "/api/admin/matching/refit", access=Access.ADMIN, reply=RefitOut, status=202)
async def post_refit(call: Call) -> RefitOut:
    """Fit a model on everything learned by now; the gate decides whether it ranks."""
    async with call.house.db.begin() as tx:
        return RefitOut.model_validate(await call.house.refit.start(tx, by=call.user))


@route("POST", "/api/admin/matching/models/{version}/activate", access=Access.ADMIN, body=ActivateIn, status=204)
async def post_model_activate(call: Call) -> None:
    """Rank with this version from now on: promote one that was kept back, or go back to an earlier one."""
    body: ActivateIn = call.body
    async with call.house.db.begin() as tx:
        await call.house.models.activate(tx, call.path["version"], by=call.user, reason=body.reason)


async def _models(tx: Tx, house: House, days: list[matching_days.Day]) -> list[ModelOut]:
    rows = await house.models.versions(tx)
    names = await house.profiles.names(tx, [UserId(row.promoted_by) for row in rows if row.promoted_by])
    did = {row.version: [one.figures for one in days if one.version == row.version] for row in rows}
    return [
        _model(
            row,
            None if row.promoted_by is None else names.get(UserId(row.promoted_by), ""),
            matching_days.total(did[row.version]) if did[row.version] else None,
        )
        for row in rows
    ]


def _model(row: RankingModelRow, by: str | None, figures: matching_days.Figures | None) -> ModelOut:
    return ModelOut.model_validate(
        {
            **{name: getattr(row, name) for name in _ROW},
            "built_in": row.trained_to is None,
            "candidate": row.metrics.get("candidate"),
            "current": row.metrics.get("current"),
            "reasons": [
                {"code": one["code"], "params": {key: value for key, value in one.items() if key != "code"}}
                for one in row.reasons
            ],
            "promoted_by_name": by,
            "figures": figures,
        }
    )


def _plain(figures: matching_days.Figures) -> dict[str, Any]:
    return FiguresOut.model_validate(figures).model_dump()
